#include "worker/app/worker_loop.hpp"

#include <utility>

#include "base/clock.hpp"

namespace ordo::worker {
namespace {

/// The longest the loop waits when nothing is due.
constexpr Micros kIdle = Seconds{60};

bool is_worth_a_line(FactKind kind) {
  switch (kind) {
    case FactKind::kWelcomed:
    case FactKind::kReconnecting:
    case FactKind::kOverCredit:
    case FactKind::kHung:
    case FactKind::kFrameRefused:
    case FactKind::kDraining:
    case FactKind::kLeft: return true;
    case FactKind::kOfferRefused:
    case FactKind::kOfferRepeated:
    case FactKind::kRegranted:
    case FactKind::kRevoked:
    case FactKind::kTimedOut:
    case FactKind::kResultRecorded:
    case FactKind::kResultRefused:
    case FactKind::kResultRepeated:
    case FactKind::kHandedBack:
    case FactKind::kFrameIgnored: return false;
  }
  return false;
}

void raise(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace

WorkerLoop::WorkerLoop(Settings settings, Brokers brokers, std::shared_ptr<const Handlers> handlers,
                       std::function<void(std::string_view)> on_log)
    : core_(settings),
      on_log_(std::move(on_log)),
      sockets_(
          std::make_shared<BrokerSockets>(std::move(brokers.endpoints), std::move(brokers.keys))),
      slots_(
          settings.slots,
          [handlers = std::move(handlers)](const std::shared_ptr<Run>& run) {
            return handlers->execute(run);
          },
          [sockets = std::weak_ptr(sockets_)] {
            if (const auto alive = sockets.lock()) alive->wake();
          }),
      world_(
          std::make_shared<RunWorld>(RunWorld{slots_.note_sink(), [] { return steady_now(); }})) {}

int WorkerLoop::run() {
  core_.start(now_times(), effects_);
  perform();
  std::vector<Event> events;
  bool is_told_to_drain = false;
  while (!exit_code_) {
    const auto deadline = core_.next_deadline();
    const Micros patience = deadline ? *deadline - steady_now() : kIdle;
    sockets_->wait(std::min(patience, kIdle), events);
    for (Event& event : events) step(std::move(event));
    events.clear();
    take_basket();
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
  for (const LinkIndex link : effects_.connects) {
    const auto dialled = sockets_->dial(link);
    if (!dialled) log(dialled.error().message);
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
    raise(counters_.outcomes[static_cast<std::size_t>(each.ending.outcome)]);
    std::shared_ptr<Run>* const run = find(each.run);
    if (run != nullptr) run->reset();
  }
  step(std::move(ended));
}

void WorkerLoop::count() {
  for (const Fact& fact : effects_.facts) {
    raise(counters_.facts[static_cast<std::size_t>(fact.kind)]);
    if (!on_log_ || !is_worth_a_line(fact.kind)) continue;
    std::string line(to_string(fact.kind));
    if (!fact.key.order.is_zero()) line += " order " + fact.key.order.to_string();
    if (!fact.text.empty()) line += ": " + fact.text;
    log(line);
  }
  const WorkerCounts counts = core_.counts();
  counters_.hung.store(static_cast<std::uint32_t>(counts.hung), std::memory_order_relaxed);
  counters_.welcome_links.store(static_cast<std::uint32_t>(counts.welcome_links),
                                std::memory_order_relaxed);
}

void WorkerLoop::log(std::string_view line) const {
  if (on_log_) on_log_(line);
}

std::shared_ptr<Run>* WorkerLoop::find(RunId run) {
  const auto place = static_cast<std::uint32_t>(run);
  if (place >= runs_.size() || !runs_[place] || runs_[place]->id != run) return nullptr;
  return &runs_[place];
}

}  // namespace ordo::worker
