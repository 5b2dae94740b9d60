// What a service can be told to suffer from, for a time, and how long and how well an attempt goes
// when nothing is wrong.
//
// Shapes:  a Fault a service: down (refuses at once), slow (times a factor), hung (never answers),
//          lose (does the effect and loses the reply, with a probability). "*" means every service.
// Units:   milliseconds.
// Rule:    chance comes from the seed, the effect key and how often that key was tried: the same
//          run again meets the same failures, whoever asks and in whatever order.
// Errors:  parse_fault(): kMalformed, what to send instead.
// Threads: Faults: any. The rest are pure functions.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"
#include "examples/shop/call.hpp"
#include "examples/shop/shop_steps.hpp"

namespace ordo::shop {

enum class FaultMode : std::uint8_t { kNone, kDown, kSlow, kHung, kLose };
std::string_view to_string(FaultMode mode);

struct Fault {
  FaultMode mode = FaultMode::kNone;
  double factor = 1;                 ///< with kSlow: 1 to 1,000
  double probability = 1;            ///< with kLose: 0 to 1
  std::optional<Steady> until = {};  ///< nullopt: until it is taken back
};

/// {"service","mode","factor","probability","for_ms"}: the service, or "*", and its fault from
/// `now` on.
Result<std::pair<std::string, Fault>> parse_fault(std::string_view body, Steady now);

class Faults {
 public:
  void set(const std::string& service, const Fault& fault);
  [[nodiscard]] Fault of(std::string_view service);
  /// Every service that suffers from something, as parse_fault() reads it, with what is left of it.
  [[nodiscard]] Json list();

  /// Waits; false where stop() cut it short.
  bool pause(Millis time);
  /// Returns once the service does not hang any more; false after stop().
  bool wait_while_hung(std::string_view service);
  void stop();

 private:
  Fault at(std::string_view service, Steady now);  ///< under the lock

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Fault, std::less<>> faults_;
  bool is_stopped_ = false;
};

/// How an attempt goes when nothing is wrong.
struct Odds {
  double ms = 0;
  bool is_transient = false;  ///< says that it is away for a moment; nothing happens
  bool is_refused = false;    ///< says no for good: a matter of the key, not of the attempt
  bool is_lost = false;       ///< the reply is lost …
  bool is_done = true;        ///< … and whether the effect happens before
  bool is_unlucky(double probability) const { return luck < probability; }
  double luck = 1;  ///< uniform in [0, 1): for faults that are told
};
/// `nth` attempt (from 1) of the effect `key`.
Odds draw_odds(const ShopStep& step, std::uint64_t seed, std::string_view key, std::uint32_t nth);

}  // namespace ordo::shop
