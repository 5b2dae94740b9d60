#include "tests/sim/sim_worker.hpp"

#include <algorithm>
#include <utility>

namespace ordo::sim {

SimWorker::SimWorker(Context& context, Checker& checker, Network& network, int number,
                     std::vector<std::string> queues)
    : context_(context), checker_(checker), network_(network), number_(number) {
  settings_.name = "w" + std::to_string(number);
  settings_.version = "sim";
  settings_.queues = std::move(queues);
  settings_.slots = static_cast<std::uint32_t>(1 + context.process.below(4));
  settings_.take_ahead = static_cast<std::uint32_t>(context.process.below(4));
  settings_.drain_timeout = Millis{3000};
  settings_.hang_grace = Millis{4000};
}

void SimWorker::start() {
  ++life_;
  if (!context_.is_planted("PB-25") || life_ == 1) {
    for (auto& byte : settings_.session) byte = static_cast<std::uint8_t>(context_.process.next());
  }
  core_ = std::make_unique<worker::WorkerCore>(settings_);
  context_.trace([&] { return "WORKER " + settings_.name + " starts"; });
  worker::Effects effects;
  core_->start(now(), effects);
  perform(effects);
  arm();
}

void SimWorker::crash() {
  if (core_ == nullptr) return;
  context_.trace([&] { return "WORKER " + settings_.name + " CRASHES"; });
  if (context_.is_planted("PB-25")) remember_token();
  core_.reset();
  ++life_;
  is_frozen_ = false;
  inbox_.clear();
  line_.clear();
  running_.clear();
  tick_at_ = Steady::max();
  ++tick_round_;
  network_.hang_up(*this);
  later(context_.process.between(Millis{100}, Millis{3000}), [this] { start(); });
}

void SimWorker::freeze() {
  if (core_ == nullptr) return;
  is_frozen_ = true;
  context_.trace([&] { return "WORKER " + settings_.name + " FREEZES"; });
  later(context_.process.between(Millis{500}, Millis{9000}), [this] { thaw(); });
}

void SimWorker::thaw() {
  if (!is_frozen_) return;
  is_frozen_ = false;
  context_.trace([&] { return "WORKER " + settings_.name + " thaws"; });
  auto waiting = std::exchange(inbox_, {});
  for (auto& event : waiting) post(std::move(event));
  arm();
}

void SimWorker::drain() { post(worker::event::DrainRequested{}); }

void SimWorker::heal() {
  thaw();
  std::vector<worker::RunId> hanging;
  for (const auto& [run, state] : running_) hanging.push_back(run);
  for (const auto run : hanging) {
    later(context_.handler.between(Millis{10}, Millis{500}),
          [this, run] { finish(run, Outcome::kTransient); });
  }
}

void SimWorker::connected() { post(worker::event::Connected{0}); }
void SimWorker::disconnected() { post(worker::event::Disconnected{0}); }
void SimWorker::received(wire::Message message) {
  post(worker::event::Received{0, std::move(message)});
}

void SimWorker::later(Micros delay, std::function<void()> action) {
  context_.time.after(delay, [this, life = life_, action = std::move(action)] {
    if (life == life_) action();
  });
}

void SimWorker::post(worker::Event&& event) {
  if (core_ == nullptr) return;
  inbox_.push_back(std::move(event));
  if (is_frozen_ || is_stepping_) return;
  is_stepping_ = true;
  const std::uint64_t life = life_;
  while (life == life_ && !inbox_.empty()) {
    worker::Event next = std::move(inbox_.front());
    inbox_.pop_front();
    step(std::move(next));
  }
  is_stepping_ = false;
  if (life == life_) arm();
}

void SimWorker::step(worker::Event&& event) {
  worker::Effects effects;
  core_->step(now(), std::move(event), effects);
  perform(effects);
}

void SimWorker::perform(worker::Effects& effects) {
  for (const auto& fact : effects.facts) {
    context_.trace([&] {
      return "    " + settings_.name + " " + std::string(worker::to_string(fact.kind)) + " " +
             fact.text;
    });
  }
  if (!effects.connects.empty()) network_.dial(*this, Send::To::kWorker);
  for (auto& one : effects.sends) send(std::move(one.message));
  for (auto& start : effects.starts) line_.push_back({start.run, std::move(start.offer), 0});
  for (const auto& one : effects.cancels) cancel(one);
  if (effects.withdraw) withdraw();
  if (effects.look) {
    worker::event::Looked looked;
    for (const auto& [run, state] : running_) looked.in_slots.push_back(run);
    post(std::move(looked));
  }
  if (effects.exit) {
    context_.trace([&] {
      return "WORKER " + settings_.name + " leaves with " + std::to_string(*effects.exit);
    });
    // Its goodbye is on its way; a real process flushes its sockets before it ends.
    later(Millis{200}, [this] { crash(); });
    return;
  }
  begin_more();
}

void SimWorker::arm() {
  if (core_ == nullptr || is_frozen_) return;
  const auto deadline = core_->next_deadline();
  if (!deadline) return;
  const Steady at = std::max(*deadline, context_.time.now() + Micros{200});
  if (tick_at_ > context_.time.now() && tick_at_ <= at) return;
  tick_at_ = at;
  context_.time.at(at, [this, round = ++tick_round_] {
    if (round != tick_round_) return;
    tick_at_ = Steady::max();
    if (!is_frozen_) post(worker::event::TimePassed{});
  });
}

// ---- handlers ----------------------------------------------------------------------------------

SimWorker::Plan SimWorker::plan(const wire::Offer& offer) {
  auto& chance = context_.handler;
  const auto& s = context_.scenario;
  Plan plan;
  plan.time = Micros{500} + chance.around(s.run);
  if (context_.is_healed) {
    plan.time = std::min(plan.time, Micros{Millis{200}});
    if (chance.chance(0.02)) plan.outcome = Outcome::kPermanent;
    return plan;
  }
  if (context_.is_out(offer.handler)) {
    plan.outcome = chance.chance(0.2) ? Outcome::kUnknown : Outcome::kTransient;
    return plan;
  }
  // Poison sticks to its task: every worker that touches it goes down.
  Random poison(std::hash<TaskKey>{}(offer.key) ^ s.seed);
  if (s.crash > 0 && poison.chance(s.crash)) {
    plan.crashes = true;
  } else if (context_.fault(chance, s.hang, Fault::kHandlerHangs)) {
    plan.hangs = true;
  } else if (chance.chance(s.transient)) {
    plan.outcome = chance.chance(0.2) ? Outcome::kUnknown : Outcome::kTransient;
  } else if (chance.chance(s.permanent)) {
    plan.outcome = Outcome::kPermanent;
  } else if (chance.chance(s.snooze)) {
    plan.outcome = Outcome::kSnooze;
  }
  if (chance.chance(s.slow)) plan.time += Millis{static_cast<std::int64_t>(offer.timeout_ms)};
  return plan;
}

void SimWorker::begin_more() {
  while (!line_.empty() && running_.size() < settings_.slots) {
    Run run = std::move(line_.front());
    line_.pop_front();
    run.execution = checker_.ledger.begin(run.offer.key, run.offer.fence);
    const Plan its_plan = plan(run.offer);
    const auto id = run.run;
    context_.trace([&] {
      return "    " + settings_.name + " begins " + describe(run.offer.key) + "@" +
             describe(run.offer.fence) + " as x" + std::to_string(run.execution);
    });
    running_.emplace(id, std::move(run));
    if (its_plan.hangs) continue;
    if (its_plan.crashes) {
      later(its_plan.time, [this] {
        if (is_frozen_) return;
        context_.coverage.count(Fault::kHandlerCrashesWorker);
        crash();
      });
      continue;
    }
    later(its_plan.time, [this, id, its_plan] { finish(id, its_plan.outcome); });
  }
}

void SimWorker::finish(worker::RunId id, Outcome outcome) {
  if (is_frozen_) {  // the handler is as frozen as its process
    later(Millis{300}, [this, id, outcome] { finish(id, outcome); });
    return;
  }
  const auto it = running_.find(id);
  if (it == running_.end()) return;
  worker::Ending ending;
  ending.outcome = outcome;
  checker_.ledger.end(it->second.execution, outcome);
  if (outcome == Outcome::kSucceeded) {
    ending.result = Ledger::result_of(it->second.execution);
    if (!context_.is_healed && context_.handler.chance(context_.scenario.culprit / 2)) {
      ending.result.insert(0, "culprit ");
    }
    if (context_.handler.chance(0.2)) ending.context = R"({"by":")" + ending.result + R"("})";
    if (context_.handler.chance(0.1)) ending.context = R"({"list":[1,2,3],"level":null})";
  } else if (outcome == Outcome::kSnooze) {
    ending.delay = Millis{static_cast<std::int64_t>(10 + context_.handler.below(2000))};
  } else {
    ending.error = "went wrong";
    ending.reason = "because";
  }
  running_.erase(it);
  post(worker::event::Ended{{{id, true, std::move(ending)}}});
}

void SimWorker::cancel(const worker::CancelRun& cancel) {
  const auto waiting = std::find_if(line_.begin(), line_.end(),
                                    [&](const Run& run) { return run.run == cancel.run; });
  if (waiting != line_.end()) {
    line_.erase(waiting);
    post(worker::event::Ended{{{cancel.run, false, {}}}});
    return;
  }
  if (!running_.contains(cancel.run) || context_.handler.chance(0.3)) return;  // deaf to it
  later(context_.handler.between(Millis{1}, Millis{100}),
        [this, run = cancel.run] { finish(run, Outcome::kTransient); });
}

void SimWorker::withdraw() {
  worker::event::Ended ended;
  for (const Run& run : std::exchange(line_, {})) ended.runs.push_back({run.run, false, {}});
  if (!ended.runs.empty()) post(std::move(ended));
}

// ---- what it says, and what it should not -------------------------------------------------------

void SimWorker::send(wire::Message message) {
  if (auto* results = std::get_if<wire::Results>(&message)) add_lie(*results);
  if (context_.is_planted("PB-25")) reuse_token(message);
  network_.send_to_broker(*this, std::move(message));
}

/// An answer under a fence that the task once had, or that lies an epoch back. Nobody may believe
/// it.
void SimWorker::add_lie(wire::Results& results) {
  auto& chance = context_.network;
  if (results.items.empty() || context_.is_healed || !chance.chance(context_.scenario.wrong_fence))
    return;
  wire::TaskResult lie = results.items[chance.below(results.items.size())];
  const auto* newest = checker_.ledger.grant(lie.key);
  if (newest == nullptr) return;
  if (lie.fence == newest->current || newest->offers.contains(lie.fence)) {
    if (lie.fence.epoch > 1 && chance.chance(0.5)) {
      --lie.fence.epoch;
    } else if (lie.fence.attempt > 1) {
      --lie.fence.attempt;
    } else {
      return;
    }
    if (newest->offers.contains(lie.fence)) return;  // the very grant, before it was taken over
  }
  lie.outcome = static_cast<std::uint8_t>(Outcome::kSucceeded);
  lie.result = "a lie";
  context_.coverage.count(Fault::kWrongFence);
  results.items.push_back(std::move(lie));
}

/// PB-25: the process writes down which attempts it holds …
void SimWorker::remember_token() {
  token_.clear();
  forged_.clear();
  for (const auto& [id, run] : running_) {
    const auto fence = core_->fence_of(run.offer.key);
    if (!fence) continue;
    token_.push_back({run.offer.key, *fence, true});
    wire::TaskResult result;
    result.key = run.offer.key;
    result.fence = *fence;
    result.result = Ledger::result_of(run.execution);
    forged_.push_back(std::move(result));
  }
}

/// … and its next life goes on as if it had finished them.
void SimWorker::reuse_token(wire::Message& message) {
  auto* hello = std::get_if<wire::WorkerHello>(&message);
  if (hello == nullptr || token_.empty()) return;
  for (const auto& held : std::exchange(token_, {})) hello->held.push_back(held);
  later(Millis{50}, [this] {
    if (!forged_.empty()) network_.send_to_broker(*this, wire::Results{std::exchange(forged_, {})});
  });
}

std::string SimWorker::describe_state() const {
  if (core_ == nullptr) return settings_.name + " is down";
  const auto counts = core_->counts();
  return settings_.name + " open " + std::to_string(counts.open) + " results " +
         std::to_string(counts.results) + " fenced " + std::to_string(counts.fenced) + " links " +
         std::to_string(counts.welcome_links) + " running " + std::to_string(running_.size()) +
         " in line " + std::to_string(line_.size()) + (counts.is_draining ? " draining" : "");
}

}  // namespace ordo::sim
