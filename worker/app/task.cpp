#include "ordo/task.hpp"

#include <charconv>
#include <utility>

#include "schema/context.hpp"
#include "schema/limits.hpp"
#include "schema/text.hpp"
#include "schema/trace.hpp"
#include "schema/vocabulary.hpp"
#include "worker/app/worker_log.hpp"
#include "worker/net/run.hpp"

namespace ordo {
namespace {

/// Nothing where a broker sent what is no trace.
std::optional<Trace> trace_of(const wire::Offer& offer) {
  auto parsed = parse_trace(offer.traceparent, offer.tracestate);
  if (!parsed || parsed->traceparent.empty()) return std::nullopt;
  constexpr std::size_t kFlagDigits = 2;
  const std::string& text = parsed->traceparent;
  Trace trace{.trace_id = std::string(trace_id_of(text)),
              .parent_id = std::string(parent_id_of(text)),
              .span_id = span_id(effect_key(offer.key, offer.step), offer.fence.attempt),
              .tracestate = std::move(parsed->tracestate)};
  std::from_chars(text.data() + text.size() - kFlagDigits, text.data() + text.size(), trace.flags,
                  16);
  return trace;
}

std::chrono::milliseconds until(Steady end, Steady now) {
  return std::max(std::chrono::duration_cast<Millis>(end - now), Millis{0});
}

}  // namespace

std::string Trace::traceparent() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return "00-" + trace_id + '-' + span_id + '-' + kDigits[flags >> 4 & 15U] + kDigits[flags & 15U];
}

TaskOutcome succeeded(std::string result, std::string context) {
  TaskOutcome outcome;
  outcome.result = std::move(result);
  outcome.context = std::move(context);
  return outcome;
}

TaskOutcome transient(std::string error, std::chrono::milliseconds retry_after) {
  TaskOutcome outcome;
  outcome.kind = TaskOutcome::Kind::kTransient;
  outcome.error = std::move(error);
  outcome.delay = retry_after;
  return outcome;
}

TaskOutcome permanent(std::string error, std::string reason) {
  TaskOutcome outcome;
  outcome.kind = TaskOutcome::Kind::kPermanent;
  outcome.error = std::move(error);
  outcome.reason = std::move(reason);
  return outcome;
}

TaskOutcome unknown(std::string error, std::chrono::milliseconds retry_after) {
  TaskOutcome outcome;
  outcome.kind = TaskOutcome::Kind::kUnknown;
  outcome.error = std::move(error);
  outcome.delay = retry_after;
  return outcome;
}

TaskOutcome snooze(std::chrono::milliseconds delay) {
  TaskOutcome outcome;
  outcome.kind = TaskOutcome::Kind::kSnooze;
  outcome.delay = delay;
  return outcome;
}

CancellationToken::CancellationToken(std::shared_ptr<worker::Cancellation> state)
    : state_(std::move(state)) {}

bool CancellationToken::is_cancelled() const { return state_ && state_->is_cancelled(); }

std::string CancellationToken::reason() const { return state_ ? state_->reason() : std::string(); }

bool CancellationToken::wait_for(std::chrono::milliseconds patience) const {
  if (state_) return state_->wait_for(patience);
  worker::Cancellation never;
  return never.wait_for(patience);
}

std::shared_ptr<void> CancellationToken::on_cancel(std::function<void()> wake) const {
  if (!state_) return nullptr;
  const std::uint64_t watch = state_->watch(std::move(wake));
  return {state_.get(), [state = state_, watch](void*) { state->forget(watch); }};
}

Task::Task(std::shared_ptr<worker::Run> run) : run_(std::move(run)) {}

const OrderId& Task::order() const { return run_->offer.key.order; }
const std::string& Task::pipeline() const { return run_->offer.pipeline; }
std::uint32_t Task::version() const { return run_->offer.version; }
const std::string& Task::step() const { return run_->offer.step; }
const std::string& Task::handler() const { return run_->offer.handler; }
const std::string& Task::queue() const { return run_->offer.queue; }
std::uint16_t Task::branch() const { return run_->offer.key.branch; }
std::string_view Task::element() const { return run_->offer.element; }
bool Task::is_fallback() const { return run_->offer.key.kind == TaskKind::kFallback; }
std::uint32_t Task::attempt() const { return run_->offer.fence.attempt; }
std::uint8_t Task::priority() const { return run_->offer.priority; }
bool Task::is_compensation() const { return run_->offer.key.kind == TaskKind::kCompensate; }
bool Task::is_maybe() const { return run_->offer.maybe; }

std::string Task::effect_key() const { return ordo::effect_key(run_->offer.key, step()); }

std::optional<Trace> Task::trace() const { return trace_of(run_->offer); }

std::string_view Task::payload() const { return run_->offer.payload; }

std::optional<std::string_view> Task::result(std::string_view step, std::uint16_t branch) const {
  for (const wire::StepResult& earlier : run_->offer.results) {
    if (earlier.step == step && earlier.branch == branch) return earlier.result;
  }
  return std::nullopt;
}

std::vector<EarlierResult> Task::results() const {
  std::vector<EarlierResult> all;
  all.reserve(run_->offer.results.size());
  for (const wire::StepResult& earlier : run_->offer.results) {
    all.push_back({earlier.step, earlier.branch, earlier.result});
  }
  return all;
}

std::string_view Task::context() const { return run_->offer.context; }

std::optional<std::string> Task::context_json(std::string_view field) const {
  auto json = get_context(context(), field);
  if (!json) return std::nullopt;
  return std::move(*json);
}

std::optional<std::string> Task::context_string(std::string_view field) const {
  return get_text(context(), field);
}

std::optional<double> Task::context_number(std::string_view field) const {
  const auto json = context_json(field);
  if (!json) return std::nullopt;
  double number = 0;
  const char* const end = json->data() + json->size();
  const auto read = std::from_chars(json->data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<bool> Task::context_bool(std::string_view field) const {
  const auto json = context_json(field);
  if (json == "true") return true;
  if (json == "false") return false;
  return std::nullopt;
}

std::chrono::milliseconds Task::time_left() const {
  return until(run_->timeout_at, run_->world->now());
}

std::optional<std::chrono::milliseconds> Task::order_time_left() const {
  if (!run_->order_ends) return std::nullopt;
  return until(*run_->order_ends, run_->world->now());
}

bool Task::is_cancelled() const { return run_->cancellation.is_cancelled(); }

CancellationToken Task::cancellation() const {
  return CancellationToken(std::shared_ptr<worker::Cancellation>(run_, &run_->cancellation));
}

void Task::log(LogLevel level, std::string_view message) const {
  if (run_->world->on_line) {
    run_->world->on_line(static_cast<ordo::log::Level>(level), message, run_->offer);
  }
}

std::vector<std::pair<std::string, std::string>> Task::log_fields() const {
  std::vector<std::pair<std::string, std::string>> words;
  const worker::AttemptFields fields(run_->offer);
  for (const ordo::log::Field& field : fields.all()) {
    words.emplace_back(field.key,
                       std::visit(
                           [](const auto& value) {
                             if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
                               return std::to_string(value);
                             } else {
                               return std::string(value);
                             }
                           },
                           field.value));
  }
  return words;
}

void Task::progress(std::string_view note) const {
  if (!run_->world->on_note) return;
  run_->world->on_note({run_->id, clean_text(note, limits::kTextBytes)});
}

}  // namespace ordo
