// Operators and their settings: verbs on tasks, pipelines, queues.
#include <algorithm>

#include "broker/core/record_views.hpp"
#include "broker/core/state.hpp"
#include "schema/codec.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"

namespace ordo {

void Engine::State::operate(PeerId peer, wire::Operate& request) {
  const Asker asker{peer, request.request};
  const auto refuse = [&](std::string reason, std::string message) {
    answer(asker, Error{Code::kMalformed, std::move(reason), std::move(message), {}});
  };
  if (request.verb > static_cast<std::uint8_t>(wire::Verb::kCompensate)) {
    return refuse("bad_verb",
                  "the verb must be 0 (retry), 1 (skip), 2 (complete) or 3 (compensate)");
  }
  if (request.kind > static_cast<std::uint8_t>(TaskKind::kCompensate)) {
    return refuse("bad_kind", "the kind must be 0 (what the step does) or 1 (what undoes it)");
  }
  if (request.who.empty() || request.why.empty() || !is_text(request.who) ||
      !is_text(request.why) || request.who.size() > limits::kCustomerBytes ||
      request.why.size() > limits::kTextBytes) {
    return refuse("who_why", "say who you are and why: both are kept with the order");
  }
  if (request.result.size() > limits::kResultBytes) {
    return refuse("too_large", "the result is over the limit of 65536 bytes");
  }
  Shard* shard = open_shard_of(request.id, asker);
  if (shard == nullptr) return;
  with_order(*shard, request.id, asker, [this, asker, request](Order* order) mutable {
    if (order != nullptr) return operate_on(*order, asker, request);
    answer(
        asker,
        Error{Code::kNotFound, "unknown_order", "there is no order " + request.id.to_string(), {}});
  });
}

namespace {

std::string_view word_of(wire::Verb verb) {
  constexpr std::array<std::string_view, 4> kWords{"retry", "skip", "complete", "compensate"};
  return kWords[static_cast<std::size_t>(verb)];
}

EventKind event_of(wire::Verb verb) {
  switch (verb) {
    case wire::Verb::kRetry: return EventKind::kOperatorRetry;
    case wire::Verb::kSkip: return EventKind::kOperatorSkip;
    case wire::Verb::kComplete: return EventKind::kOperatorComplete;
    case wire::Verb::kCompensate: break;
  }
  return EventKind::kOperatorCompensate;
}

}  // namespace

/// Why a verb cannot be carried out on a row (null: there is none), or nothing.
std::optional<Error> Engine::State::refuse_verb(const Order& order, const wire::Operate& request,
                                                const DeferredRow* row) const {
  const auto verb = static_cast<wire::Verb>(request.verb);
  const bool is_parked = row != nullptr && row->state == TaskState::kParked;
  const bool is_scheduled = row != nullptr && row->state == TaskState::kScheduled;
  const auto kind = static_cast<TaskKind>(request.kind);
  const bool is_undo = kind == TaskKind::kCompensate;
  if (verb == wire::Verb::kCompensate && order.is_one_way) {
    return Error{Code::kConflict,
                 "irreversible",
                 "order " + order.row.id.to_string() +
                     " has done what cannot be undone: retry, skip or complete the step",
                 {}};
  }
  const Step& step = order.pipeline->steps[*order.pipeline->find(request.step)];
  if (is_parked && !is_undo && verb == wire::Verb::kRetry && !step.wait.empty()) {
    return Error{Code::kConflict,
                 "not_parked",
                 "step `" + step.name + "` waits for signal `" + step.wait +
                     "`: send that, or skip or complete the step",
                 {}};
  }
  if (order.is_ending != is_undo ||
      ((is_undo || is_final(order.status)) && verb == wire::Verb::kCompensate) ||
      !(is_parked || (verb == wire::Verb::kRetry && is_scheduled))) {
    return Error{Code::kConflict,
                 "not_parked",
                 (is_undo ? "what undoes step `" : "step `") + request.step +
                     "` is not parked: there is nothing to " + std::string(word_of(verb)),
                 {}};
  }
  return std::nullopt;
}

void Engine::State::operate_on(Order& order, Asker asker, wire::Operate& request) {
  const auto verb = static_cast<wire::Verb>(request.verb);
  const auto step = order.pipeline->find(request.step);
  if (!step) {
    return answer(
        asker, Error{Code::kNotFound,
                     "unknown_step",
                     "pipeline `" + order.pipeline->name + "` has no step `" + request.step + "`",
                     {}});
  }
  // Of a step's own task and that of its fallback at most one is there.
  const auto asked = static_cast<TaskKind>(request.kind);
  const auto row =
      std::find_if(order.deferred.begin(), order.deferred.end(), [&](const DeferredRow& one) {
        const auto& its = one.task.key;
        return its.step == *step && its.branch == request.branch && is_told_as(its.kind, asked);
      });
  const bool is_there = row != order.deferred.end();
  if (!(is_there && row->state == TaskState::kParked) && order.writes != 0) {
    // An earlier copy of this request may be on its way.
    return when_settled(order, asker, [this, asker, request](Order* known) mutable {
      if (known != nullptr) return operate_on(*known, asker, request);
      answer(asker, Error{Code::kUnknown, "in_doubt", "look at the order, then ask again", {}});
    });
  }
  if (const auto refused = refuse_verb(order, request, is_there ? &*row : nullptr)) {
    return answer(asker, *refused);
  }
  const DeferredRow found = *row;
  const TaskKey key = found.task.key;
  auto change = draft(shards_.at(order.shard), order);
  const Bytes result = note_verb(change, found, request);
  wire::Answer ok;
  ok.request = asker.request;
  change.write->once_durable.push_back({Send::To::kClient, asker.peer, std::move(ok)});
  if (verb == wire::Verb::kCompensate) {
    order.failed_step = key.step;
    begin_ending(change, OrderStatus::kFailed);
    return commit(std::move(change));
  }
  show_verb(order, *change.write->last_event(), found);
  if (verb == wire::Verb::kRetry) {
    retry_row(change, found);
  } else {
    transition(key, TaskState::kParked,
               verb == wire::Verb::kSkip ? Cause::kOperatorSkip : Cause::kOperatorComplete);
    end_row(change, found,
            {.step = key.step,
             .branch = key.branch,
             .kind = key.kind,
             .is_skipped = verb == wire::Verb::kSkip,
             .attempt = found.task.attempt,
             .result = result,
             .context = {}});
  }
  commit(std::move(change));
}

/// What the order is after a verb: the last parked task that is decided lets it go on.
void Engine::State::show_verb(Order& order, EventRow& event, const DeferredRow& row) {
  const auto parked = std::count_if(order.deferred.begin(), order.deferred.end(),
                                    [](const auto& d) { return d.state == TaskState::kParked; });
  if (row.state == TaskState::kParked && parked == 1 && !is_final(order.status)) {
    set_status(order, event, order.is_ending ? OrderStatus::kCompensating : OrderStatus::kRunning);
  }
}

/// Who did what and why; answers the result that came with `complete`.
Bytes Engine::State::note_verb(Draft& draft, const DeferredRow& row, wire::Operate& request) {
  const auto verb = static_cast<wire::Verb>(request.verb);
  auto& event = note(draft, event_of(verb), nullptr);
  event.step = row.task.key.step;
  event.branch = row.task.key.branch;
  event.task_kind = row.task.key.kind;
  event.attempt = row.task.attempt;
  event.worker = request.who;
  event.note = text_object({{"who", request.who}, {"why", request.why}});
  if (verb == wire::Verb::kComplete && !request.result.empty()) {
    event.detail = make_bytes(std::move(request.result));
  }
  return event.detail;
}

/// The task goes out again with a fresh budget.
void Engine::State::retry_row(Draft& draft, DeferredRow row) {
  transition(row.task.key, row.state, Cause::kOperatorRetry);
  undefer(draft, row.task.key);
  if (is_suspect(*draft.shard, row)) row.task.maybe = true;
  row.task.failures = 0;
  row.task.losses = 0;
  row.task.seq = draft.shard->next_seq();
  Queue& queue = queue_named(row.task.queue);
  const bool has_turn = keys_.line_of(row.task.key) != nullptr;  // others wait for it
  if (has_turn || place(*draft.shard, queue, row.task.priority) == Place::kHand) {
    insert_row(draft, take_in_hand(*draft.order, row.task));
    return;
  }
  transition(row.task.key, TaskState::kReady, Cause::kWindowFull);
  row.state = TaskState::kBacklog;
  row.run_at.reset();
  row.reason.clear();
  defer(draft, std::move(row));
}

/// A parked step counts as done: what hangs on it opens.
void Engine::State::end_row(Draft& draft, const DeferredRow& row, DoneStep done) {
  Order& order = *draft.order;
  order.keep(std::move(done));
  const TaskKey key = row.task.key;
  undefer(draft, key);
  if (order.is_ending) return go_on_ending(draft);
  go_on(draft, key.step, key.branch);
}

void Engine::State::put_pipeline(Asker asker, wire::PutPipeline& request) {
  auto parsed = parse_pipeline(request.source);
  if (!parsed) return answer(asker, to_error(parsed.error(), "pipeline"));
  if (const auto problems = unsupported(*parsed); !problems.empty()) {
    auto error = to_error(problems, "pipeline");
    error.reason = "unsupported";
    return answer(asker, error);
  }
  const PipelineRow row{parsed->id, parsed->name, parsed->version, request.source};
  if (const auto name = versions_.find(row.name); name != versions_.end()) {
    const auto version = name->second.find(row.version);
    if (version != name->second.end() && version->second->id != row.id) {
      return answer(asker, Error{Code::kConflict,
                                 "pipeline_version",
                                 "version " + std::to_string(row.version) + " of `" + row.name +
                                     "` exists with other content: raise the version",
                                 {}});
    }
  }
  auto settlement = std::make_shared<Settlement>();
  settlement->asker = asker;
  settlement->apply = [this, row] { static_cast<void>(learn_pipeline(row)); };
  settlement->body = wire::encode_body(wire::PipelineView{
      row.name, row.version, row.id, static_cast<std::uint32_t>(parsed->steps.size()), row.source});
  settle_everywhere(PutPipeline{row}, std::move(settlement));
}

/// Makes a stored version known; the same one again changes nothing.
Result<const KnownPipeline*> Engine::State::learn_pipeline(const PipelineRow& row) {
  if (const auto* known = pipeline_by_id(row.id)) return known;
  auto parsed = parse_pipeline(row.source);
  if (!parsed) return tl::unexpected<Error>(to_error(parsed.error(), row.name));
  auto pipeline = std::make_unique<KnownPipeline>();
  static_cast<Pipeline&>(*pipeline) = std::move(*parsed);
  pipeline->id = row.id;
  const auto count = pipeline->steps.size();
  pipeline->ancestors.resize(count);
  for (std::size_t round = 0, changed = 1; changed != 0 && round <= count; ++round) {
    changed = 0;
    for (std::size_t step = 0; step < count; ++step) {
      auto all = pipeline->ancestors[step];
      for (const StepIndex before : pipeline->steps[step].after) {
        all.set(before);
        all |= pipeline->ancestors[before];
      }
      for (StepIndex wait = 0; wait < count; ++wait) {
        if (pipeline->steps[wait].on_timeout_step != pipeline->steps[step].name) continue;
        all.set(wait);
        all |= pipeline->ancestors[wait];
        if (pipeline->steps[step].after.empty()) pipeline->detours.set(step);
      }
      if (all != pipeline->ancestors[step]) changed = 1;
      pipeline->ancestors[step] = all;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Step& step = pipeline->steps[i];
    pipeline->counted.set(i, !step.async);
    pipeline->is_shaped =
        pipeline->is_shaped || !step.when.empty() || !step.each.empty() || !step.wait.empty();
    const bool is_chained = !step.each.empty() && step.when.empty() && step.after.size() == 1 &&
                            pipeline->steps[step.after.front()].each == step.each;
    pipeline->chained.set(i, is_chained);
  }
  learn_gates(*pipeline);
  const KnownPipeline* known = pipeline.get();
  for (std::size_t step = 0; step < count; ++step) {
    if (!pipeline->steps[step].compensate.empty()) pipeline->compensated.set(step);
  }
  for (const auto& step : known->steps) {
    if (step.wait.empty()) queue_named(step.queue);
    if (!step.compensate.empty()) queue_named(step.compensate);
    if (!step.fallback.empty()) queue_named(step.fallback);
    fact({.kind = FactKind::kPipelineKnown, .pipeline = &known->name, .step = &step.name});
  }
  versions_[pipeline->name][pipeline->version] = known;
  pipelines_.emplace(row.id, std::move(pipeline));
  return known;
}

void Engine::State::set_queue(Asker asker, const wire::SetQueue& request) {
  if (!is_name(request.queue)) {
    return answer(
        asker, Error{Code::kMalformed, "bad_name", "a queue's name must be [a-z0-9_.-]{1,64}", {}});
  }
  if (!queues_.contains(request.queue)) {
    return answer(asker, Error{Code::kNotFound,
                               "unknown_queue",
                               "no pipeline or worker uses queue `" + request.queue + "`",
                               {}});
  }
  QueueSetting setting{request.queue, request.paused,
                       clean_text(request.who, limits::kCustomerBytes),
                       clean_text(request.why, limits::kTextBytes)};
  auto settlement = std::make_shared<Settlement>();
  settlement->asker = asker;
  settlement->apply = [this, setting] {
    Queue& queue = queue_named(setting.queue);
    queue.is_paused = setting.is_paused;
    queue.paused_by = setting.who;
    queue.paused_why = setting.why;
    wake(queue);
  };
  settle_everywhere(PutQueueSetting{setting}, std::move(settlement));
}

}  // namespace ordo
