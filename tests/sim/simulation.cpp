#include "tests/sim/simulation.hpp"

#include <utility>

namespace ordo::sim {

/// How long, in virtual time, everything may take to come to its end once the faults are over:
/// retries of two seconds, timeouts of four, delays of twelve, several in a row and behind each
/// other in small windows.
constexpr Seconds kLiveness{400};
/// How long credit, waiters and counts may take to come back after the last order has ended.
constexpr Seconds kIdle{40};
/// Steps after which a seed is stuck in a loop.
constexpr std::uint64_t kMostSteps = 3'000'000;

Simulation::Simulation(const Scenario& scenario, bool with_trace)
    : context_(scenario, with_trace), checker_(context_, databases_), network_(context_) {
  for (int shard = 0; shard < scenario.shards; ++shard) {
    databases_.push_back(std::make_unique<MemoryDatabase>(static_cast<ShardNumber>(shard)));
  }
  for (int i = 0; i < scenario.clients; ++i) {
    clients_.push_back(std::make_unique<SimClient>(context_, checker_, network_, i));
  }
  workload_ = std::make_unique<Workload>(context_, checker_, clients_);
  for (int i = 0; i < scenario.workers; ++i) {
    std::vector<std::string> queues;
    for (const auto& queue : workload_->queues()) {
      // The first worker serves every queue, so that nothing waits for ever.
      if (i == 0 || context_.process.chance(0.6)) queues.push_back(queue);
    }
    if (queues.empty()) queues.push_back(workload_->queues().front());
    workers_.push_back(
        std::make_unique<SimWorker>(context_, checker_, network_, i, std::move(queues)));
  }
}

template <class Done> bool Simulation::run_until(Steady end, Done&& done) {
  while (!done()) {
    if (!context_.time.step(end)) return false;
    if (context_.time.steps() > kMostSteps)
      throw Violation("a seed ends", "it runs for ever\n" + state());
  }
  return true;
}

void Simulation::run() {
  set_up();
  start_faults();
  workload_->start();
  run_until(context_.time.now() + context_.scenario.safety, [] { return false; });
  heal();
  settle();
  check_idle();
  checker_.check_end();
}

void Simulation::set_up() {
  context_.is_healed = true;
  if (context_.scenario.broker_skew.count() != 0) context_.coverage.count(Fault::kClockSkewed);
  start_broker();
  for (auto& worker : workers_) worker->start();
  for (auto& client : clients_) client->start();
  workload_->put_pipelines();
  const Steady end = context_.time.now() + Seconds{30};
  if (!run_until(end, [this] { return workload_->is_ready(); })) {
    throw Violation("a healthy system takes pipelines", state());
  }
  context_.is_healed = false;
}

// ---- faults ------------------------------------------------------------------------------------

void Simulation::every(double rate, std::function<void()> action) {
  if (rate <= 0) return;
  context_.time.after(context_.process.next_of(rate), [this, rate, action = std::move(action)] {
    if (context_.is_healed) return;
    action();
    every(rate, action);
  });
}

void Simulation::start_faults() {
  const auto& s = context_.scenario;
  network_.start_faults();
  every(s.broker_crash_rate, [this] { crash_broker(); });
  every(s.broker_freeze_rate, [this] { freeze_broker(); });
  every(s.terminate_rate * s.shards, [this] { terminate_session(); });
  every(s.down_rate * s.shards, [this] { take_database_down(); });
  const auto some_worker = [this]() -> SimWorker& {
    return *workers_[context_.process.below(workers_.size())];
  };
  every(s.worker_crash_rate * s.workers, [this, some_worker] {
    context_.coverage.count(Fault::kWorkerCrashed);
    some_worker().crash();
  });
  every(s.worker_freeze_rate * s.workers, [this, some_worker] {
    context_.coverage.count(Fault::kWorkerFrozen);
    some_worker().freeze();
  });
  every(s.worker_drain_rate * s.workers, [this, some_worker] {
    context_.coverage.count(Fault::kWorkerDrained);
    some_worker().drain();
  });
}

void Simulation::start_broker() {
  brokers_.push_back(std::make_unique<SimBroker>(context_, checker_, network_, databases_,
                                                 static_cast<int>(brokers_.size())));
  network_.set_broker(brokers_.back().get());
  brokers_.back()->start();
}

void Simulation::crash_broker() {
  if (!brokers_.back()->is_alive()) return;
  context_.coverage.count(Fault::kBrokerCrashed);
  brokers_.back()->crash();
  context_.time.after(context_.process.between(Millis{20}, Millis{3000}),
                      [this] { start_broker(); });
}

void Simulation::freeze_broker() {
  SimBroker& broker = *brokers_.back();
  if (!broker.takes_connections()) return;
  context_.coverage.count(Fault::kBrokerFrozen);
  broker.freeze();
  const Micros frozen = context_.process.between(Millis{200}, Millis{7000});
  context_.time.after(frozen, [&broker] { broker.thaw(); });
  if (!context_.process.chance(context_.scenario.replaced)) return;
  context_.time.after(context_.process.between(Micros{0}, frozen), [this, &broker] {
    if (broker.is_frozen() && &broker == brokers_.back().get()) replace_broker();
  });
}

/// Somebody starts a second broker beside the frozen one, whose sessions the server has given up.
void Simulation::replace_broker() {
  context_.coverage.count(Fault::kBrokerReplacedWhileFrozen);
  for (auto& database : databases_) database->terminate_owner();
  SimBroker& zombie = *brokers_.back();
  start_broker();
  context_.time.after(context_.process.between(Seconds{1}, Seconds{12}),
                      [&zombie] { zombie.crash(); });
}

void Simulation::terminate_session() {
  context_.coverage.count(Fault::kSessionTerminated);
  databases_[context_.process.below(databases_.size())]->terminate_owner();
}

void Simulation::take_database_down() {
  context_.coverage.count(Fault::kDatabaseDown);
  auto& database = *databases_[context_.process.below(databases_.size())];
  database.terminate_owner();
  context_.down_until[database.shard()] =
      context_.time.now() + context_.process.between(Millis{100}, Millis{5000});
}

// ---- the end -----------------------------------------------------------------------------------

void Simulation::heal() {
  context_.trace([] { return std::string("HEALED"); });
  context_.is_healed = true;
  context_.down_until.clear();
  context_.out_until.clear();
  network_.heal();
  for (auto& broker : brokers_) {
    if (broker != brokers_.back()) broker->crash();
  }
  brokers_.back()->thaw();
  for (auto& worker : workers_) worker->heal();
  workload_->heal();
  for (auto& client : clients_) client->forget_watches();
}

bool Simulation::is_quiet() const {
  for (const auto& client : clients_) {
    if (client->in_flight() != 0) return false;
  }
  return workload_->is_healed() && checker_.all_settled();
}

void Simulation::settle() {
  const Steady end = context_.time.now() + kLiveness;
  // Quiet for a while, not for a moment: a restarting broker may still be on its way.
  while (true) {
    if (!run_until(end, [this] { return is_quiet(); })) {
      throw Violation("everything comes to its end", "still waiting\n" + state());
    }
    const Steady calm = context_.time.now() + Seconds{9};
    if (!run_until(calm, [this] { return !is_quiet(); })) return;
  }
}

/// What the engine still holds although nothing is left to do; empty when all is back.
std::string Simulation::left_over() const {
  const EngineCounts counts = brokers_.back()->counts();
  std::size_t capacity = 0;
  for (const auto& worker : workers_) capacity += worker->is_up() ? worker->capacity() : 0;
  std::string text;
  const auto expect = [&](const char* what, std::size_t is, std::size_t should) {
    if (is == should) return;
    text += std::string(what) + " is " + std::to_string(is) + ", not " + std::to_string(should);
    text += "; ";
  };
  expect("open_shards", counts.open_shards, databases_.size());
  expect("resident_orders", counts.resident_orders, 0);
  expect("ready", counts.ready, 0);
  expect("leased", counts.leased, 0);
  expect("unclaimed", counts.unclaimed, 0);
  expect("writes_in_flight", counts.writes_in_flight, 0);
  expect("waiters", counts.waiters, 0);
  expect("backlog", counts.backlog, 0);
  expect("held", counts.held, 0);
  expect("workers", counts.workers, workers_.size());
  expect("free_slots", counts.free_slots, capacity);
  return text;
}

void Simulation::check_idle() {
  if (!brokers_.back()->is_alive()) throw Violation("the broker lives", state());
  const Steady end = context_.time.now() + kIdle;
  if (run_until(end, [this] { return left_over().empty(); })) return;
  throw Violation("an idle engine holds nothing", left_over() + "\n" + state());
}

std::string Simulation::state() const {
  const SimBroker& broker = *brokers_.back();
  const EngineCounts c = broker.counts();
  std::string text =
      "  broker " + std::to_string(broker.number()) + (broker.is_alive() ? "" : " dead") +
      (broker.is_frozen() ? " frozen" : "") + ": resident " + std::to_string(c.resident_orders) +
      " ready " + std::to_string(c.ready) + " leased " + std::to_string(c.leased) + " held " +
      std::to_string(c.held) + " unclaimed " + std::to_string(c.unclaimed) + " writes " +
      std::to_string(c.writes_in_flight) + " waiters " + std::to_string(c.waiters) + " workers " +
      std::to_string(c.workers) + " free " + std::to_string(c.free_slots) + " backlog " +
      std::to_string(c.backlog) + " shards " + std::to_string(c.open_shards) + "\n";
  for (const auto& worker : workers_) text += "  " + worker->describe_state() + "\n";
  for (const auto& client : clients_) {
    text += "  client with " + std::to_string(client->in_flight()) + " requests in flight\n";
  }
  return text + checker_.who_waits();
}

}  // namespace ordo::sim
