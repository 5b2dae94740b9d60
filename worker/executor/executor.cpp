#include "worker/executor/executor.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <utility>

#include "base/clock.hpp"
#include "base/metric_text.hpp"
#include "worker/executor/bulkhead.hpp"
#include "worker/executor/families.hpp"
#include "worker/executor/http_caller.hpp"
#include "worker/executor/program_runner.hpp"
#include "worker/executor/requests.hpp"

namespace ordo::executor {
namespace {

constexpr std::array<std::string_view, 6> kOutcomes{"succeeded", "transient", "permanent",
                                                    "snooze",    "unknown",   "cancelled"};
constexpr std::size_t kCancelled = 5;

using Counter = std::atomic<std::uint64_t>;

void raise(Counter& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}
std::uint64_t read(const Counter& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

/// A service, or the program of one step: its places, its connections, its numbers.
class Executor::Dependency {
 public:
  explicit Dependency(const Service& its)
      : kind("service"),
        name(its.name),
        bulkhead(its.in_flight),
        called(&its),
        caller(std::make_unique<HttpCaller>(its)) {}
  explicit Dependency(const Step& step)
      : kind("program"), name(step.name), bulkhead(std::get<ProgramStep>(step.action).in_flight) {}

  void count(std::size_t outcome, Micros time) {
    raise(outcomes[outcome]);
    const auto bound =
        std::lower_bound(metrics::kWorkBounds.begin(), metrics::kWorkBounds.end(), time.count());
    raise(took[static_cast<std::size_t>(bound - metrics::kWorkBounds.begin())]);
    raise(micros, static_cast<std::uint64_t>(time.count()));
  }

  const std::string_view kind;
  const std::string name;
  Bulkhead bulkhead;
  const Service* const called = nullptr;
  const std::unique_ptr<HttpCaller> caller;
  std::array<Counter, kOutcomes.size()> outcomes{};
  std::array<Counter, metrics::kWorkBounds.size() + 1> took{};
  Counter micros{0};
  Counter full{0};
};

Executor::Executor(Config config) : config_(std::move(config)) {
  std::signal(SIGPIPE, SIG_IGN);
  for (const Service& service : config_.services) {
    dependencies_.push_back(std::make_unique<Dependency>(service));
  }
  for (const Step& step : config_.steps) {
    if (const auto* const http = std::get_if<HttpStep>(&step.action)) {
      by_step_.push_back(dependencies_[http->service].get());
    } else {
      dependencies_.push_back(std::make_unique<Dependency>(step));
      by_step_.push_back(dependencies_.back().get());
    }
  }
}

Executor::~Executor() = default;

void Executor::add_to(Worker& worker) const {
  for (std::size_t i = 0; i < config_.steps.size(); ++i) {
    worker.on(config_.steps[i].name, handler(i), config_.steps[i].queue);
  }
  worker.options().more_metrics = [this] { return metrics(); };
}

Handler Executor::handler(std::size_t step) const {
  return [this, &step = config_.steps.at(step), dependency = by_step_.at(step)](Task& task) {
    return run(step, *dependency, task);
  };
}

namespace {

struct Ended {
  TaskOutcome outcome;
  bool was_cancelled = false;
};

Ended call_service(const Step& step, const Service& service, HttpCaller& caller, Task& task) {
  const std::string body = body_of(step, task);
  const CancellationToken token = task.cancellation();
  HttpEnd end = caller.call(make_call(step, service, task, body, wall_now()), token);
  if (end.reply) {
    return {outcome_of(*std::move(end.reply), step, service.name, wall_now()), false};
  }
  if (end.was_cancelled) {
    return {unknown("the call of " + service.name + " was ended: " + token.reason()), true};
  }
  std::string text = service.name + ' ' + end.error;
  return {end.was_sent ? unknown(std::move(text)) : transient(std::move(text)), false};
}

Ended run_once(const Step& step, Task& task) {
  const std::string input = body_of(step, task);
  const ProgramRun run = make_run(step, task, input);
  ProgramEnd end = run_program(run, task.cancellation());
  const bool was_cancelled = end.how == ProgramEnd::How::kCancelled;
  return {outcome_of(std::move(end), step), was_cancelled};
}

}  // namespace

TaskOutcome Executor::run(const Step& step, Dependency& dependency, Task& task) const {
  const Steady began = steady_now();
  if (const auto wait = dependency.bulkhead.enter(began)) {
    raise(dependency.full);
    return snooze(*wait);
  }
  Ended ended;
  try {
    ended = dependency.caller ? call_service(step, *dependency.called, *dependency.caller, task)
                              : run_once(step, task);
  } catch (const std::exception& error) {
    // A body that did not fit into memory, say: nothing has been sent then.
    ended.outcome = transient(error.what());
  }
  const Steady now = steady_now();
  dependency.bulkhead.leave(began, now);
  dependency.count(ended.was_cancelled ? kCancelled : static_cast<std::size_t>(ended.outcome.kind),
                   now - began);
  return std::move(ended.outcome);
}

std::string Executor::metrics() const {
  using namespace metrics;
  MetricText text;
  for (const auto& d : dependencies_) {
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      text.count(kExecutorCalls, {d->kind, d->name, kOutcomes[i]}, read(d->outcomes[i]));
    }
  }
  for (const auto& d : dependencies_) {
    std::array<std::uint64_t, kWorkBounds.size() + 1> took{};
    for (std::size_t i = 0; i < took.size(); ++i) took[i] = read(d->took[i]);
    text.histogram(kExecutorCallSeconds, {d->kind, d->name}, took,
                   static_cast<std::int64_t>(read(d->micros)));
  }
  for (const auto& d : dependencies_) {
    text.count(kExecutorInFlight, {d->kind, d->name}, d->bulkhead.used());
  }
  for (const auto& d : dependencies_) {
    text.count(kExecutorPlaces, {d->kind, d->name}, d->bulkhead.places());
  }
  for (const auto& d : dependencies_) text.count(kExecutorFull, {d->kind, d->name}, read(d->full));
  return text.text();
}

}  // namespace ordo::executor
