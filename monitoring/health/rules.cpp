#include "monitoring/health/rules.hpp"

#include <fmt/format.h>

#include <utility>

namespace ordo::health {
namespace {

double seconds(Micros time) { return static_cast<double>(time.count()) / 1e6; }

std::string in_ms(double time) { return fmt::format("{:.3g} ms", time * 1e3); }

}  // namespace

void InterfaceWatch::call(Micros took, bool is_error) {
  seconds_[now_].add({1, is_error ? 1u : 0u, 1, took});
}

void InterfaceWatch::fail() { seconds_[now_].add({1, 1, 0, {}}); }

bool InterfaceWatch::is_quiet() const {
  for (const Calls& second : seconds_) {
    if (second.calls > 0) return false;
  }
  return true;
}

std::optional<Micros> InterfaceWatch::normal() const {
  if (learnt_.timed < kCallsForNormal) return std::nullopt;
  return learnt_.time / static_cast<std::int64_t>(learnt_.timed);
}

Verdict InterfaceWatch::judge_errors(const Calls& window, const Thresholds& limits) const {
  if (window.errors < limits.errors_yellow) return {};
  const bool by_rate = limits.profile == Profile::kRate ||
                       (limits.profile == Profile::kAuto && window.calls >= limits.rate_from_calls);
  const double share = static_cast<double>(window.errors) / static_cast<double>(window.calls);
  bool is_red = window.errors >= limits.errors_red;
  if (by_rate) {
    if (share < limits.share_yellow) return {};
    is_red = is_red && share >= limits.share_red;
  }
  Verdict verdict;
  verdict.colour = is_red ? Colour::kRed : Colour::kYellow;
  verdict.reason = Reason::kErrors;
  verdict.text =
      fmt::format("{} of {} calls failed within 3 s (normal: none).", window.errors, window.calls);
  verdict.value = static_cast<double>(window.errors);
  verdict.unit = "calls";
  return verdict;
}

Verdict InterfaceWatch::judge_time(const Calls& window, const Thresholds& limits) const {
  const auto usual = normal();
  if (!usual || window.timed == 0) return {};
  const Micros mean = window.time / static_cast<std::int64_t>(window.timed);
  const double times = seconds(mean) / std::max(seconds(*usual), 1e-6);
  if (mean < limits.never_slow || times < limits.slow_yellow) return {};
  Verdict verdict;
  verdict.colour = times > limits.slow_red ? Colour::kRed : Colour::kYellow;
  verdict.reason = Reason::kSlow;
  verdict.value = seconds(mean);
  verdict.normal = seconds(*usual);
  verdict.unit = "seconds";
  verdict.text =
      fmt::format("A call takes {} (normal: {}).", in_ms(verdict.value), in_ms(verdict.normal));
  return verdict;
}

Verdict InterfaceWatch::tick(const Thresholds& thresholds) {
  Calls window;
  for (const Calls& second : seconds_) window.add(second);
  const Verdict verdict = worse(judge_errors(window, thresholds), judge_time(window, thresholds));
  now_ = (now_ + 1) % kSeconds;
  if (verdict.colour == Colour::kGreen) {
    learnt_.add(seconds_[now_]);
    if (learnt_.timed > kCallsRemembered) {
      learnt_.timed /= 2;
      learnt_.time /= 2;
    }
  }
  seconds_[now_] = {};
  return verdict;
}

const Verdict& NodeWatch::settle(Verdict found, Wall now) {
  const bool is_better = found.colour < shown_.colour && found.colour != Colour::kUnknown;
  // A breaker has rested and probed before it says so.
  const bool must_hold = !is_new_ && shown_.reason != Reason::kBreaker;
  if (is_better && must_hold && ++better_for_ < kHold) return shown_;
  better_for_ = 0;
  if (is_new_ || found.colour != shown_.colour) since_ = now;
  is_new_ = false;
  shown_ = std::move(found);
  return shown_;
}

namespace {

Verdict of_shard(Colour colour, Reason reason, std::string text) {
  return {.colour = colour, .reason = reason, .interface = "probe", .text = std::move(text)};
}

}  // namespace

Verdict judge_pulse(const ShardPulse& pulse, Steady now, const Thresholds& limits) {
  if (pulse.at == Steady{}) return {};
  if (!pulse.error.empty()) {
    return of_shard(Colour::kRed, Reason::kProbeFailed,
                    "A write and read of its database failed: " + pulse.error + ".");
  }
  if (const Micros age = now - pulse.at; age > limits.probe_red) {
    return of_shard(
        Colour::kRed, Reason::kProbeFailed,
        fmt::format("Its database has not answered a write and read for {:.0f} s.", seconds(age)));
  }
  if (pulse.took > limits.probe_slow) {
    Verdict slow =
        of_shard(Colour::kYellow, Reason::kProbeSlow,
                 fmt::format("A write and read of its database takes {} (limit: {}).",
                             in_ms(seconds(pulse.took)), in_ms(seconds(limits.probe_slow))));
    slow.value = seconds(pulse.took);
    slow.normal = seconds(limits.probe_slow);
    slow.unit = "seconds";
    return slow;
  }
  if (pulse.oldest_snapshot > limits.snapshot_yellow) {
    return of_shard(Colour::kYellow, Reason::kOldSnapshot,
                    fmt::format("A transaction has held back its vacuum for {:.0f} s.",
                                seconds(pulse.oldest_snapshot)));
  }
  if (pulse.dead_rows > limits.dead_rows_yellow) {
    return of_shard(Colour::kYellow, Reason::kDeadRows,
                    fmt::format("{} dead rows wait for vacuum (limit: {}).", pulse.dead_rows,
                                limits.dead_rows_yellow));
  }
  return {};
}

Verdict judge_session(Micros age, const Thresholds& thresholds) {
  if (age < thresholds.session_red) return {};
  Verdict verdict{.colour = Colour::kRed, .reason = Reason::kStalled, .interface = "commit"};
  verdict.value = seconds(age);
  verdict.normal = seconds(thresholds.session_red);
  verdict.unit = "seconds";
  verdict.text = fmt::format(
      "Its database has not answered the owner for {:.1f} s (limit: {:.1f} s): is a table locked?",
      verdict.value, verdict.normal);
  return verdict;
}

Verdict judge_loop(Millis age, const Thresholds& thresholds) {
  if (age < thresholds.loop_red) return {};
  Verdict verdict{.colour = Colour::kRed, .reason = Reason::kStalled, .interface = "loop"};
  verdict.value = seconds(age);
  verdict.normal = seconds(thresholds.loop_red);
  verdict.unit = "seconds";
  verdict.text = fmt::format("Its loop has not come round for {:.1f} s (limit: {:.1f} s).",
                             verdict.value, verdict.normal);
  return verdict;
}

Verdict judge_silence(Millis silence, const Thresholds& thresholds) {
  if (silence < thresholds.silence_yellow) return {};
  Verdict verdict;
  verdict.colour = silence < thresholds.silence_red ? Colour::kYellow : Colour::kRed;
  verdict.reason = Reason::kSilent;
  verdict.value = seconds(silence);
  verdict.normal = 1;
  verdict.unit = "seconds";
  verdict.text = fmt::format("No heartbeat for {:.1f} s (normal: one a second).", verdict.value);
  return verdict;
}

Verdict judge_hung(std::uint32_t hung, std::uint32_t slots) {
  if (hung == 0) return {};
  Verdict verdict{.reason = Reason::kHung, .interface = "slots", .unit = "slots"};
  verdict.colour = hung < slots ? Colour::kYellow : Colour::kRed;
  verdict.value = hung;
  verdict.text = fmt::format(
      "{} of its {} slots are held by handlers that were told to stop and do not (normal: none).",
      hung, slots);
  return verdict;
}

namespace {

/// Red past the limit, yellow past half of it.
Colour colour_by(double value, double limit) {
  if (value > limit) return Colour::kRed;
  return value > limit / 2 ? Colour::kYellow : Colour::kGreen;
}

Verdict judge_line(const QueueSignal& queue, const Thresholds& limits) {
  Verdict verdict{.reason = Reason::kTooOld, .unit = "seconds"};
  verdict.value = seconds(queue.oldest);
  verdict.normal = seconds(limits.oldest_red);
  verdict.colour = colour_by(verdict.value, verdict.normal);
  if (verdict.colour != Colour::kGreen) {
    verdict.text = fmt::format("The oldest task has waited for {:.0f} s (limit: {:.0f} s).",
                               verdict.value, verdict.normal);
    return verdict;
  }
  if (limits.backlog_red == 0) return {};
  verdict = {.reason = Reason::kOverLimit, .unit = "tasks"};
  verdict.value = static_cast<double>(queue.waiting);
  verdict.normal = static_cast<double>(limits.backlog_red);
  verdict.colour = colour_by(verdict.value, verdict.normal);
  if (verdict.colour == Colour::kGreen) return {};
  verdict.text = fmt::format("{} tasks wait (limit: {}).", queue.waiting, limits.backlog_red);
  return verdict;
}

}  // namespace

Verdict judge_queue(const QueueSignal& queue, const Thresholds& thresholds) {
  if (!queue.is_paused && queue.workers > 0) return judge_line(queue, thresholds);
  Verdict verdict{.colour = Colour::kYellow, .unit = "tasks"};
  verdict.value = static_cast<double>(queue.waiting);
  if (queue.is_paused) {
    verdict.reason = Reason::kPaused;
    verdict.text = fmt::format("An operator has paused it; {} tasks wait.", queue.waiting);
    return verdict;
  }
  if (queue.waiting > 0) verdict.colour = Colour::kRed;
  verdict.reason = Reason::kNoWorker;
  verdict.text = fmt::format("No worker serves it; {} tasks wait.", queue.waiting);
  return verdict;
}

}  // namespace ordo::health
