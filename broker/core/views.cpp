// What people ask: records from the tables, with what the core knows besides.
#include <algorithm>

#include "broker/core/record_views.hpp"
#include "broker/core/state.hpp"
#include "schema/codec.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

/// What parts of an answer take beside their texts, and how many values they have: above what the
/// codec makes of them.
constexpr std::size_t kOrderBytes = 1664, kOrderValues = 26;
constexpr std::size_t kTaskBytes = 1024, kTaskValues = 16;
constexpr std::size_t kEventBytes = 256, kEventValues = 15;

/// A handler that was told to stop gets this long before its slot is called hung: one round trip
/// and the next place where it looks.
constexpr Micros kHungAfter = Seconds{2};

wire::EventView event_view(const EventRow& event, const Pipeline* pipeline, const OrderRow& order) {
  wire::EventView view;
  view.seq = event.seq;
  view.at_ms = to_ms(event.at);
  view.kind = to_string(event.kind);
  if (event.status) view.status = to_string(*event.status);
  if (event.step && pipeline != nullptr && *event.step < pipeline->steps.size()) {
    view.step = pipeline->steps[*event.step].name;
  }
  view.branch = event.branch;
  view.attempt = event.attempt;
  view.worker = event.worker;
  view.ms = event.ms;
  view.note = event.note;
  view.detail_bytes = ordo::view(event.detail).size();
  view.task_kind = static_cast<std::uint8_t>(event.task_kind);
  if (pipeline != nullptr) view.span = span_of(event, *pipeline, order);
  return view;
}

}  // namespace

void Engine::State::ask(Question question, ShardNumber shard, QuerySpec spec) {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) {
    return answer(question.asker, Error{Code::kNotFound,
                                        "unknown_shard",
                                        "shard " + std::to_string(shard) + " is not here",
                                        {}});
  }
  const std::uint64_t number = ++next_query_;
  questions_[number] = std::move(question);
  out->queries.push_back({shard, number, std::move(spec)});
}

void Engine::State::on(event::QueryDone& done) {
  const auto found = questions_.find(done.query);
  if (found == questions_.end()) return;
  const Question question = found->second;
  questions_.erase(found);
  if (question.kind == Question::Kind::kWatch) return events_read(question, done.records);
  if (!done.records) return answer(question.asker, done.records.error());
  auto& records = *done.records;
  if (question.kind == Question::Kind::kList) {
    return answer(question.asker, wire::encode_body(page_of(question, records)));
  }
  if (question.kind == Question::Kind::kSignals) {
    return answer(question.asker, wire::encode_body(signal_list(question, records)));
  }
  if (records.empty()) {
    return answer(
        question.asker,
        Error{
            Code::kNotFound, "unknown_order", "there is no order " + question.id.to_string(), {}});
  }
  if (question.kind == Question::Kind::kGet) {
    return answer(question.asker, wire::encode_body(order_view(records.front())));
  }
  answer(question.asker, wire::encode_body(explain(records.front())));
}

wire::OrderPage Engine::State::page_of(const Question& question,
                                       const std::vector<OrderRecord>& records) {
  wire::OrderPage page;
  page.is_last = records.size() < question.looks;
  Cut cut;
  for (const auto& record : records) {
    auto order = order_view(record);
    order.events.clear();
    if (question.pipeline.empty() || order.pipeline == question.pipeline) {
      const bool fits =
          page.orders.size() < question.limit &&
          cut.takes(kOrderBytes + order.labels.size() + order.tasks.size() * kTaskBytes,
                    kOrderValues + order.tasks.size() * kTaskValues);
      if (!fits) {
        page.is_last = false;
        break;
      }
      page.orders.push_back(std::move(order));
    }
    page.after = record.order.id;
  }
  return page;
}

wire::OrderView Engine::State::order_view(const OrderRecord& record) {
  wire::OrderView result;
  const KnownPipeline* pipeline = pipeline_by_id(record.order.pipeline);
  result.id = record.order.id;
  if (pipeline != nullptr) {
    result.pipeline = pipeline->name;
    result.version = pipeline->version;
  }
  result.status = to_string(record.status);
  result.priority = record.order.priority;
  result.key = record.order.key;
  result.customer = record.order.customer;
  result.labels = labels_without_trace(record.order.labels);
  result.context = record.order.context;
  result.payload = view(record.order.payload);
  result.accepted_at_ms = to_ms(record.order.accepted);
  if (record.order.deadline) result.deadline_at_ms = to_ms(*record.order.deadline);
  auto trace = trace_in(record.order.labels);
  result.traceparent = std::move(trace.traceparent);
  result.tracestate = std::move(trace.tracestate);
  Cut cut;
  const auto fits = [&](const EventRow& event) {
    return cut.takes(kEventBytes + event.note.size() + event.worker.size(), kEventValues);
  };
  auto first = record.events.end();  // the newest that fit
  while (first != record.events.begin() && fits(*std::prev(first))) --first;
  for (; first != record.events.end(); ++first) {
    result.events.push_back(event_view(*first, pipeline, record.order));
  }
  for (StepIndex step = 0; pipeline != nullptr && step < pipeline->steps.size(); ++step) {
    for (const BranchIndex branch : listed_branches(record, step)) {
      result.tasks.push_back(task_view(record, *pipeline, step, TaskKind::kForward, branch));
    }
  }
  for (StepIndex step = 0; pipeline != nullptr && step < pipeline->steps.size(); ++step) {
    for (const BranchIndex branch : listed_branches(record, step, TaskKind::kCompensate)) {
      result.tasks.push_back(task_view(record, *pipeline, step, TaskKind::kCompensate, branch));
    }
  }
  return result;
}

/// What events tell of a task; its rows say more where it is not over.
static void add_events(const OrderRecord& record, const Step& definition, StepIndex step,
                       wire::TaskView& task) {
  const auto kind = static_cast<TaskKind>(task.kind);
  for (const auto& event : record.events) {
    const bool is_its = event.step == step && event.branch == task.branch;
    if (!is_its || !is_told_as(event.task_kind, kind)) continue;
    task.attempt = std::max(task.attempt, event.attempt);
    if (event.kind == EventKind::kSucceeded || event.kind == EventKind::kSignalled ||
        event.kind == EventKind::kOperatorComplete) {
      task.state = "succeeded";
      // An answer has room for those of steps.
      if (kind != TaskKind::kCompensate) task.result = view(event.detail);
      task.worker = event.worker;
    } else if (event.kind == EventKind::kOperatorSkip) {
      task.state = "skipped";
    } else if (event.kind == EventKind::kSkipped) {
      task.state = "skipped";
      task.reason = get_text(event.note, "reason").value_or("");
    } else if (event.kind == EventKind::kFailed) {
      task.state = "failed";
    } else if (event.kind == EventKind::kCut) {
      task.state = "cancelled";
    } else if (event.kind == EventKind::kFellBack) {
      task.queue = definition.fallback;
      task.attempt = 0;  // its fallback begins anew
    }
  }
  // What an ended order still owed will never run, but for what hangs off one that succeeded.
  if (!is_final(record.status) || task.state != "pending") return;
  if (record.status != OrderStatus::kSucceeded) {
    task.state = "cancelled";
  } else if (!definition.async) {
    task.state = "skipped";  // after a list without elements
  }
}

wire::TaskView Engine::State::task_view(const OrderRecord& record, const Pipeline& pipeline,
                                        StepIndex step, TaskKind kind, BranchIndex branch) {
  const Step& definition = pipeline.steps[step];
  wire::TaskView result;
  result.step = definition.name;
  result.queue = kind == TaskKind::kCompensate ? definition.compensate : definition.queue;
  result.kind = static_cast<std::uint8_t>(kind);
  result.state = "pending";
  result.branch = branch;
  add_events(record, definition, step, result);
  add_rows(record, step, result);
  const auto& shard = shards_.at(static_cast<ShardNumber>(record.order.id.shard()));
  const auto found = shard.orders.find(record.order.id);
  if (found == shard.orders.end()) return result;
  for (const auto& task : found->second->tasks) {
    const bool is_its = task->step == step && task->branch == branch;
    if (!is_its || !is_told_as(task->kind, kind)) continue;
    if (task->hold == Hold::kHeld) {
      result.state = to_string(TaskState::kHeld);
      result.reason = task->gate->label;
      continue;
    }
    if (task->hold != Hold::kLeased && task->hold != Hold::kReady) continue;
    result.state = task->hold == Hold::kLeased ? "leased" : "ready";
    result.queue = task->queue.name;
    if (task->hold == Hold::kLeased) result.attempt = task->fence.attempt;
    if (task->worker != nullptr) result.worker = task->worker->name;
    if (!task->progress.empty()) result.reason = task->progress;
  }
  return result;
}

/// What the rows of a task that is not over say.
void Engine::State::add_rows(const OrderRecord& record, StepIndex step, wire::TaskView& task) {
  const auto is_its = [&](const TaskKey& key) {
    return key.step == step && key.branch == task.branch &&
           is_told_as(key.kind, static_cast<TaskKind>(task.kind));
  };
  for (const auto& row : record.deferred) {
    if (!is_its(row.task.key)) continue;
    task.state = to_string(row.state);
    task.queue = row.task.queue;
    task.failures = row.task.failures;
    task.attempt = std::max(task.attempt, row.task.attempt);
    task.reason = row.reason;
    if (row.state == TaskState::kParked) {
      task.error = clean_text(last_error(record, task, step), limits::kListedErrorBytes);
    }
    if (row.run_at) {
      const auto& shard = shards_.at(static_cast<ShardNumber>(record.order.id.shard()));
      task.run_in_ms = to_ms(*row.run_at) - to_ms(shard.wall(now.steady));
    }
  }
  for (const auto& row : record.tasks) {
    if (!is_its(row.key)) continue;
    task.state = "ready";
    task.queue = row.queue;
    task.failures = row.failures;
    task.attempt = std::max(task.attempt, row.attempt);
  }
}

void Engine::State::queues_view(Asker asker) {
  wire::QueueList list;
  for (const auto& [name, queue] : queues_) {
    wire::QueueView one;
    one.queue = name;
    one.paused = queue->is_paused;
    one.ready = queue->ready;
    one.leased = queue->leased;
    for (const auto& [number, shard] : shards_) {
      const auto backlog = shard.backlogs.find(queue->index);
      if (backlog != shard.backlogs.end()) one.backlog += backlog->second.count;
    }
    one.workers = static_cast<std::uint32_t>(queue->workers.size());
    for (const auto* worker : queue->workers) one.slots += worker->slots;
    one.held = queue->held;
    for (const auto& [number, shard] : shards_) {
      for (const auto& [place, held] : shard.held) {
        if (place.second == queue->index) one.held += held.count;
      }
    }
    if (const Task* oldest = queue->oldest()) one.oldest_ms = ms_between(oldest->since, now.steady);
    list.queues.push_back(std::move(one));
  }
  answer(asker, wire::encode_body(list));
}

void Engine::State::workers_view(Asker asker) {
  wire::WorkerList list;
  for (const auto& [session, worker] : workers_) {
    wire::WorkerView one;
    one.name = worker->name;
    one.version = worker->version;
    for (const auto* queue : worker->queues) one.queues.push_back(queue->name);
    one.slots = worker->slots;
    one.used = worker->leased + static_cast<std::uint32_t>(worker->revoked.size());
    one.silent_ms = ms_between(worker->heard, now.steady);
    one.draining = worker->is_draining;
    for (const auto& [attempt, since] : worker->revoked) {
      if (now.steady - since >= kHungAfter) ++one.hung;
    }
    list.workers.push_back(std::move(one));
  }
  answer(asker, wire::encode_body(list));
}

/// By peer, without the loop itself, which asks through no socket.
std::vector<ClientCounts> Engine::State::clients() const {
  std::vector<ClientCounts> all;
  for (const auto& [peer, client] : clients_) {
    if (peer == 0) continue;
    all.push_back({client.session, client.name, client.sent, client.busy, client.failed});
  }
  return all;
}

void Engine::State::pipelines_view(Asker asker, const wire::GetPipelines& request) {
  wire::PipelineList list;
  for (const auto& [name, versions] : versions_) {
    if (!request.name.empty() && name != request.name) continue;
    for (const auto& [number, pipeline] : versions) {
      const bool is_newest = number == versions.rbegin()->first;
      if (!request.name.empty() && request.version != number &&
          !(request.version == 0 && is_newest)) {
        continue;
      }
      list.pipelines.push_back({name, number, pipeline->id,
                                static_cast<std::uint32_t>(pipeline->steps.size()),
                                request.name.empty() ? std::string{} : pipeline->source});
    }
  }
  if (!request.name.empty() && list.pipelines.empty()) {
    return answer(asker, Error{Code::kNotFound,
                               "unknown_pipeline",
                               "there is no such version of pipeline `" + request.name + "`",
                               {}});
  }
  answer(asker, wire::encode_body(list));
}

/// A watcher's page of events arrived: send it on, and ask again where something happened
/// meanwhile.
void Engine::State::events_read(const Question& question,
                                Result<std::vector<OrderRecord>>& records) {
  Waiter* waiter = waiters_.find(question.id, question.asker);
  if (waiter == nullptr) return;
  waiter->is_reading = false;
  if (!records || records->empty()) {
    answer(question.asker, records ? Error{Code::kNotFound,
                                           "unknown_order",
                                           "there is no order " + question.id.to_string(),
                                           {}}
                                   : records.error());
    return waiters_.forget(question.asker);
  }
  const auto& record = records->front();
  const KnownPipeline* pipeline = pipeline_by_id(record.order.pipeline);
  wire::EventPage page;
  Cut cut;
  bool is_cut = record.events.size() >= limits::kEventsPage;
  for (const auto& event : record.events) {
    if (event.seq <= waiter->cursor) continue;
    if (!cut.takes(kEventBytes + event.note.size() + event.worker.size(), kEventValues)) {
      is_cut = true;
      break;
    }
    page.events.push_back(event_view(event, pipeline, record.order));
  }
  if (!page.events.empty()) waiter->cursor = page.events.back().seq;
  page.status = to_string(record.status);
  page.is_last = is_final(record.status) && !is_cut;
  const bool is_first = !std::exchange(waiter->has_answered, true);
  if (is_first || page.is_last || !page.events.empty()) {
    answer(question.asker, wire::encode_body(page));
  }
  if (page.is_last) return waiters_.forget(question.asker);
  if (std::exchange(waiter->is_behind, false) || is_cut) read_events(question.id, *waiter);
}

}  // namespace ordo
