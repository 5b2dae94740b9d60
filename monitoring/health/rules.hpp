// When a node is green, yellow or red: the rules, pure and with every threshold in one place.
//
// Use:     an InterfaceWatch counts the calls of one interface in seconds and judges the last
//          three; a NodeWatch keeps a node's colour from flickering.
// Shapes:  at few calls the article profile counts errors (1 yellow, 6 red); at many, the rate
//          profile goes by their share, because six of fifteen thousand say nothing.
// Rule:    normal is the mean of what was seen while green; until kCallsForNormal calls were, no
//          call is slow. Worse colours show at once, better ones after they have held.
// Threads: values; one owner.
// Source:  docs/health.md.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "monitoring/health/tree.hpp"

namespace ordo::health {

enum class Profile : std::uint8_t { kAuto, kArticle, kRate };
inline constexpr std::array<std::string_view, 3> kProfileWords{"auto", "article", "rate"};

struct Thresholds {
  Profile profile = Profile::kAuto;
  std::uint64_t rate_from_calls = 50;  ///< kAuto: calls in the window from which the rate counts
  std::uint64_t errors_yellow = 1;
  std::uint64_t errors_red = 6;
  double share_yellow = 0.005;
  double share_red = 0.05;
  double slow_yellow = 5;     ///< times normal
  double slow_red = 10;       ///< times normal
  Micros never_slow{25'000};  ///< a mean below this is no trouble, whatever the multiple
  Millis oldest_red{60'000};  ///< a queue's oldest task; half of it is yellow
  std::uint64_t backlog_red = 1'000'000;  ///< tasks that wait in a queue; half is yellow; 0: any
  Millis silence_yellow{2'000};           ///< of a worker, which beats every second
  Millis silence_red{3'000};
  Millis loop_red{3'000};     ///< age of the loop's last pass
  Millis session_red{3'000};  ///< a commit or read under way on the owner's session
  Millis probe_slow{100};     ///< a write and read of a shard's database
  Millis probe_red{6'000};    ///< without an answer: two probes, each with its patience
  std::uint64_t dead_rows_yellow = 5'000'000;  ///< in the tables that work passes through
  Millis snapshot_yellow{60'000};              ///< age of a transaction that holds vacuum back
};

/// Calls of an interface within some time. Errors are technical ones: a business refusal is none.
struct Calls {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t timed = 0;  ///< of which the time is known
  Micros time{0};           ///< of those, summed

  void add(const Calls& more) {
    calls += more.calls;
    errors += more.errors;
    timed += more.timed;
    time += more.time;
  }
};

class InterfaceWatch {
 public:
  /// One call that took so long; `is_error` for a technical failure.
  void call(Micros took, bool is_error);
  /// One that failed with no time of its own (it was given up).
  void fail();
  /// Some at once, as counted elsewhere.
  void add(const Calls& calls) { seconds_[now_].add(calls); }
  /// A second is over: judges the last three and learns from the oldest if they were green.
  Verdict tick(const Thresholds& thresholds);

  [[nodiscard]] bool is_quiet() const;  ///< no call in the window
  [[nodiscard]] std::optional<Micros> normal() const;

 private:
  static constexpr std::size_t kSeconds = 3;
  /// What is needed before anything is called slow.
  static constexpr std::uint64_t kCallsForNormal = 30;
  /// Past this the past weighs half: a mean of months would never follow what has become normal.
  static constexpr std::uint64_t kCallsRemembered = 100'000;

  [[nodiscard]] Verdict judge_errors(const Calls& window, const Thresholds& thresholds) const;
  [[nodiscard]] Verdict judge_time(const Calls& window, const Thresholds& thresholds) const;

  std::array<Calls, kSeconds> seconds_{};
  std::size_t now_ = 0;
  Calls learnt_;
};

/// Keeps a colour until a better one has held for kHold ticks; a breaker's goes at once.
class NodeWatch {
 public:
  const Verdict& settle(Verdict found, Wall now);
  [[nodiscard]] const Verdict& verdict() const { return shown_; }
  [[nodiscard]] Wall since() const { return since_; }

 private:
  static constexpr int kHold = 3;
  Verdict shown_;
  Wall since_{};
  int better_for_ = 0;
  bool is_new_ = true;
};

/// What the last probe of a shard's database found.
struct ShardPulse {
  Steady at{};        ///< when it answered or failed; the epoch: not yet
  std::string error;  ///< empty: it answered
  Micros took{0};     ///< of the write and the read
  std::uint64_t dead_rows = 0;
  Millis oldest_snapshot{0};
};
/// Green before the first answer: opening the shard tells as much.
Verdict judge_pulse(const ShardPulse& pulse, Steady now, const Thresholds& thresholds);

/// What the owner's session was asked for so long ago and has not answered.
Verdict judge_session(Micros age, const Thresholds& thresholds);

Verdict judge_loop(Millis age, const Thresholds& thresholds);
Verdict judge_silence(Millis silence, const Thresholds& thresholds);

/// Slots whose attempt was given up and whose handler does not come back: red once none is left.
Verdict judge_hung(std::uint32_t hung, std::uint32_t slots);

struct QueueSignal {
  std::uint64_t waiting = 0;  ///< ready and in the backlog
  std::uint32_t workers = 0;
  Millis oldest{0};
  bool is_paused = false;
};
/// A queue that nobody serves is red where something waits in it and yellow where nothing does:
/// pipelines come before their workers.
Verdict judge_queue(const QueueSignal& queue, const Thresholds& thresholds);

}  // namespace ordo::health
