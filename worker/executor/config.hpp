// What ordo-worker is told to do: which steps it takes, and the service or program that does each.
//
// Shapes:  one YAML file of `worker`, `services` and `steps` (docs/executor.md). Everything that
//          decides where a call goes stands here; nothing of an order does.
// Errors:  read_config() answers all that is wrong, each with its place and what to write instead.
//          It reads the files that hold secrets, and looks whether programs are there.
// Threads: values; not changed once read.
// Bounds:  the constants below; a file as large as a pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "ordo/worker.hpp"
#include "schema/limits.hpp"
#include "schema/pipeline.hpp"

namespace ordo::executor {

using namespace std::chrono_literals;

/// More than a worker has queues could not be served; a service a step is the most.
inline constexpr std::size_t kMostServices = limits::kWorkerQueues;
/// As many threads as a worker may have would never wait; a service bears far less.
inline constexpr std::uint32_t kMostInFlight = 1024;
/// Each program is a process: a machine bears some hundreds.
inline constexpr std::uint32_t kMostPrograms = 256;
inline constexpr std::size_t kMostHeaders = 32;
/// One value of a header, an argument or a variable, also from a file.
inline constexpr std::size_t kValueBytes = 4096;
inline constexpr std::size_t kMostArguments = 64;
/// While a key is exchanged for another, both sign.
inline constexpr std::size_t kMostKeys = 4;
/// Half of what HMAC-SHA256 can use; shorter can be guessed (RFC 2104, section 3).
inline constexpr std::size_t kLeastKeyBytes = 16;

using Verdict = TaskOutcome::Kind;
using Named = std::pair<std::string, std::string>;

enum class Body : std::uint8_t {
  kEnvelope,  ///< a JSON object with everything that the task has
  kPayload,   ///< the order's payload as it is
  kNone
};
enum class Answer : std::uint8_t {
  kRaw,      ///< all of it is the result
  kEnvelope  ///< a JSON object of result and context
};

/// A remote service: what all steps that call it share. It is the bulkhead's unit.
struct Service {
  std::string name;
  std::string url;  ///< http or https, without a slash at its end
  std::uint32_t in_flight = 16;
  Millis connect_timeout{2s};
  std::optional<Millis> timeout;  ///< of a whole call; none: as long as the attempt has
  std::vector<Named> headers;
  std::vector<std::string> keys;             ///< what signs; empty: nothing is signed
  std::string ca, certificate, private_key;  ///< files; empty: the system's roots, none, none
  std::string proxy;                         ///< empty: none, whatever the environment says
};

struct HttpStep {
  std::size_t service = 0;  ///< in Config::services
  std::string method = "POST";
  std::string path;  ///< behind the service's URL; may have a query
  std::string content_type;
  std::vector<Named> headers;  ///< those of the service stand before them
  /// By status (409), or by its first digit (4 for 4xx); what is not here goes by the defaults.
  std::map<int, Verdict> statuses;
};

struct ProgramStep {
  std::vector<std::string> arguments;  ///< the first is the program's path
  std::string folder = "/";            ///< that it runs in
  std::vector<Named> variables;        ///< beside those that each program has
  std::uint32_t in_flight = 4;
  Millis stop_grace{2s};  ///< between SIGTERM and SIGKILL
  std::map<int, Verdict> exits{
      {0, Verdict::kSucceeded}, {65, Verdict::kPermanent}, {75, Verdict::kTransient}};
};

struct Step {
  std::string name;   ///< the handler's, which is the step's unless its pipeline says otherwise
  std::string queue;  ///< empty: the one called like the handler
  Body body = Body::kEnvelope;
  Answer answer = Answer::kRaw;
  std::size_t answer_bytes = limits::kResultBytes;
  std::size_t error_bytes = 300;  ///< of an answer, in the error's text; 0: none of it
  std::optional<Millis> timeout;  ///< before the service's own
  Millis snooze{5s};              ///< where a snooze does not say how long
  std::variant<HttpStep, ProgramStep> action;
};

struct Config {
  WorkerOptions worker;
  std::vector<Service> services;
  std::vector<Step> steps;
};

/// The configuration in `text`, or everything that is wrong with it (never empty then).
tl::expected<Config, std::vector<Problem>> read_config(std::string_view text);

/// The same of a file. What the system refuses is a problem too.
tl::expected<Config, std::vector<Problem>> load_config(const std::string& path);

}  // namespace ordo::executor
