// Who is connected: hellos, beats, silence, drains.
#include <algorithm>
#include <set>

#include "broker/core/state.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

template <class... Ts> struct Overload : Ts... { using Ts::operator()...; };
template <class... Ts> Overload(Ts...) -> Overload<Ts...>;

/// A revoked attempt that stays silent for so long may never have arrived: the worker is asked what
/// it holds. Handlers that obey stop sooner; for those that do not, a hello each such time costs
/// little.
constexpr Micros kRevokedPatience = Seconds{10};

wire::Refusal refusal(std::string reason, std::string message) {
  return {static_cast<std::uint8_t>(Code::kMalformed), std::move(reason), std::move(message)};
}

Result<void> check_hello(const wire::WorkerHello& hello) {
  if (hello.queues.empty() || hello.queues.size() > limits::kWorkerQueues) {
    return fail(Code::kMalformed, "bad_queues",
                "a worker serves 1 to " + std::to_string(limits::kWorkerQueues) + " queues, not " +
                    std::to_string(hello.queues.size()));
  }
  for (const auto& queue : hello.queues) {
    if (!is_name(queue)) {
      return fail(Code::kMalformed, "bad_name", "a queue's name must be [a-z0-9_.-]{1,64}");
    }
  }
  if (hello.slots == 0 || hello.slots > limits::kWorkerSlots) {
    return fail(Code::kMalformed, "bad_slots",
                "slots must be 1 to " + std::to_string(limits::kWorkerSlots) + ", not " +
                    std::to_string(hello.slots));
  }
  if (!is_text(hello.name) || hello.name.size() > limits::kCustomerBytes) {
    return fail(Code::kMalformed, "bad_name", "a worker's name must be UTF-8 of at most 128 bytes");
  }
  return {};
}

}  // namespace

wire::Welcome Engine::State::welcome(const wire::SessionId& session) const {
  wire::Welcome welcome;
  welcome.session = session;
  welcome.broker = settings_.broker_name;
  welcome.version = settings_.version;
  welcome.beat_ms = static_cast<std::uint64_t>(settings_.beat.count());
  welcome.silence_ms = static_cast<std::uint64_t>(settings_.silence.count());
  for (const auto& [number, shard] : shards_) {
    welcome.shards.push_back({number, is_draining_ ? 0U : 1U, ""});
  }
  return welcome;
}

void Engine::State::on(event::FromClient& from) {
  const PeerId peer = from.peer;
  if (auto* said = std::get_if<wire::ClientHello>(&from.message)) return hello(peer, *said);
  const auto known = clients_.find(peer);
  if (known == clients_.end()) {
    out->sends.push_back({Send::To::kClient, peer, wire::SayHello{"unknown_session"}});
    return;
  }
  Client& client = known->second;
  client.heard = now.steady;
  if (!std::holds_alternative<wire::Beat>(from.message)) ++client.received;
  std::visit(Overload{[&](wire::Submit& m) {
                        client.received += m.orders.empty() ? 0 : m.orders.size() - 1;
                        for (auto& order : m.orders) submit(peer, order);
                      },
                      [&](wire::Wait& m) {
                        wait({peer, m.request}, m);
                      },
                      [&](wire::Watch& m) {
                        watch({peer, m.request}, m);
                      },
                      [&](wire::Unwait& m) {
                        give_up_waiting({peer, m.request});
                      },
                      [&](wire::Get& m) {
                        ask({{peer, m.request}, Question::Kind::kGet, m.id},
                            static_cast<ShardNumber>(m.id.shard()),
                            {.what = QuerySpec::What::kOrder, .id = m.id});
                      },
                      [&](wire::Explain& m) {
                        ask({{peer, m.request}, Question::Kind::kExplain, m.id},
                            static_cast<ShardNumber>(m.id.shard()),
                            {.what = QuerySpec::What::kOrder, .id = m.id});
                      },
                      [&](wire::List& m) {
                        list({peer, m.request}, m);
                      },
                      [&](wire::Cancel& m) {
                        request_cancel({peer, m.request}, m);
                      },
                      [&](wire::Operate& m) { operate(peer, m); },
                      [&](wire::Signal& m) {
                        signal({peer, m.request}, m);
                      },
                      [&](wire::PutPipeline& m) {
                        put_pipeline({peer, m.request}, m);
                      },
                      [&](wire::GetPipelines& m) {
                        pipelines_view({peer, m.request}, m);
                      },
                      [&](wire::GetQueues& m) {
                        queues_view({peer, m.request});
                      },
                      [&](wire::SetQueue& m) {
                        set_queue({peer, m.request}, m);
                      },
                      [&](wire::GetSignals& m) {
                        list_signals({peer, m.request}, m);
                      },
                      [&](wire::GetWorkers& m) {
                        workers_view({peer, m.request});
                      },
                      [](wire::Beat&) {},
                      [&](auto&) {
                        out->sends.push_back(
                            {Send::To::kClient, peer,
                             refusal("unexpected_type", "a client does not send this message")});
                      }},
             from.message);
}

/// Counted and answered like any other request, or the client would take them for lost and ask
/// again for ever.
void Engine::State::on(event::Forbidden& refused) {
  const auto known = clients_.find(refused.peer);
  if (known == clients_.end()) {
    out->sends.push_back({Send::To::kClient, refused.peer, wire::SayHello{"unknown_session"}});
    return;
  }
  known->second.heard = now.steady;
  known->second.received += refused.requests.size();
  for (const std::uint64_t request : refused.requests) {
    answer({refused.peer, request},
           Error{Code::kUnauthorized, "forbidden", refused.message, Millis{0}});
  }
}

void Engine::State::list(Asker asker, const wire::List& request) {
  if (!is_text(request.customer) || request.customer.size() > limits::kCustomerBytes) {
    return answer(asker, Error{Code::kMalformed,
                               "bad_text",
                               "customer must be UTF-8 without NUL of at most 128 bytes",
                               {}});
  }
  if (!request.pipeline.empty() && !is_name(request.pipeline)) {
    return answer(asker, Error{Code::kMalformed,
                               "bad_text",
                               "pipeline must be 1 to 64 of a-z, 0-9, `_`, `.` and `-`, or empty",
                               {}});
  }
  QuerySpec spec;
  spec.what = request.what == 0   ? QuerySpec::What::kByCustomer
              : request.what == 1 ? QuerySpec::What::kOpen
              : request.what == 2 ? QuerySpec::What::kParked
                                  : QuerySpec::What::kRecent;
  spec.customer = request.customer;
  spec.after = request.after;
  const auto limit = std::clamp<std::uint32_t>(request.limit, 1, limits::kListPage);
  spec.limit = request.pipeline.empty() ? limit : limits::kListLooks;
  ask({.asker = asker,
       .kind = Question::Kind::kList,
       .limit = limit,
       .looks = spec.limit,
       .pipeline = request.pipeline},
      request.shard, std::move(spec));
}

void Engine::State::request_cancel(Asker asker, const wire::Cancel& request) {
  Shard* shard = open_shard_of(request.id, asker);
  if (shard == nullptr) return;
  with_order(*shard, request.id, asker, [this, asker, request](Order* order) {
    if (order != nullptr) return cancel(*order, asker, request);
    answer(
        asker,
        Error{Code::kNotFound, "unknown_order", "there is no order " + request.id.to_string(), {}});
  });
}

void Engine::State::hello(PeerId peer, wire::ClientHello& said) {
  Client& client = clients_[peer];
  waiters_.forget_peer(peer);  // it asks again what it still wants
  client.session = said.session;
  client.name = clean_text(said.name, limits::kCustomerBytes);
  client.heard = client.beaten = now.steady;
  client.sent = client.received = client.busy = client.failed = 0;
  client.bucket = TokenBucket(settings_.client_rate);
  out->sends.push_back({Send::To::kClient, peer, welcome(said.session)});
}

void Engine::State::on(event::FromWorker& from) {
  const PeerId peer = from.peer;
  if (auto* said = std::get_if<wire::WorkerHello>(&from.message)) return hello(peer, *said);
  const auto known = worker_peers_.find(peer);
  if (known == worker_peers_.end()) {
    out->sends.push_back({Send::To::kWorker, peer, wire::SayHello{"unknown_session"}});
    return;
  }
  Worker& worker = *known->second;
  worker.heard = now.steady;
  std::visit(
      Overload{[&](wire::Results& m) {
                 for (auto& item : m.items) result(worker, item);
               },
               [&](wire::Beat& m) { beat(worker, m); }, [&](wire::Drain& m) { drain(worker, m); },
               [&](wire::Goodbye&) {
                 worker.leases.for_each([](Task& task) { task.maybe = true; });
                 lose_worker(worker, "goodbye", false);
               },
               [&](auto&) {
                 out->sends.push_back(
                     {Send::To::kWorker, peer,
                      refusal("unexpected_type", "a worker does not send this message")});
               }},
      from.message);
}

/// Queues are never forgotten, so strangers must not be able to name them without end.
bool Engine::State::has_room_for(const std::vector<std::string>& queues) const {
  const auto is_new = [this](const std::string& name) { return !queues_.contains(name); };
  const auto fresh = std::count_if(queues.begin(), queues.end(), is_new);
  return queues_.size() + static_cast<std::size_t>(fresh) <= limits::kQueues;
}

void Engine::State::hello(PeerId peer, wire::WorkerHello& said) {
  auto ok = check_hello(said);
  if (ok && !has_room_for(said.queues)) {
    ok = fail(Code::kMalformed, "bad_queues",
              "there are " + std::to_string(queues_.size()) + " queues already; the limit is " +
                  std::to_string(limits::kQueues) + ": serve one that a pipeline names");
  }
  if (!ok) {
    out->sends.push_back({Send::To::kWorker, peer, refusal(ok.error().reason, ok.error().message)});
    return;
  }
  auto& slot = workers_[said.session];
  const bool is_new = slot == nullptr;
  if (is_new) slot = std::make_unique<Worker>();
  Worker& worker = *slot;
  if (const auto other = worker_peers_.find(peer);
      other != worker_peers_.end() && other->second != &worker) {
    other->second->peer = 0;  // the connection speaks for another session now
  }
  if (worker.peer != 0) worker_peers_.erase(worker.peer);
  for (Queue* queue : worker.queues) std::erase(queue->workers, &worker);
  worker.peer = peer;
  worker_peers_[peer] = &worker;
  worker.session = said.session;
  worker.name = said.name.empty() ? "worker" : said.name;
  worker.version = clean_text(said.version, limits::kNameBytes);
  worker.slots = said.slots;
  worker.is_draining = false;
  worker.needs_hello = false;
  worker.told_all = now.steady;
  worker.heard = worker.beaten = now.steady;
  worker.sent = worker.received = 0;
  worker.mark_old = worker.mark_new = 0;
  worker.queues.clear();
  std::sort(said.queues.begin(), said.queues.end());
  said.queues.erase(std::unique(said.queues.begin(), said.queues.end()), said.queues.end());
  for (const auto& name : said.queues) {
    Queue& queue = queue_named(name);
    worker.queues.push_back(&queue);
    queue.workers.push_back(&worker);
    wake(queue);
  }
  Fact fact_hello;
  fact_hello.kind = is_new ? FactKind::kWorkerJoined : FactKind::kWorkerResynced;
  fact_hello.text = worker.name;
  fact_hello.count = worker.slots;
  fact_hello.worker = worker.number();
  fact(std::move(fact_hello));
  send_worker(peer, welcome(said.session));
  reconcile(worker, said.held);
}

/// What a worker says it holds against what it was given. Leases that it does not know were lost on
/// the way; what it holds and nobody gave it is claimed or told to stop.
void Engine::State::reconcile(Worker& worker, std::vector<wire::HeldTask>& held) {
  std::set<std::pair<TaskKey, Fence>> has;
  for (const auto& task : held) has.insert({task.key, task.fence});
  std::set<std::pair<TaskKey, Fence>> leases;
  std::map<std::pair<TaskKey, Fence>, Fence> regrants;
  std::vector<Task*> missing;
  worker.leases.for_each([&](Task& task) {
    if (has.contains({task.key(), task.fence})) {
      leases.insert({task.key(), task.fence});
    } else if (has.contains({task.key(), task.adopted})) {
      regrants[{task.key(), task.adopted}] = task.fence;  // the first one may be lost
    } else {
      missing.push_back(&task);
    }
  });
  const std::uint32_t leased = worker.leased;
  for (Task* task : missing) {
    task->maybe = true;  // or it was begun since the worker wrote this hello
    lost(*task, "the offer was lost on its way", false);
  }
  if (planted_.credit_leak) worker.leased = leased;
  const auto before = std::exchange(worker.revoked, {});
  for (const auto& task : held) {
    if (leases.contains({task.key, task.fence})) continue;
    if (const auto regrant = regrants.find({task.key, task.fence}); regrant != regrants.end()) {
      send_worker(worker.peer, wire::Regrant{task.key, task.fence, regrant->second});
      continue;
    }
    const Shard* shard = shard_of(task.key.order);
    if (shard == nullptr) continue;  // another broker's, which counts its slot
    if (claim(worker, task) || task.has_result) continue;
    // It keeps its slot until it is over.
    const auto known = before.find({task.key, task.fence});
    worker.revoked[{task.key, task.fence}] = known == before.end() ? now.steady : known->second;
    if (!shard->is_open()) continue;  // its fate is not known yet
    if (shard->grace_until && !shard->orders.contains(task.key.order)) {
      claim_later(worker, task);
      continue;
    }
    send_worker(worker.peer, wire::Revoked{task.key, task.fence, "superseded"});
  }
}

void Engine::State::beat(Worker& worker, wire::Beat& beat) {
  for (auto& progress : beat.progress) {
    const Shard* shard = shard_of(progress.key.order);
    if (shard == nullptr) continue;
    const auto found = shard->orders.find(progress.key.order);
    Task* task = found == shard->orders.end() ? nullptr : found->second->find(progress.key);
    if (task != nullptr && task->hold == Hold::kLeased && task->fence == progress.fence) {
      task->progress = clean_text(progress.note, limits::kTextBytes);
    }
  }
  // It beats, but has not received what was sent more than a beat ago: those items are lost.
  if (beat.received < worker.mark_old) say_hello_again(worker, "lost_items");
}

void Engine::State::drain(Worker& worker, wire::Drain& drain) {
  worker.is_draining = true;
  for (const auto& held : drain.hand_back) {
    worker.revoked.erase({held.key, held.fence});
    const Shard* shard = shard_of(held.key.order);
    if (shard == nullptr) continue;
    const auto found = shard->orders.find(held.key.order);
    Task* task = found == shard->orders.end() ? nullptr : found->second->find(held.key);
    if (task != nullptr && task->worker == &worker && task->fence == held.fence) {
      lost(*task, "handed back", false);
    }
  }
}

void Engine::State::say_hello_again(Worker& worker, const std::string& why) {
  if (worker.peer == 0) return;
  worker.needs_hello = true;
  worker.mark_old = worker.mark_new = 0;
  send_worker(worker.peer, wire::SayHello{why});
}

void Engine::State::lose_worker(Worker& worker, const std::string& why, bool burns) {
  std::vector<Task*> tasks;
  worker.leases.for_each([&](Task& task) { tasks.push_back(&task); });
  for (Task* task : tasks) lost(*task, why, burns);
  for (Queue* queue : worker.queues) std::erase(queue->workers, &worker);
  Fact gone;
  gone.kind = burns ? FactKind::kWorkerLost : FactKind::kWorkerLeft;
  gone.text = worker.name;
  gone.count = tasks.size();
  gone.worker = worker.number();
  fact(std::move(gone));
  if (worker.peer != 0) worker_peers_.erase(worker.peer);
  workers_.erase(wire::SessionId(worker.session));
}

void Engine::State::on(event::ClientGone& gone) {
  waiters_.forget_peer(gone.peer);
  clients_.erase(gone.peer);
}

/// The connection is gone, the worker may not be: its leases wait for it until it has been silent
/// too long.
void Engine::State::on(event::WorkerGone& gone) {
  const auto found = worker_peers_.find(gone.peer);
  if (found == worker_peers_.end()) return;
  found->second->peer = 0;
  worker_peers_.erase(found);
}

/// Time that this process stood still is no silence of others: what they said waits in the sockets.
void Engine::State::forgive_own_silence(Micros stall) {
  const auto forgive = [&](Steady& heard) { heard = std::min(now.steady, heard + stall); };
  for (auto& [session, worker] : workers_) forgive(worker->heard);
  for (auto& [peer, client] : clients_) forgive(client.heard);
}

void Engine::State::check_sessions() {
  std::vector<Worker*> silent;
  for (auto& [session, worker] : workers_) {
    if (worker->revoked.empty()) worker->told_all = now.steady;
    if (now.steady - worker->heard >= settings_.silence) {
      silent.push_back(worker.get());
    } else if (now.steady - worker->told_all >= kRevokedPatience) {
      worker->told_all = now.steady;
      say_hello_again(*worker, "revoked_tasks");
    } else if (worker->peer != 0 && now.steady - worker->beaten >= settings_.beat) {
      worker->beaten = now.steady;
      worker->mark_old = std::exchange(worker->mark_new, worker->sent);
      send_worker(worker->peer, wire::Beat{worker->sent, worker->received, {}});
      // The request to say hello may have been lost with a connection: until it does, it gets no
      // work.
      if (worker->needs_hello) send_worker(worker->peer, wire::SayHello{"waiting_for_hello"});
    }
  }
  for (Worker* worker : silent) lose_worker(*worker, "silent", true);
  std::vector<PeerId> gone;
  for (auto& [peer, client] : clients_) {
    if (now.steady - client.heard >= settings_.silence) {
      gone.push_back(peer);
    } else if (now.steady - client.beaten >= settings_.beat) {
      client.beaten = now.steady;
      out->sends.push_back({Send::To::kClient, peer, wire::Beat{client.sent, client.received, {}}});
    }
  }
  for (const PeerId peer : gone) {
    waiters_.forget_peer(peer);
    clients_.erase(peer);
  }
}

}  // namespace ordo
