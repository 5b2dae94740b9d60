#include "tests/sim/workload.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace ordo::sim {
namespace {

/// So few that signals meet steps, and each other.
constexpr std::uint64_t kSignalNames = 3;

}  // namespace

Workload::Workload(Context& context, Checker& checker, Clients& clients)
    : context_(context), checker_(checker), clients_(clients) {
  for (int i = 0; i < context.scenario.pipelines; ++i) names_.push_back("p" + std::to_string(i));
  for (int i = 0; i < context.scenario.queues; ++i) queues_.push_back("q" + std::to_string(i));
}

SimClient& Workload::client() { return *clients_[context_.work.below(clients_.size())]; }

void Workload::every(double rate, std::function<void()> action) {
  if (rate <= 0) return;
  context_.time.after(context_.work.next_of(rate), [this, rate, action = std::move(action)] {
    if (context_.is_healed) return;
    action();
    every(rate, action);
  });
}

// ---- pipelines ---------------------------------------------------------------------------------

/// A random DAG: 1 to 8 steps, each after up to three earlier ones, so that chains, diamonds and
/// joins all come.
std::string Workload::draw_pipeline(const std::string& name, std::uint32_t version) {
  auto& chance = context_.work;
  std::string head = "pipeline: " + name + "\nversion: " + std::to_string(version) + "\n";
  if (chance.chance(0.1)) head += "deadline: 30s\n";
  std::string text = "steps:\n";
  std::string restore;
  std::set<std::string> async;
  std::map<std::string, std::string> each;
  const std::uint64_t steps = chance.chance(0.25) ? 1 : 2 + chance.below(7);
  for (std::uint64_t step = 0; step < steps; ++step) {
    std::vector<std::string> after;
    for (std::uint64_t before = 0; before < step && after.size() < 3; ++before) {
      if (chance.chance(1.5 / static_cast<double>(step)))
        after.push_back("s" + std::to_string(before));
    }
    const std::string own = "s" + std::to_string(step);
    const bool is_async =
        std::any_of(after.begin(), after.end(), [&](auto& one) { return async.contains(one); }) ||
        (step != 0 && chance.chance(0.12));
    if (is_async) async.insert(own);
    const bool is_wait = chance.chance(context_.scenario.waits);
    if (is_wait && chance.chance(0.6)) restore = "restore: " + own + "\n";
    text += "  " + own + ": { ";
    text += is_wait ? draw_wait(step) : draw_work();
    if (!after.empty()) {
      text += ", after: [";
      for (const auto& one : after) text += (&one == &after.front() ? "" : ", ") + one;
      text += "]";
    }
    const bool goes_on = after.size() == 1 && each.contains(after.front());
    if (!is_wait && chance.chance(goes_on ? 0.6 : 0.2)) {
      each[own] = goes_on ? each[after.front()] : chance.chance(0.8) ? "list" : "more.list";
      text += ", each: " + each[own];
    }
    text += draw_shape(is_wait) + (is_async ? ", class: async }\n" : " }\n");
    if (has_detour_) {
      text += "  t" + std::to_string(step) + ": { " + draw_work();
      text += is_async ? ", class: async }\n" : " }\n";
    }
    has_detour_ = false;
  }
  return head + restore + text;
}

/// Keys that shape the way: conditions, what may fail, who else is asked.
std::string Workload::draw_shape(bool is_wait) {
  auto& chance = context_.work;
  std::string text;
  if (chance.chance(0.1)) {
    constexpr std::array<std::string_view, 4> kConditions{
        "level == 'gold'", "not (level == 'gold')", "by != 'nobody' or size > 2", "size <= 2"};
    text += ", when: \"" + std::string(kConditions[chance.below(kConditions.size())]) + "\"";
  }
  if (chance.chance(0.15)) text += ", optional: true";
  if (!is_wait && chance.chance(0.12)) {
    text += ", fallback: q" + std::to_string(chance.below(queues_.size()));
  }
  return text;
}

/// The context of an order: lists that are short, empty, too long, or none.
std::string Workload::draw_context() {
  auto& chance = context_.work;
  std::string text = R"({"size":)" + std::to_string(chance.below(5));
  if (chance.chance(0.5)) text += R"(,"level":"gold")";
  if (chance.chance(0.97)) {
    text += R"(,"list":[)";
    for (std::uint64_t left = chance.below(5); left > 0; --left)
      text += R"({"n":1})" + std::string(left > 1 ? "," : "");
    text += "]";
  }
  if (chance.chance(0.95)) text += R"(,"more":{"list":["a","b"]})";
  return text + "}";
}

std::string Workload::draw_work() {
  auto& chance = context_.work;
  std::string text = "queue: q" + std::to_string(chance.below(queues_.size()));
  // The handler bears the name of what it calls: so workers know whether that is out.
  if (chance.chance(context_.scenario.outage_rate > 0 ? 0.7 : 0.2)) {
    const std::string dependency = "d" + std::to_string(chance.chance(0.8) ? 0 : 1);
    text += ", uses: " + dependency + ", handler: " + dependency;
  }
  if (chance.chance(context_.scenario.lines)) text += ", limit_key: size";
  if (chance.chance(context_.scenario.lines)) text += ", fair_by: level";
  text += ", timeout: " + std::to_string(300 + chance.below(4000)) + "ms";
  text += ", retry: { attempts: " + std::to_string(2 + chance.below(4)) +
          ", first: " + std::to_string(20 + chance.below(400)) +
          "ms, factor: 2, cap: 2s, alarm_after: 1 }";
  if (chance.chance(context_.scenario.delays)) {
    text += ", delay: " + std::to_string(20 + chance.below(2000)) + "ms";
  }
  return text + draw_undo();
}

/// Two steps may wait for one signal. The end of a wait's patience fails, skips or leads elsewhere.
std::string Workload::draw_wait(std::uint64_t step) {
  auto& chance = context_.work;
  std::string text = "wait: g" + std::to_string(chance.below(kSignalNames));
  text += ", timeout: " + std::to_string(200 + chance.below(6000)) + "ms";
  const std::uint64_t then = chance.below(3);
  if (then == 1) text += ", on_timeout: skip";
  if (then == 2) text += ", on_timeout: t" + std::to_string(step);
  has_detour_ = then == 2;
  if (chance.chance(0.4)) text += ", late: " + names_[chance.below(names_.size())];
  return text + draw_undo();
}

std::string Workload::draw_undo() {
  auto& chance = context_.work;
  if (chance.chance(context_.scenario.undoes)) {
    return ", compensate: { handler: q" + std::to_string(chance.below(queues_.size())) +
           ", retry: { attempts: " + std::to_string(1 + chance.below(4)) +
           ", first: 50ms, factor: 2, cap: 1s, alarm_after: 1 } }";
  }
  return chance.chance(context_.scenario.irreversible) ? ", irreversible: true" : "";
}

void Workload::put(const std::string& source) {
  clients_.front()->ask(wire::PutPipeline{0, source}, Seconds{20},
                        [this, source](const client::Done& done) {
                          if (!done.error) {
                            ++pipelines_put_;
                          } else if (!is_ready()) {
                            put(source);
                          }
                        });
}

void Workload::put_pipelines() {
  for (const auto& name : names_) put(draw_pipeline(name, 1));
}

// ---- orders ------------------------------------------------------------------------------------

void Workload::start() {
  const auto& s = context_.scenario;
  for (int i = 0; i < s.orders; ++i) {
    context_.time.after(context_.work.between(Micros{0}, Micros{s.safety} * 8 / 10),
                        [this] { submit_one(); });
  }
  every(s.operate_rate, [this] { operate(); });
  every(s.pause_rate, [this] { pause(); });
  every(s.outage_rate, [this] { take_dependency_out(); });
  every(0.03, [this] {
    const auto& name = names_[context_.work.below(names_.size())];
    client().ask(wire::PutPipeline{0, draw_pipeline(name, next_version_++)}, Seconds{5});
  });
}

wire::OrderRequest Workload::draw_order() {
  auto& chance = context_.work;
  const auto& s = context_.scenario;
  wire::OrderRequest order;
  order.pipeline = names_[chance.below(names_.size())];
  order.priority = static_cast<std::uint8_t>(chance.chance(0.5) ? 5 : chance.below(10));
  order.payload = "payload " + std::to_string(++submitted_);
  if (!context_.is_healed && chance.chance(s.culprit)) {
    order.payload.insert(0, "culprit ");
  }
  if (chance.chance(0.05)) order.payload.append(20'000, '.');
  if (chance.chance(0.3)) order.customer = "customer " + std::to_string(chance.below(3));
  order.context = draw_context();
  if (chance.chance(s.delay)) {
    context_.coverage.count(Fault::kDelaySet);
    order.delay_ms = 100 + chance.below(12'000);
  }
  if (chance.chance(s.deadline)) {
    context_.coverage.count(Fault::kDeadlineSet);
    order.deadline_ms = 200 + chance.below(15'000);
  }
  return order;
}

void Workload::submit_one() {
  auto& chance = context_.work;
  const auto& s = context_.scenario;
  wire::OrderRequest order = draw_order();
  if (const auto id = client().draw_id()) order.id = *id;
  if (!order.id.is_zero() && chance.chance(s.same_again)) {
    context_.coverage.count(Fault::kSubmitDoubled);
    context_.time.after(chance.around(Millis{1500}), [this, order] { submit(order, false); });
  }
  if (!order.id.is_zero() && chance.chance(s.other_content)) {
    context_.coverage.count(Fault::kSubmitConflicting);
    wire::OrderRequest other = order;
    other.payload += " (other)";
    context_.time.after(chance.around(Millis{1500}), [this, other] { submit(other, false); });
  }
  if (!order.id.is_zero() && chance.chance(s.cancel)) {
    context_.time.after(chance.around(Millis{2000}), [this, id = order.id] { cancel(id); });
  }
  const bool is_withheld = !order.id.is_zero() && chance.chance(s.withheld);
  if (!order.id.is_zero() && (is_withheld || chance.chance(s.signals))) {
    for (std::uint64_t i = 0; i < 1 + chance.below(4); ++i) {
      context_.time.after(
          chance.around(Millis{2500}),
          [this, id = order.id, pipeline = order.pipeline] { signal(id, pipeline); });
    }
  }
  if (!is_withheld) return submit(std::move(order), true);
  context_.coverage.count(Fault::kOrderWithheld);
  if (chance.chance(0.4)) return;  // lost
  context_.time.after(chance.around(Millis{chance.chance(0.5) ? 3000 : 12'000}),
                      [this, order] { submit(order, true); });
}

void Workload::signal(const OrderId& id, const std::string& pipeline) {
  auto& chance = context_.work;
  wire::Signal signal;
  signal.id = id;
  signal.name = "g" + std::to_string(chance.below(kSignalNames));
  signal.payload = "signal " + std::to_string(++signalled_);
  signal.dedup = "n" + std::to_string(chance.below(3));
  if (chance.chance(0.8)) signal.pipeline = pipeline;
  if (chance.chance(0.2)) signal.context = R"({"signal":true})";
  context_.coverage.count(Fault::kSignalSent);
  client().ask(signal, Seconds{5});
  if (!chance.chance(0.3)) return;
  context_.coverage.count(Fault::kSignalDoubled);
  context_.time.after(chance.around(Millis{800}),
                      [this, signal] { client().ask(signal, Seconds{5}); });
}

void Workload::submit(wire::OrderRequest order, bool is_first) {
  const Micros patience = Millis{500} + context_.work.around(Millis{7000});
  order.traceparent = Ledger::traceparent_of(order.payload);
  client().ask(std::move(order), patience, [this, is_first](const client::Done& done) {
    ++answered_;
    if (!done.error && is_first) follow(done.id);
  });
}

void Workload::follow(const OrderId& id) {
  auto& chance = context_.work;
  const auto& s = context_.scenario;
  if (chance.chance(s.wait)) {
    wire::Wait wait;
    wait.id = id;
    if (chance.chance(0.3)) wait.step = "s" + std::to_string(chance.below(3));
    client().ask(wait, Seconds{20});
  }
  if (chance.chance(s.watch)) client().ask(wire::Watch{0, id, 0}, Seconds{20});
  if (chance.chance(0.1)) ask_something(id);
}

void Workload::ask_something(const OrderId& id) {
  switch (context_.work.below(7)) {
    case 0: return client().ask(wire::Get{0, id}, Seconds{5});
    case 1: return client().ask(wire::Explain{0, id}, Seconds{5});
    case 2: return client().ask(wire::GetQueues{}, Seconds{5});
    case 3: return client().ask(wire::GetWorkers{}, Seconds{5});
    case 4: return client().ask(wire::GetPipelines{}, Seconds{5});
    case 5: {
      const auto shard = static_cast<ShardNumber>(id.shard());
      return client().ask(wire::GetSignals{0, shard}, Seconds{5});
    }
    default: {
      wire::List list;
      list.shard = static_cast<ShardNumber>(id.shard());
      list.what = static_cast<std::uint8_t>(context_.work.below(3));
      list.customer = "customer 1";
      return client().ask(list, Seconds{5});
    }
  }
}

void Workload::cancel(const OrderId& id) {
  if (context_.is_healed) return;
  context_.coverage.count(Fault::kCancelled);
  client().ask(wire::Cancel{0, id, "sim", "changed its mind"}, Seconds{5});
}

void Workload::operate() {
  auto& chance = context_.work;
  const bool aims = chance.chance(0.8);
  const auto ids = aims ? checker_.parked_orders() : checker_.known_orders();
  if (ids.empty()) return;
  wire::Operate verb;
  verb.id = ids[chance.below(ids.size())];
  const auto steps = checker_.parked_steps(verb.id);
  verb.step = "s0";
  if (!steps.empty()) {
    std::tie(verb.step, verb.branch, verb.kind) = steps[chance.below(steps.size())];
  }
  verb.verb = static_cast<std::uint8_t>(chance.below(4));
  verb.result = "by hand";
  verb.who = "sim";
  verb.why = "tries it";
  context_.coverage.count(Fault::kOperated);
  client().ask(verb, Seconds{5});
}

void Workload::take_dependency_out() {
  context_.coverage.count(Fault::kOutage);
  const std::string dependency = context_.work.chance(0.8) ? "d0" : "d1";
  const Micros span = context_.work.between(Seconds{1}, Seconds{14});
  context_.trace([&] { return "OUT is " + dependency; });
  context_.out_until[dependency] = context_.time.now() + span;
}

void Workload::pause() {
  context_.coverage.count(Fault::kQueuePaused);
  const std::string queue = queues_[context_.work.below(queues_.size())];
  client().ask(wire::SetQueue{0, queue, true, "sim", "a break"}, Seconds{5});
  context_.time.after(context_.work.between(Millis{200}, Millis{5000}),
                      [this, queue] { resume(queue, false); });
}

// ---- the liveness phase ------------------------------------------------------------------------

void Workload::resume(const std::string& queue, bool must) {
  if (context_.is_healed && !must) return;
  clients_.front()->ask(wire::SetQueue{0, queue, false, "sim", "back to work"}, Seconds{5},
                        [this, queue, must](const client::Done& done) {
                          // A queue that no pipeline has mentioned yet is not known and cannot be
                          // paused.
                          const bool is_done = !done.error || done.error->code == Code::kNotFound;
                          if (must && is_done) ++resumed_;
                          if (must && !is_done) resume(queue, true);
                        });
}

void Workload::heal() {
  // A pause that was asked for before may still arrive: the last word comes after it.
  context_.time.after(Seconds{6}, [this] {
    for (const auto& queue : queues_) resume(queue, true);
  });
  if (context_.scenario.operator_mends) mend();
}

void Workload::mend() {
  for (const auto& id : checker_.parked_orders()) {
    for (const auto& [step, branch, kind] : checker_.parked_steps(id)) {
      wire::Operate verb;
      verb.id = id;
      verb.step = step;
      verb.branch = branch;
      verb.kind = kind;
      verb.who = "sim";
      verb.why = "mends it";
      client().ask(verb, Seconds{2}, [this, verb](const client::Done& done) mutable {
        if (!done.error || done.error->reason != "not_parked") return;
        verb.verb = static_cast<std::uint8_t>(wire::Verb::kSkip);  // it waits for a signal
        client().ask(verb, Seconds{2});
      });
    }
  }
  context_.time.after(Seconds{3}, [this] { mend(); });
}

}  // namespace ordo::sim
