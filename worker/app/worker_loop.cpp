#include "worker/app/worker_loop.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace ordo::worker {
namespace {

/// The longest the loop waits when nothing is due: nothing to do is no reason to look dead.
constexpr Micros kIdle = Seconds{1};
/// Tasks that name a handler which is not registered share these cells.
constexpr std::string_view kUnknown = "unknown";

/// kOff for what is not logged.
log::Level level_of(FactKind kind) {
  switch (kind) {
    case FactKind::kFrameRefused:
    case FactKind::kHung: return log::Level::kError;
    case FactKind::kReconnecting:
    case FactKind::kOverCredit:
    case FactKind::kTimedOut:
    case FactKind::kResultRefused: return log::Level::kWarn;
    case FactKind::kWelcomed:
    case FactKind::kRevoked:
    case FactKind::kDraining:
    case FactKind::kLeft: return log::Level::kInfo;
    case FactKind::kRegranted:
    case FactKind::kHandedBack: return log::Level::kDebug;
    case FactKind::kOfferRefused:
    case FactKind::kOfferRepeated:
    case FactKind::kResultRecorded:
    case FactKind::kResultRepeated:
    case FactKind::kFrameIgnored: break;
  }
  return log::Level::kOff;
}

std::string sentence(FactKind kind) {
  std::string text(to_string(kind));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

/// The loop alone writes: no locked addition is needed.
void raise(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

void set(std::atomic<std::uint64_t>& gauge, std::uint64_t value) {
  gauge.store(value, std::memory_order_relaxed);
}

}  // namespace

LoopCounters::LoopCounters(const Handlers& registered)
    : stamp(steady_now().time_since_epoch().count()) {
  for (const auto& [name, handler] : registered.by_name) places.emplace(name, places.size());
  places.emplace(kUnknown, places.size());
  handlers = std::vector<HandlerCells>(places.size());
}

WorkerLoop::WorkerLoop(Settings settings, Brokers brokers, std::shared_ptr<const Handlers> handlers,
                       std::shared_ptr<const WorkerLog> log)
    : counters_(*handlers),
      links_(static_cast<std::uint32_t>(brokers.endpoints.size())),
      core_(settings),
      log_(std::move(log)),
      sockets_(
          std::make_shared<BrokerSockets>(std::move(brokers.endpoints), std::move(brokers.keys))),
      slots_(
          settings.slots,
          [handlers = std::move(handlers)](const std::shared_ptr<Run>& run) {
            const Steady began = steady_now();
            Ending ending = handlers->execute(run);
            run->took = steady_now() - began;
            return ending;
          },
          [sockets = std::weak_ptr(sockets_)] {
            if (const auto alive = sockets.lock()) alive->wake();
          }),
      world_(std::make_shared<RunWorld>(RunWorld{
          slots_.note_sink(), [] { return steady_now(); },
          [log = log_](log::Level level, std::string_view message, const wire::Offer& offer) {
            if (!log->is_on(level)) return;
            const AttemptFields fields(offer);
            log->write(level, message, {fields.all().begin(), fields.all().end()});
          }})) {}

int WorkerLoop::run() {
  core_.start(now_times(), effects_);
  perform();
  std::vector<Event> events;
  bool is_told_to_drain = false;
  while (!exit_code_) {
    counters_.stamp.store(steady_now().time_since_epoch().count(), std::memory_order_relaxed);
    const auto deadline = core_.next_deadline();
    const Micros patience = deadline ? *deadline - steady_now() : kIdle;
    sockets_->wait(std::min(patience, kIdle), events);
    for (Event& event : events) step(std::move(event));
    events.clear();
    take_basket();
    flush_budgets();
    if (must_drain_.load() && !is_told_to_drain) {
      is_told_to_drain = true;
      step(event::DrainRequested{});
    }
    const auto due = core_.next_deadline();
    if (due && *due <= steady_now()) step(event::TimePassed{});
  }
  sockets_->close();
  return *exit_code_;
}

void WorkerLoop::request_drain() noexcept {
  must_drain_.store(true);
  sockets_->wake();
}

void WorkerLoop::step(Event&& event) {
  core_.step(now_times(), std::move(event), effects_);
  perform();
}

void WorkerLoop::perform() {
  count();
  count_sends();
  for (const LinkIndex link : effects_.connects) {
    const auto dialled = sockets_->dial(link);
    if (!dialled) log_->write(log::Level::kError, dialled.error().message, {});
  }
  for (const Send& send : effects_.sends) sockets_->send(send.link, send.message);
  for (StartRun& start : effects_.starts) begin(start);
  slots_.put(to_put_);
  for (const CancelRun& each : effects_.cancels) cancel(each);
  if (effects_.withdraw) withdraw();
  const bool must_look = effects_.look;
  if (effects_.exit) exit_code_ = effects_.exit;
  effects_.clear();
  // What follows from performing is told to the core as events of their own.
  if (must_look) look();
  if (!dropped_.empty()) step(event::Ended{std::exchange(dropped_, {})});
}

void WorkerLoop::begin(StartRun& start) {
  auto run = std::make_shared<Run>();
  run->id = start.run;
  run->timeout_at = start.timeout_at;
  run->order_ends = start.order_ends;
  run->offer = std::move(start.offer);
  run->world = world_;
  const auto place = static_cast<std::uint32_t>(start.run);
  if (place >= runs_.size()) runs_.resize(std::size_t{place} + 1);
  runs_[place] = run;
  to_put_.push_back(std::move(run));
  raise(counters_.offered);
}

void WorkerLoop::cancel(const CancelRun& cancel) {
  std::shared_ptr<Run>* const run = find(cancel.run);
  if (run == nullptr) return;
  if ((*run)->leave_line(Run::Phase::kDropped)) {
    (*run)->offer = {};  // the line may hold it for long: a slot that finds it passes it over
    dropped_.push_back({cancel.run, false, {}});
    run->reset();
    return;
  }
  (*run)->cancellation.cancel(cancel.reason);
}

void WorkerLoop::withdraw() {
  for (std::shared_ptr<Run>& run : runs_) {
    if (!run || !run->leave_line(Run::Phase::kDropped)) continue;
    run->offer = {};
    dropped_.push_back({run->id, false, {}});
    run.reset();
  }
}

void WorkerLoop::look() {
  event::Looked looked;
  for (const std::shared_ptr<Run>& run : runs_) {
    if (run && run->phase.load() == Run::Phase::kBegun) looked.in_slots.push_back(run->id);
  }
  step(std::move(looked));
}

/// Tells the core what the slots have put into the basket.
void WorkerLoop::take_basket() {
  event::Noted noted{slots_.take_notes()};
  if (!noted.notes.empty()) step(std::move(noted));
  event::Ended ended{slots_.take_ended()};
  if (ended.runs.empty()) return;
  for (const RunEnded& each : ended.runs) {
    std::shared_ptr<Run>* const run = find(each.run);
    if (run == nullptr) continue;
    count_ending(**run, each.ending.outcome);
    log_failure(**run, each.ending);
    run->reset();
  }
  step(std::move(ended));
}

void WorkerLoop::count_ending(const Run& run, Outcome outcome) {
  auto place = counters_.places.find(run.offer.handler);
  if (place == counters_.places.end()) place = counters_.places.find(kUnknown);
  HandlerCells& cells = counters_.handlers[place->second];
  raise(cells.outcomes[static_cast<std::size_t>(outcome)]);
  const auto* const bound =
      std::lower_bound(kHandlerBounds.begin(), kHandlerBounds.end(), run.took.count());
  raise(cells.took[static_cast<std::size_t>(bound - kHandlerBounds.begin())]);
  raise(cells.micros, static_cast<std::uint64_t>(std::max<std::int64_t>(run.took.count(), 0)));
}

void WorkerLoop::count_sends() {
  for (const Send& send : effects_.sends) {
    if (std::holds_alternative<wire::Beat>(send.message)) raise(counters_.beats);
    if (std::holds_alternative<wire::WorkerHello>(send.message)) raise(counters_.hellos);
  }
}

void WorkerLoop::count() {
  for (const Fact& fact : effects_.facts) {
    raise(counters_.facts[static_cast<std::size_t>(fact.kind)]);
    log(fact);
  }
  const WorkerCounts counts = core_.counts();
  set(counters_.hung, counts.hung);
  set(counters_.welcome_links, counts.welcome_links);
  set(counters_.results, counts.results);
  set(counters_.undecodable, sockets_->undecodable());
  counters_.is_draining.store(counts.is_draining, std::memory_order_relaxed);
}

void WorkerLoop::log(const Fact& fact) {
  const log::Level level = level_of(fact.kind);
  if (level == log::Level::kOff || !log_->is_on(level)) return;
  const auto left_out = budgets_[static_cast<std::size_t>(fact.kind)].spend(steady_now());
  if (!left_out) return;
  const Run* const run = fact.key.order.is_zero() ? nullptr : find(fact.key, fact.fence);
  std::optional<AttemptFields> attempt;
  std::vector<log::Field> fields;
  const std::string order = fact.key.order.to_string();
  if (run != nullptr) {
    attempt.emplace(run->offer);
    fields.assign(attempt->all().begin(), attempt->all().end());
  } else if (!fact.key.order.is_zero()) {
    fields = {{"order", order}, {"attempt", fact.fence.attempt}};
  }
  if (!fact.text.empty()) {
    fields.emplace_back(fact.kind == FactKind::kWelcomed ? "broker" : "why", fact.text);
  }
  if (*left_out > 0) fields.emplace_back("left_out", *left_out);
  log_->write(level, sentence(fact.kind), std::move(fields));
}

/// A handler that threw, or answered that it did not work. What worked is not logged.
void WorkerLoop::log_failure(const Run& run, const Ending& ending) {
  if (ending.outcome == Outcome::kSucceeded || ending.outcome == Outcome::kSnooze) return;
  if (!log_->is_on(log::Level::kWarn)) return;
  const auto left_out = budgets_.back().spend(steady_now());
  if (!left_out) return;
  const AttemptFields attempt(run.offer);
  std::vector<log::Field> fields(attempt.all().begin(), attempt.all().end());
  fields.emplace_back("outcome", to_string(ending.outcome));
  if (!ending.reason.empty()) fields.emplace_back("reason", ending.reason);
  fields.emplace_back("error", ending.error);
  if (*left_out > 0) fields.emplace_back("left_out", *left_out);
  log_->write(log::Level::kWarn, "attempt failed", std::move(fields));
}

/// Says what was left out of storms that are over.
void WorkerLoop::flush_budgets() {
  const Steady now = steady_now();
  if (now < flush_at_) return;
  flush_at_ = now + Seconds{1};
  for (std::size_t kind = 0; kind < budgets_.size(); ++kind) {
    const std::uint64_t left_out = budgets_[kind].overdue(now);
    if (left_out == 0) continue;
    const std::string of =
        kind < kFactKinds ? sentence(static_cast<FactKind>(kind)) : "attempt failed";
    log_->write(log::Level::kWarn, "lines left out", {{"of", of}, {"left_out", left_out}});
  }
}

const Run* WorkerLoop::find(const TaskKey& key, const Fence& fence) const {
  for (const std::shared_ptr<Run>& run : runs_) {
    const bool is_it = run && run->offer.key == key && run->offer.fence.attempt == fence.attempt;
    if (is_it) return run.get();
  }
  return nullptr;
}

std::shared_ptr<Run>* WorkerLoop::find(RunId run) {
  const auto place = static_cast<std::uint32_t>(run);
  if (place >= runs_.size() || !runs_[place] || runs_[place]->id != run) return nullptr;
  return &runs_[place];
}

}  // namespace ordo::worker
