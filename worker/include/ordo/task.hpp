// What a handler is given and what it answers.
//
// Use:     ordo::TaskOutcome charge(ordo::Task& task) {
//            if (!pay(task.payload(), task.effect_key())) return ordo::transient("bank is away");
//            return ordo::succeeded("{}", R"({"paid":true})");
//          }
// Shapes:  payloads and results are opaque bytes; the context is a small JSON object that the
//          engine may read too.
// Units:   durations as std::chrono::milliseconds, counted on a steady clock.
// Errors:  a handler answers a TaskOutcome; one that throws is `transient` with the exception's
//          message.
// Threads: a Task belongs to the thread that runs its handler; a CancellationToken may be copied
//          anywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ordo/order_id.hpp"

namespace ordo {

namespace worker {
class Cancellation;
struct Run;
}  // namespace worker

/// What an attempt came to. Made by succeeded(), transient(), permanent(), snooze() and unknown().
struct TaskOutcome {
  enum class Kind : unsigned char { kSucceeded, kTransient, kPermanent, kSnooze, kUnknown };

  Kind kind = Kind::kSucceeded;
  std::string result;   ///< succeeded: at most 64 KiB; later steps and waiting clients see it
  std::string context;  ///< succeeded: JSON object of context fields to set, at most 4 KiB
  /// transient, permanent, unknown: one sentence for people, at most 4 KiB
  std::string error;
  std::string reason;  ///< permanent: one word for programs ("card_declined")
  /// transient, unknown: retry after; snooze: how long
  std::chrono::milliseconds delay{0};

  [[nodiscard]] bool is_success() const { return kind == Kind::kSucceeded; }
};

/// Done. `context` fields become visible to conditions and to every later step.
TaskOutcome succeeded(std::string result = {}, std::string context = {});
/// It did not work this time: it is tried again when the retry policy of the step says so, but not
/// before `retry_after` (at most 24 h).
TaskOutcome transient(std::string error, std::chrono::milliseconds retry_after = {});
/// It can never work: the order is undone and ends as failed.
TaskOutcome permanent(std::string error, std::string reason = "failed");
/// Not yet: call again after `delay` (at most 365 days). Burns no attempt of the retry policy.
TaskOutcome snooze(std::chrono::milliseconds delay);
/// It may have been done: the remote side was asked and nobody knows whether it acted. Tried again
/// as a transient failure is, and the next attempt is told `maybe`.
TaskOutcome unknown(std::string error, std::chrono::milliseconds retry_after = {});

/// Says that the work is no longer wanted: the attempt timed out, the order was cancelled, or
/// somebody newer has the task. The handler should stop soon; whatever it answers then is kept as
/// evidence at most.
class CancellationToken {
 public:
  CancellationToken() = default;  ///< never cancelled
  explicit CancellationToken(std::shared_ptr<worker::Cancellation> state);

  [[nodiscard]] bool is_cancelled() const;
  /// "timeout", "order_ending", "superseded" or "draining"; empty while not cancelled.
  [[nodiscard]] std::string reason() const;
  /// Waits up to `patience`; true as soon as it is cancelled. What a handler uses instead of
  /// sleeping.
  [[nodiscard]] bool wait_for(std::chrono::milliseconds patience) const;
  /// Calls `wake` once, on the thread that cancels, as soon as it is cancelled (here, where it
  /// already is), unless what this returns is gone before; once that is gone, `wake` does not run.
  /// It must be short and may not use the token: write to an eventfd, wake a loop.
  [[nodiscard]] std::shared_ptr<void> on_cancel(std::function<void()> wake) const;

 private:
  std::shared_ptr<worker::Cancellation> state_;
};

enum class LogLevel : unsigned char { kDebug, kInfo, kWarn, kError, kOff };

/// The place of an attempt in the trace of its order (W3C Trace Context).
struct Trace {
  std::string trace_id;   ///< 32 hex digits
  std::string parent_id;  ///< 16 hex digits: the span of whoever submitted the order
  /// 16 hex digits: of this attempt. Reckoned out of the effect key and the attempt, so that the
  /// broker's log and `ordo explain` name it the same way.
  std::string span_id;
  unsigned flags = 0;      ///< 1: sampled
  std::string tracestate;  ///< empty: none

  [[nodiscard]] bool is_sampled() const { return (flags & 1U) != 0; }
  /// The header for calls that this attempt makes: the same trace, this attempt as parent.
  [[nodiscard]] std::string traceparent() const;
};

/// The result of an earlier step, as a task sees it.
struct EarlierResult {
  std::string_view step;
  std::uint16_t branch = 0;
  std::string_view result;
};

/// One attempt of one task. Views stay valid until the handler returns.
class Task {
 public:
  explicit Task(std::shared_ptr<worker::Run> run);

  [[nodiscard]] const OrderId& order() const;
  [[nodiscard]] const std::string& pipeline() const;
  [[nodiscard]] std::uint32_t version() const;  ///< of the pipeline
  [[nodiscard]] const std::string& step() const;
  [[nodiscard]] const std::string& handler() const;
  [[nodiscard]] const std::string& queue() const;
  [[nodiscard]] std::uint16_t branch() const;  ///< which element of a fan-out; 0 without one
  /// The branch's element as JSON text; empty where the step has no `each`.
  [[nodiscard]] std::string_view element() const;
  /// Whether the step's own handler has failed for good and this is its fallback's turn.
  [[nodiscard]] bool is_fallback() const;
  [[nodiscard]] std::uint32_t attempt() const;  ///< from 1
  [[nodiscard]] std::uint8_t priority() const;  ///< 0 most urgent to 9
  /// Whether this undoes a step instead of doing it.
  [[nodiscard]] bool is_compensation() const;
  /// An earlier attempt may have had its effect: ask the remote side with the effect key before
  /// doing it again.
  [[nodiscard]] bool is_maybe() const;

  /// "ORDER/step/branch/forward": the same on every attempt. Give it to remote services as the
  /// idempotency key.
  [[nodiscard]] std::string effect_key() const;

  /// Where the order was submitted with a trace; else nullopt.
  [[nodiscard]] std::optional<Trace> trace() const;

  /// What the client submitted.
  [[nodiscard]] std::string_view payload() const;
  /// The payload as a T: `decode` takes a std::string_view and returns something a T is made of.
  template <class T, class Decode> [[nodiscard]] T payload_as(Decode&& decode) const {
    return T(std::forward<Decode>(decode)(payload()));
  }
  /// The payload through the hook `T decode_ordo(std::string_view, std::type_identity<T>)`, which
  /// is found in T's own namespace.
  template <class T> [[nodiscard]] T payload_as() const {
    return decode_ordo(payload(), std::type_identity<T>{});
  }

  /// The result of an earlier step that this one depends on, directly or not; nullopt where it has
  /// none (it was skipped, or it is no predecessor).
  [[nodiscard]] std::optional<std::string_view> result(std::string_view step,
                                                       std::uint16_t branch = 0) const;
  /// All of them, in the order of the pipeline's steps.
  [[nodiscard]] std::vector<EarlierResult> results() const;
  template <class T>
  [[nodiscard]] std::optional<T> result_as(std::string_view step, std::uint16_t branch = 0) const {
    const auto bytes = result(step, branch);
    if (!bytes) return std::nullopt;
    return decode_ordo(*bytes, std::type_identity<T>{});
  }

  /// The order's context: text of a JSON object, possibly empty.
  [[nodiscard]] std::string_view context() const;
  /// A field of it as JSON text; dots name fields of nested objects. nullopt where there is none.
  [[nodiscard]] std::optional<std::string> context_json(std::string_view field) const;
  /// The same where it is a string, a number, or true or false; nullopt where it is something else.
  [[nodiscard]] std::optional<std::string> context_string(std::string_view field) const;
  [[nodiscard]] std::optional<double> context_number(std::string_view field) const;
  [[nodiscard]] std::optional<bool> context_bool(std::string_view field) const;

  /// Until this attempt's timeout; 0 once it has passed.
  [[nodiscard]] std::chrono::milliseconds time_left() const;
  /// Until the order's deadline; nullopt where it has none.
  [[nodiscard]] std::optional<std::chrono::milliseconds> order_time_left() const;
  [[nodiscard]] bool is_cancelled() const;
  [[nodiscard]] CancellationToken cancellation() const;

  /// Says how far it is, for people ("3 of 7 parcels"): the last note shows in `ordo get` and `ordo
  /// explain` within a second or two. Not durable; at most 4 KiB.
  void progress(std::string_view note) const;

  /// A line in the worker's log with the fields below; at most 1 KiB of `message`, never a payload.
  void log(LogLevel level, std::string_view message) const;
  /// Names and values that say which attempt this is (order, pipeline, step, branch, attempt,
  /// trace_id, span_id), for a logger of your own.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> log_fields() const;

 private:
  std::shared_ptr<worker::Run> run_;
};

using Handler = std::function<TaskOutcome(Task&)>;

}  // namespace ordo
