#include "ordo/testkit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>
#include <utility>

#include "base/random.hpp"
#include "base/time.hpp"
#include "schema/context.hpp"
#include "schema/pipeline.hpp"
#include "worker/app/handlers.hpp"
#include "worker/net/run.hpp"

namespace ordo::testkit {
namespace {

using worker::Ending;
using worker::Handlers;
using worker::Run;
using worker::RunWorld;

/// More attempts than this in one test: something snoozes for ever.
constexpr std::uint32_t kMostAttempts = 10'000;
/// Ids of test orders: any moment will do.
constexpr std::int64_t kOrderMs = 1'700'000'000'000;

TaskOutcome to_outcome(Ending ending) {
  TaskOutcome outcome;
  switch (ending.outcome) {
    case Outcome::kSucceeded: outcome.kind = TaskOutcome::Kind::kSucceeded; break;
    case Outcome::kPermanent: outcome.kind = TaskOutcome::Kind::kPermanent; break;
    case Outcome::kSnooze: outcome.kind = TaskOutcome::Kind::kSnooze; break;
    case Outcome::kTransient: outcome.kind = TaskOutcome::Kind::kTransient; break;
    case Outcome::kUnknown: outcome.kind = TaskOutcome::Kind::kUnknown; break;
  }
  outcome.result = std::move(ending.result);
  outcome.context = std::move(ending.context);
  outcome.error = std::move(ending.error);
  outcome.reason = std::move(ending.reason);
  outcome.delay = ending.delay;
  return outcome;
}

Millis since_start(Steady at) { return std::chrono::duration_cast<Millis>(at.time_since_epoch()); }

/// delay n = min(cap, first · factor^(n-1)) · U(0.5, 1)
Millis retry_delay(const RetryPolicy& policy, std::uint32_t failures, Random& random) {
  const double first = static_cast<double>(policy.first.count());
  const double cap = static_cast<double>(policy.cap.count());
  const double grown = first * std::pow(policy.factor, std::min(failures - 1, 64U));
  return Millis{static_cast<std::int64_t>(std::min(cap, grown) * (0.5 + 0.5 * random.unit()))};
}

/// A task of the order under test.
struct TaskState {
  enum class State { kPending, kOpen, kSucceeded, kParked, kFailed, kCancelled };
  State state = State::kPending;
  std::uint32_t attempt = 0;
  std::uint32_t failures = 0;
  bool is_maybe = false;
  std::string result;
};

std::string word_of(TaskState::State state) {
  switch (state) {
    case TaskState::State::kPending: return "pending";
    case TaskState::State::kOpen: return "ready";
    case TaskState::State::kSucceeded: return "succeeded";
    case TaskState::State::kParked: return "parked";
    case TaskState::State::kFailed: return "failed";
    case TaskState::State::kCancelled: return "cancelled";
  }
  return "pending";
}

/// What happens at a moment of virtual time: an attempt begins, or it ends.
struct Moment {
  Steady at;
  std::uint64_t number = 0;  ///< moments of the same time happen in the order they were made
  StepIndex step = 0;
  std::optional<Ending> ending;

  friend bool operator>(const Moment& a, const Moment& b) {
    return std::pair(a.at, a.number) > std::pair(b.at, b.number);
  }
};

}  // namespace

struct PipelineTest::State {
  std::string problem;
  Pipeline pipeline;
  Handlers handlers;
  std::map<std::string, std::function<std::chrono::milliseconds(std::uint32_t)>> times;
};

namespace {

/// One run of an order through a pipeline.
class Story {
 public:
  Story(const Pipeline& pipeline, const Handlers& handlers,
        const std::map<std::string, std::function<std::chrono::milliseconds(std::uint32_t)>>& times,
        const TestOrder& order)
      : pipeline_(pipeline),
        handlers_(handlers),
        times_(times),
        order_(order),
        random_(order.seed) {
    tasks_.resize(pipeline.steps.size());
    report_.steps.resize(pipeline.steps.size());
    for (std::size_t i = 0; i < tasks_.size(); ++i) report_.steps[i].step = pipeline.steps[i].name;
    report_.context = order.context;
    id_ = OrderId::make(kOrderMs, 0, order.seed);
  }

  Report tell() {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (pipeline_.steps[i].after.empty()) open(static_cast<StepIndex>(i));
    }
    while (!moments_.empty() && !is_over_) {
      Moment moment = moments_.top();
      moments_.pop();
      if (misses_deadline(moment.at)) break;
      now_ = moment.at;
      if (moment.ending) {
        end(moment.step, *moment.ending);
      } else {
        begin(moment.step);
      }
    }
    return finish();
  }

 private:
  void at(Steady when, StepIndex step, std::optional<Ending> ending) {
    moments_.push({when, ++numbers_, step, std::move(ending)});
  }

  void open(StepIndex step) {
    tasks_[step].state = TaskState::State::kOpen;
    report_.steps[step].opened_at = since_start(now_);
    at(now_ + pipeline_.steps[step].delay, step, std::nullopt);
  }

  bool misses_deadline(Steady when) {
    const Millis deadline =
        order_.deadline > Millis{0} ? order_.deadline : pipeline_.deadline.value_or(Millis{0});
    if (deadline == Millis{0} || when <= Steady{} + deadline) return false;
    now_ = Steady{} + deadline;
    note("the order's deadline passed");
    stop(TaskState::State::kCancelled);
    return true;
  }

  void begin(StepIndex index) {
    const Step& step = pipeline_.steps[index];
    TaskState& task = tasks_[index];
    if (task.state != TaskState::State::kOpen) return;
    if (++attempts_ > kMostAttempts) {
      report_.problem = "gave up after 10000 attempts: does a step snooze for ever?";
      is_over_ = true;
      return;
    }
    ++task.attempt;
    report_.steps[index].attempts = task.attempt;
    const Millis time = time_of(step.name, task.attempt);
    const bool is_late = time > step.timeout;
    Ending ending = handlers_.execute(run_of(index));
    if (is_late) {
      ending = Ending{};
      ending.outcome = Outcome::kUnknown;
      ending.error = "no answer within the step's timeout";
    }
    at(now_ + std::min(time, step.timeout), index, std::move(ending));
  }

  Millis time_of(const std::string& step, std::uint32_t attempt) const {
    const auto found = times_.find(step);
    return found == times_.end() ? Millis{0} : std::max(found->second(attempt), Millis{0});
  }

  std::shared_ptr<Run> run_of(StepIndex index) {
    const Step& step = pipeline_.steps[index];
    const TaskState& task = tasks_[index];
    auto run = std::make_shared<Run>();
    run->timeout_at = now_ + step.timeout;
    run->world = std::make_shared<RunWorld>(RunWorld{{}, [now = now_] { return now; }});
    wire::Offer& offer = run->offer;
    offer.key = {id_, index, 0, TaskKind::kForward};
    offer.fence = {1, 1, task.attempt};
    offer.pipeline = pipeline_.name;
    offer.version = pipeline_.version;
    offer.step = step.name;
    offer.handler = step.handler;
    offer.queue = step.queue;
    offer.maybe = task.is_maybe;
    offer.payload = order_.payload;
    offer.context = report_.context;
    offer.traceparent = order_.traceparent;
    offer.tracestate = order_.tracestate;
    add_results(index, offer);
    return run;
  }

  /// Results of the steps that this one depends on, directly or not.
  void add_results(StepIndex index, wire::Offer& offer) const {
    std::vector<bool> is_before(tasks_.size());
    std::vector<StepIndex> open{index};
    while (!open.empty()) {
      const StepIndex last = open.back();
      open.pop_back();
      for (const StepIndex before : pipeline_.steps[last].after) {
        if (is_before[before]) continue;
        is_before[before] = true;
        open.push_back(before);
      }
    }
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (is_before[i]) offer.results.push_back({pipeline_.steps[i].name, 0, tasks_[i].result});
    }
  }

  void end(StepIndex index, Ending& ending) {
    TaskState& task = tasks_[index];
    if (task.state != TaskState::State::kOpen) return;
    note(pipeline_.steps[index].name + " attempt " + std::to_string(task.attempt) + ": " +
         std::string(to_string(ending.outcome)) +
         (ending.error.empty() ? "" : ": " + ending.error));
    switch (ending.outcome) {
      case Outcome::kSucceeded: return succeed(index, ending);
      case Outcome::kSnooze:
        return at(now_ + std::max(ending.delay, Millis{1}), index, std::nullopt);
      case Outcome::kPermanent:
        report_.steps[index].error = ending.error;
        close(index, TaskState::State::kFailed);
        return stop(TaskState::State::kCancelled);
      case Outcome::kUnknown: task.is_maybe = true; return retry(index, ending);
      case Outcome::kTransient: return retry(index, ending);
    }
  }

  void succeed(StepIndex index, Ending& ending) {
    if (!ending.context.empty()) {
      auto merged = merge_context(report_.context, ending.context);
      if (!merged) {
        ending.error = merged.error().message;
        return retry(index, ending);
      }
      report_.context = std::move(*merged);
    }
    tasks_[index].result = ending.result;
    report_.steps[index].result = std::move(ending.result);
    close(index, TaskState::State::kSucceeded);
    for (const StepIndex next : pipeline_.steps[index].before) {
      const auto& after = pipeline_.steps[next].after;
      const bool is_open = std::all_of(after.begin(), after.end(), [&](StepIndex before) {
        return tasks_[before].state == TaskState::State::kSucceeded;
      });
      if (is_open && tasks_[next].state == TaskState::State::kPending) open(next);
    }
  }

  void retry(StepIndex index, const Ending& ending) {
    const RetryPolicy& policy = pipeline_.steps[index].retry;
    TaskState& task = tasks_[index];
    report_.steps[index].failures = ++task.failures;
    report_.steps[index].error = ending.error;
    if (task.failures >= static_cast<std::uint32_t>(policy.attempts)) {
      note(pipeline_.steps[index].name + " is parked");
      return close(index, TaskState::State::kParked);
    }
    at(now_ + std::max(ending.delay, retry_delay(policy, task.failures, random_)), index,
       std::nullopt);
  }

  void close(StepIndex index, TaskState::State state) {
    tasks_[index].state = state;
    report_.steps[index].ended_at = since_start(now_);
  }

  /// The order ends as failed: what is open goes.
  void stop(TaskState::State state) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const bool is_open = tasks_[i].state == TaskState::State::kOpen;
      if (is_open || tasks_[i].state == TaskState::State::kParked) {
        close(static_cast<StepIndex>(i), state);
      }
    }
    has_failed_ = true;
    is_over_ = true;
  }

  void note(const std::string& what) {
    report_.timeline.push_back(std::to_string(since_start(now_).count()) + " ms " + what);
  }

  Report finish() {
    const auto any = [&](TaskState::State state) {
      return std::any_of(tasks_.begin(), tasks_.end(),
                         [&](const TaskState& task) { return task.state == state; });
    };
    for (std::size_t i = 0; i < tasks_.size(); ++i)
      report_.steps[i].state = word_of(tasks_[i].state);
    report_.status = has_failed_                      ? "failed"
                     : !report_.problem.empty()       ? "running"
                     : any(TaskState::State::kParked) ? "parked"
                                                      : "succeeded";
    report_.elapsed = since_start(now_);
    return std::move(report_);
  }

  const Pipeline& pipeline_;
  const Handlers& handlers_;
  const std::map<std::string, std::function<std::chrono::milliseconds(std::uint32_t)>>& times_;
  const TestOrder& order_;
  Random random_;
  OrderId id_;
  Steady now_{};
  std::vector<TaskState> tasks_;
  std::priority_queue<Moment, std::vector<Moment>, std::greater<>> moments_;
  std::uint64_t numbers_ = 0;
  std::uint32_t attempts_ = 0;
  bool is_over_ = false;
  bool has_failed_ = false;
  Report report_;
};

}  // namespace

HandlerReport run_handler(const Handler& handler, const TestTask& task) {
  HandlerReport report;
  Handlers handlers;
  handlers.by_name[task.step] = handler;
  auto run = std::make_shared<Run>();
  run->timeout_at = Steady{} + task.timeout;
  run->world = std::make_shared<RunWorld>(RunWorld{
      [&](worker::RunNote note) { report.notes.push_back(std::move(note.note)); },
      [] { return Steady{}; },
      [&](log::Level level, std::string_view message, const wire::Offer&) {
        report.lines.push_back(std::string(log::to_string(level)) + ' ' + std::string(message));
      }});
  wire::Offer& offer = run->offer;
  offer.key.order = OrderId::make(kOrderMs, 0, 1);
  offer.key.kind = task.is_compensation ? TaskKind::kCompensate : TaskKind::kForward;
  offer.fence = {1, 1, task.attempt};
  offer.pipeline = task.pipeline;
  offer.step = offer.handler = offer.queue = task.step;
  offer.maybe = task.is_maybe;
  offer.payload = task.payload;
  offer.context = task.context;
  offer.traceparent = task.traceparent;
  offer.tracestate = task.tracestate;
  for (const auto& [step, result] : task.results) offer.results.push_back({step, 0, result});
  if (task.is_cancelled) run->cancellation.cancel("cancelled");
  report.outcome = to_outcome(handlers.execute(run));
  return report;
}

const StepReport& Report::at(std::string_view step) const {
  static const StepReport kNone;
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const StepReport& each) { return each.step == step; });
  return found == steps.end() ? kNone : *found;
}

/// What brokers run and this kit does not: said at once, never ignored.
static std::vector<Problem> not_played(const Pipeline& pipeline) {
  auto problems = unsupported(pipeline);
  for (const Step& step : pipeline.steps) {
    const char* key = !step.when.empty()       ? "when"
                      : !step.each.empty()     ? "each"
                      : !step.fallback.empty() ? "fallback"
                      : step.optional          ? "optional"
                      : step.async             ? "class: async"
                                               : nullptr;
    if (key == nullptr) continue;
    problems.push_back({step.line, step.column,
                        "step `" + step.name + "`: the test kit does not play `" + key + "`",
                        "test its handler alone, or against `ordo dev`"});
  }
  return problems;
}

PipelineTest::PipelineTest(std::string_view yaml) : state_(std::make_unique<State>()) {
  auto parsed = parse_pipeline(yaml);
  const auto problems = parsed ? not_played(*parsed) : parsed.error();
  if (!problems.empty()) {
    state_->problem = problems.front().to_string("pipeline");
    return;
  }
  state_->pipeline = std::move(*parsed);
}

PipelineTest::~PipelineTest() = default;
PipelineTest::PipelineTest(PipelineTest&&) noexcept = default;
PipelineTest& PipelineTest::operator=(PipelineTest&&) noexcept = default;

PipelineTest& PipelineTest::on(std::string name, Handler handler) {
  state_->handlers.by_name.insert_or_assign(std::move(name), std::move(handler));
  return *this;
}

PipelineTest& PipelineTest::takes(std::string step, std::chrono::milliseconds time) {
  return takes(std::move(step), [time](std::uint32_t) { return time; });
}

PipelineTest& PipelineTest::takes(
    std::string step, std::function<std::chrono::milliseconds(std::uint32_t attempt)> time) {
  state_->times.insert_or_assign(std::move(step), std::move(time));
  return *this;
}

Report PipelineTest::run(const TestOrder& order) const {
  Report broken;
  broken.problem = state_->problem;
  for (const Step& step : state_->pipeline.steps) {
    if (!broken.problem.empty()) break;
    const auto found = state_->handlers.by_name.find(step.handler);
    if (found == state_->handlers.by_name.end() || !found->second) {
      broken.problem = "step `" + step.name + "` has no handler `" + step.handler + "`";
    }
  }
  if (broken.problem.empty() && !order.context.empty()) {
    const auto checked = check_context(order.context, limits::kContextBytes, "context");
    if (!checked) broken.problem = checked.error().message;
  }
  if (!broken.problem.empty()) return broken;
  return Story(state_->pipeline, state_->handlers, state_->times, order).tell();
}

}  // namespace ordo::testkit
