// Parked tasks run again, a few of them first: what fails once more stops the rest.
//
// Rule:    the canaries go out alone, and the others only once each canary has succeeded; then the
//          rest at a rate. An attempt that fails again, whichever, stops the sending at once: what
//          has not been sent stays parked as it was.
// Shapes:  a Redrive is run once; it knows a task by its order, step and branch.
// Errors:  what the broker refuses of one task (somebody was quicker) is counted and the rest goes
//          on; where the broker cannot be asked the redrive stops. Both are in the report.
// Threads: one owner, which run() holds until everything sent is settled.
// Bounds:  at most kUnsettled tasks are sent and not settled; each is asked for once in kLookEvery.
// Costs:   one request a task and one a look at it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/parked/parked_tasks.hpp"
#include "ordo/client.hpp"

namespace ordo::parked {

struct RedriveOptions {
  std::size_t canary = 1;               ///< so many first; 0: no difference is made
  double per_second = 10;               ///< sent at most, above 0
  client::milliseconds settle{60'000};  ///< after which a sent task should be known to succeed
  std::function<bool()> must_stop{};    ///< asked between two tasks; none: never
};

/// A task and what was said about it.
struct RedriveFinding {
  client::TaskOf task;
  std::string error;
};

struct RedriveReport {
  static constexpr std::size_t kExamples = 20;

  std::size_t matched = 0, sent = 0, succeeded = 0;
  std::size_t unsettled = 0;             ///< sent, and not known to have succeeded or failed
  std::size_t refused = 0;               ///< by the broker: no longer parked, for example
  std::vector<RedriveFinding> refusals;  ///< the first of them
  std::optional<RedriveFinding> repeat;  ///< what failed again
  std::string stopped;                   ///< why not all were sent; empty: they were
  [[nodiscard]] std::size_t left() const { return matched - sent - refused; }
  [[nodiscard]] bool is_clean() const { return !repeat && refused == 0 && stopped.empty(); }
};

class Redrive {
 public:
  static constexpr std::size_t kUnsettled = 1'000;
  static constexpr client::milliseconds kLookEvery{500};

  Redrive(client::Client& client, const RedriveOptions& options, client::Operator by)
      : client_(client), options_(options), by_(std::move(by)) {}

  /// Called after each step, with how far it has come.
  void on_progress(std::function<void(const RedriveReport&)> told) { told_ = std::move(told); }
  /// Sends them in the order given.
  RedriveReport run(const std::vector<ParkedTask>& tasks);

 private:
  using Clock = std::chrono::steady_clock;
  struct Sent {
    client::TaskOf task;
    Clock::time_point at;
    Clock::time_point looked;
  };

  bool goes_on();
  void send(const ParkedTask& task);
  void look();
  void judge(Sent& sent);
  void settle_all();

  client::Client& client_;
  const RedriveOptions options_;
  const client::Operator by_;
  std::function<void(const RedriveReport&)> told_;
  RedriveReport report_;
  std::vector<Sent> sent_;  ///< not settled
};

}  // namespace ordo::parked
