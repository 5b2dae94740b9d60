#include "monitoring/health/health_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace ordo::health {

HealthBook::HealthBook(std::string system, std::string broker, Thresholds thresholds)
    : system_(std::move(system)), broker_(std::move(broker)), thresholds_(thresholds) {}

/// Facts that say nothing about health are passed over.
void HealthBook::observe(const Fact& fact) {
  using enum FactKind;
  if (fact.kind == kTaskEnded) {
    ended(fact, fact.text == "transient" || fact.text == "unknown", true);
  } else if (fact.kind == kOrderAccepted || fact.kind == kOrderDuplicate) {
    submits_.call(fact.took, false);
  } else if (fact.kind == kBusy) {
    ++busy_;
    busy_why_ = fact.text;
  } else if (fact.kind == kDependencyState) {
    breakers_[*fact.dependency] = fact.text;
  } else if (fact.kind == kTaskTimedOut) {
    ended(fact, true, false);
  } else if (fact.kind == kWriteRejected) {
    shards_[fact.shard].commits.fail();
  } else if (fact.kind == kShardOpened || fact.kind == kShardLost || fact.kind == kShardRefused) {
    shard_changed(fact);
  } else if (fact.kind == kWorkerJoined || fact.kind == kWorkerResynced) {
    workers_[fact.worker] = fact.text;
    lost_.erase(fact.text);
    if (fact.kind == kWorkerJoined) joined_.push_back(fact.text);
  } else if (fact.kind == kWorkerLost || fact.kind == kWorkerLeft) {
    if (fact.kind == kWorkerLost) lost_[fact.text] = {{}, queues_of_[fact.text]};
    if (fact.kind == kWorkerLeft) lost_.erase(fact.text);
    workers_.erase(fact.worker);
    std::erase_if(steps_, [&](const auto& one) { return one.first.worker == fact.worker; });
  }
}

void HealthBook::shard_changed(const Fact& fact) {
  Shard& shard = shards_[fact.shard];
  shard.is_open = fact.kind == FactKind::kShardOpened;
  shard.is_elsewhere = fact.kind == FactKind::kShardRefused && fact.count == 1;
  shard.why = fact.text;
}

void HealthBook::ended(const Fact& fact, bool is_error, bool is_timed) {
  if (fact.worker == 0) return;
  const auto count = [&](InterfaceWatch& watch) {
    if (is_timed) {
      watch.call(fact.took, is_error);
    } else {
      watch.fail();
    }
  };
  Step& step = steps_[{fact.worker, fact.pipeline, fact.step}];
  count(step.calls);
  step.dependency = fact.dependency;
  if (fact.dependency == nullptr) return;
  UsingStep& use = dependencies_[fact.dependency];
  if (use.name.empty()) use.name = *fact.pipeline + "." + *fact.step;
  count(use.calls);
}

Node& HealthBook::add(Tree& tree, NodeType type, std::string app, std::string name, Verdict found) {
  Node node{.type = type, .app = std::move(app), .name = std::move(name)};
  NodeWatch& watch = watches_[node.id()];
  node.verdict = watch.settle(std::move(found), tree.at);
  node.since = watch.since();
  return tree.nodes.emplace_back(std::move(node));
}

Tree HealthBook::sample(const Sample& sample) {
  Tree tree{.system = system_, .at = sample.at};
  add_clients(tree, sample);
  add_broker(tree);
  add_shards(tree, sample);
  add_queues(tree, sample);
  add_workers(tree, sample);
  add_lost(tree, sample);
  add_dependencies(tree);
  mark_root_causes(tree);
  std::set<std::string> shown;
  for (const Node& node : tree.nodes) shown.insert(node.id());
  std::erase_if(watches_, [&](const auto& one) { return !shown.contains(one.first); });
  return tree;
}

void HealthBook::add_broker(Tree& tree) {
  Verdict found = submits_.tick(thresholds_);
  found.interface = found.colour == Colour::kGreen ? "" : "submit";
  if (const auto busy = std::exchange(busy_, 0); busy > 0) {
    Verdict full{.colour = Colour::kYellow, .reason = Reason::kOverLimit, .interface = "submit"};
    full.text = fmt::format("It sends orders away ({} in a second): {}.", busy, busy_why_);
    full.value = static_cast<double>(busy);
    full.unit = "calls";
    found = worse(found, full);
  }
  add(tree, NodeType::kBroker, "broker", broker_, std::move(found));
}

/// What its sessions were answered since the second before, by the clients' names.
void HealthBook::count_clients(const Sample& sample) {
  const auto before = std::exchange(sessions_, {});
  for (auto& [name, client] : clients_) client.is_here = false;
  for (const ClientCounts& now : sample.clients) {
    std::string name = now.name.empty() ? "unnamed" : now.name;
    if (!clients_.contains(name) && clients_.size() >= kClientsShown) name = "others";
    Client& client = clients_[name];
    client.is_here = true;
    const auto known = before.find(now.session);
    // A session that said hello again counts from zero.
    const bool goes_on = known != before.end() && known->second.answers <= now.answers;
    const ClientCounts was = goes_on ? known->second : ClientCounts{};
    client.answers.add({now.answers - was.answers, now.failed - was.failed, 0, Micros{0}});
    client.busy += now.busy - was.busy;
    sessions_[now.session] = now;
  }
  std::erase_if(clients_, [](const auto& one) { return !one.second.is_here; });
}

void HealthBook::add_clients(Tree& tree, const Sample& sample) {
  count_clients(sample);
  for (auto& [name, client] : clients_) {
    Verdict found = client.answers.tick(thresholds_);
    if (const auto busy = std::exchange(client.busy, 0); busy > 0) {
      Verdict full{.colour = Colour::kYellow, .reason = Reason::kOverLimit};
      full.text = fmt::format("It is sent away as too busy ({} times in a second).", busy);
      full.value = static_cast<double>(busy);
      full.unit = "calls";
      found = worse(found, full);
    }
    found.interface = found.colour == Colour::kGreen ? "" : "answers";
    const Node& node = add(tree, NodeType::kClient, name, name, std::move(found));
    tree.edges.push_back({node.id(), "broker/" + broker_});
  }
}

void HealthBook::add_shards(Tree& tree, const Sample& sample) {
  for (const auto& [number, totals] : sample.commits) {
    Shard& shard = shards_[number];
    const std::uint64_t commits = totals.commits - shard.seen.commits;
    shard.commits.add({commits, 0, commits, totals.time - shard.seen.time});
    shard.seen = totals;
    Verdict found = shard.commits.tick(thresholds_);
    found.interface = found.colour == Colour::kGreen ? "" : "commit";
    if (totals.asked != Steady{}) {
      found = worse(found, judge_session(sample.now - totals.asked, thresholds_));
    }
    const auto pulse = sample.pulses.find(number);
    if (pulse != sample.pulses.end()) {
      found = worse(found, judge_pulse(pulse->second, sample.now, thresholds_));
    }
    if (shard.is_open) {
      shard.was_open = true;
    } else if (!shard.was_open && ++shard.ticks <= kOpeningTicks) {
      found = {.colour = Colour::kUnknown, .reason = Reason::kClosed};
      found.text = "The broker is about to take it.";
    } else if (shard.is_elsewhere) {
      found = {.colour = Colour::kUnknown, .reason = Reason::kClosed};
      found.text = "Another broker owns it, and knows how it is.";
    } else if (found.colour != Colour::kRed) {
      found = {.colour = Colour::kRed, .reason = Reason::kClosed};
      found.text = "The broker does not own it: " + shard.why + ".";
    }
    const Node& node =
        add(tree, NodeType::kShard, "shard", std::to_string(number), std::move(found));
    tree.edges.push_back({"broker/" + broker_, node.id()});
  }
}

void HealthBook::add_queues(Tree& tree, const Sample& sample) {
  for (const wire::QueueView& view : sample.queues) {
    QueueSignal signal;
    signal.waiting = view.ready + view.backlog;
    signal.workers = view.workers;
    signal.oldest = Millis{view.oldest_ms};
    signal.is_paused = view.paused;
    const Node& node =
        add(tree, NodeType::kQueue, view.queue, view.queue, judge_queue(signal, thresholds_));
    tree.edges.push_back({"broker/" + broker_, node.id()});
  }
}

/// The worst interface of each worker, by its name.
std::map<std::string, Verdict> HealthBook::judge_steps() {
  std::map<std::string, Verdict> worst;
  for (auto& [at, step] : steps_) {
    Verdict found = step.calls.tick(thresholds_);
    const auto known = workers_.find(at.worker);
    if (found.colour == Colour::kGreen || known == workers_.end()) continue;
    found.interface = *at.pipeline + "." + *at.step;
    Verdict& shown = worst[known->second];
    // Of two alike the one with the smaller name, so that the text does not jump.
    const bool is_alike = found.colour == shown.colour && found.interface < shown.interface;
    if (found.colour > shown.colour || is_alike) shown = std::move(found);
  }
  return worst;
}

void HealthBook::add_workers(Tree& tree, const Sample& sample) {
  auto steps = judge_steps();
  std::map<std::string, const wire::WorkerView*> by_name;
  for (const wire::WorkerView& view : sample.workers) {
    const wire::WorkerView*& shown = by_name[view.name];
    if (shown == nullptr || view.silent_ms > shown->silent_ms) shown = &view;
  }
  queues_of_.clear();
  for (const auto& [name, view] : by_name) {
    const Verdict silence = worse(judge_silence(Millis{view->silent_ms}, thresholds_),
                                  judge_hung(view->hung, view->slots));
    const std::string app = view->queues.empty() ? "worker" : view->queues.front();
    const Node& node = add(tree, NodeType::kWorker, app, name, worse(silence, steps[name]));
    for (const std::string& queue : view->queues) {
      tree.edges.push_back({"queue/" + queue, node.id()});
    }
    queues_of_[name] = view->queues;
  }
}

/// A worker that came for a queue replaces one that was lost there: the pool is whole again,
/// whatever the new one is called.
void HealthBook::forget_replaced() {
  for (const std::string& name : std::exchange(joined_, {})) {
    const auto& queues = queues_of_[name];
    const auto replaced = std::find_if(lost_.begin(), lost_.end(), [&](const auto& one) {
      return one.second.at != Steady{} && one.second.queues == queues;
    });
    if (replaced != lost_.end()) lost_.erase(replaced);
  }
}

/// Workers that fell silent and were given up: gone from the engine, and still the reason why their
/// queues are short of slots.
void HealthBook::add_lost(Tree& tree, const Sample& sample) {
  forget_replaced();
  for (auto& [name, lost] : lost_) {
    if (lost.at == Steady{}) lost.at = sample.now;
  }
  const auto is_older = [](const auto& a, const auto& b) { return a.second.at < b.second.at; };
  while (lost_.size() > kLostKept) {
    lost_.erase(std::min_element(lost_.begin(), lost_.end(), is_older));
  }
  std::erase_if(lost_, [&](const auto& one) {
    return sample.now - one.second.at > kLostShown || queues_of_.contains(one.first);
  });
  for (const auto& [name, lost] : lost_) {
    Verdict verdict{.colour = Colour::kRed, .reason = Reason::kSilent};
    verdict.text = "It fell silent and was given up; its tasks went to others.";
    const Node& node = add(tree, NodeType::kWorker,
                           lost.queues.empty() ? "worker" : lost.queues.front(), name, verdict);
    for (const std::string& queue : lost.queues) {
      tree.edges.push_back({"queue/" + queue, node.id()});
    }
  }
}

/// A breaker that is not closed says more than the few calls that it lets through.
void HealthBook::judge_breaker(const std::string& dependency, Verdict& verdict) const {
  const auto found = breakers_.find(dependency);
  if (found == breakers_.end() || found->second == "closed") return;
  if (found->second == "ramping") {  // its calls work again: what they come to is its colour
    if (verdict.colour == Colour::kGreen) {
      verdict.text = "Its breaker is ramping: it works again, and calls go out at a growing rate.";
    }
    return;
  }
  verdict = {.colour = Colour::kRed, .reason = Reason::kBreaker};
  verdict.text = "Its breaker is " + found->second + ": tasks that use it are held.";
}

/// The services that steps call: as well as the worst step that uses them, over all workers.
void HealthBook::add_dependencies(Tree& tree) {
  std::map<std::string, Verdict> worst;
  for (auto& [uses, step] : dependencies_) {
    Verdict found = step.calls.tick(thresholds_);
    found.interface = found.colour == Colour::kGreen ? "" : step.name;
    Verdict& shown = worst[*uses];
    // Of two alike the one with the smaller name, so that the text does not jump.
    const bool is_alike = found.colour == shown.colour && found.interface < shown.interface;
    if (found.colour > shown.colour || is_alike) shown = std::move(found);
  }
  std::set<Edge> edges;
  for (const auto& [at, step] : steps_) {
    const auto known = workers_.find(at.worker);
    if (step.dependency == nullptr || known == workers_.end()) continue;
    edges.insert({"worker/" + known->second, "dependency/" + *step.dependency});
  }
  for (auto& [name, found] : worst) {
    judge_breaker(name, found);
    add(tree, NodeType::kDependency, name, name, std::move(found));
  }
  tree.edges.insert(tree.edges.end(), edges.begin(), edges.end());
}

}  // namespace ordo::health
