// What callers have asked for and brokers have not answered yet: a table of slots, found by number.
//
// Shapes:  a number is serial << 24 | attempt << 20 | slot: finding costs one index, sorting gives
//          the order of asking, and an answer tells which attempt it belongs to.
// Errors:  a number that was answered already is simply not found (a doubled or late answer).
// Threads: one owner, the core.
// Costs:   no allocation per request once the table has grown to the peak in flight.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "ordo/result.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

using LinkIndex = std::uint32_t;
inline constexpr LinkIndex kNoLink = 0xffffffff;

/// The shell's own name for a request: it comes back with the answer.
using Token = std::uint64_t;

/// Everything a client can ask. `request` numbers inside are set by the core.
using Request =
    std::variant<wire::OrderRequest, wire::Wait, wire::Watch, wire::Get, wire::List, wire::Cancel,
                 wire::Operate, wire::Explain, wire::PutPipeline, wire::GetPipelines,
                 wire::GetQueues, wire::SetQueue, wire::GetWorkers, wire::Signal,
                 wire::GetSignals>;

enum class Phase : std::uint8_t {
  kQueued,   ///< waits for a link (or for the shard map)
  kSent,     ///< on its way, or being worked on
  kResting,  ///< busy, unavailable or unknown: tried again at `due`
};

struct Pending {
  std::uint64_t number = 0;  ///< its attempt bits are 0; 0: the slot is free
  Token token = 0;
  Request request;
  Steady asked;     ///< when the core got it
  Steady deadline;  ///< the caller's
  Steady due;       ///< kResting: when it goes out again; kSent: when to doubt and resend
  Steady armed = Steady::max();  ///< the earliest timer that stands for it
  Phase phase = Phase::kQueued;
  LinkIndex link = kNoLink;  ///< kSent: where to; else a hint (not_owner), or none
  bool retries_busy = true;
  bool was_doubtful = false;     ///< a broker itself said `unknown`
  std::uint32_t attempt = 0;     ///< sends so far
  std::uint32_t unanswered = 0;  ///< sends that got no answer: any of them may have happened
  std::uint32_t tries = 0;       ///< temporary refusals so far: the exponent of the backoff
  std::size_t bytes = 0;
  std::optional<Error> last;  ///< the latest temporary refusal
};

class Requests {
 public:
  /// A fresh entry with its number set; at most kMost at once.
  Pending& add();
  /// By the number of any of its attempts.
  Pending* find(std::uint64_t number);
  void remove(const Pending& pending);

  /// Numbers of all entries, in the order of asking.
  [[nodiscard]] std::vector<std::uint64_t> all() const;
  [[nodiscard]] std::size_t size() const { return size_; }

  static constexpr std::size_t kMost = std::size_t{1} << 20;

 private:
  std::vector<Pending> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t serial_ = 0;
  std::size_t size_ = 0;
};

/// Begins another attempt: its number goes into the message that will carry it.
void begin_attempt(Pending& pending);
/// Whether an answer with this number belongs to the latest attempt.
bool is_latest(const Pending& pending, std::uint64_t number);

/// The order a request is about; nullptr where it is about none.
const OrderId* order_of(const Request& request);

/// The shard a request must go to; nullopt: any broker will do (or the id is not drawn yet).
std::optional<ShardNumber> shard_of(const Request& request);

/// What it weighs in memory and (nearly) in a frame.
std::size_t bytes_of(const Request& request);
std::size_t bytes_of(const wire::OrderRequest& order);

/// The first bound that a request breaks, as an error of code malformed; nullopt where none.
std::optional<Error> check_bounds(const Request& request);

/// Whether sending it twice does the same as sending it once.
bool is_repeatable(const Request& request);

/// Whether an attempt of unknown outcome leaves the caller in doubt (reads do not).
bool has_effect(const Request& request);

}  // namespace ordo::client
