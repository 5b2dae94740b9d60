// Orders come in: checked, admitted, made into rows, acknowledged when they are durable.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/hash.hpp"
#include "schema/text.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

tl::unexpected<Error> too_large(const char* field, std::size_t size, std::size_t limit) {
  return fail(Code::kMalformed, "too_large",
              std::string(field) + " has " + std::to_string(size) + " bytes; the limit is " +
                  std::to_string(limit));
}

}  // namespace

/// Of what the order is: the trace in which it is asked for is not part of it, so that a program
/// which was restarted may ask again.
std::uint64_t Engine::State::submit_hash_of(const wire::OrderRequest& request) {
  std::uint64_t hash = content_hash(request.pipeline);
  hash = content_hash(request.payload, hash);
  const std::uint64_t times[] = {request.delay_ms, request.deadline_ms, request.priority};
  hash = content_hash({reinterpret_cast<const char*>(times), sizeof times}, hash);
  std::uint64_t field = 0;
  for (const auto* text : {&request.key, &request.customer, &request.labels, &request.context}) {
    ++field;  // chained as the seed, so that a text that moves to another field changes the hash
    if (!text->empty()) hash = content_hash(*text, hash + field);
  }
  return hash;
}

Result<void> Engine::State::check_request(const wire::OrderRequest& r) const {
  if (!r.id.is_valid()) {
    return fail(Code::kMalformed, "bad_id", "the order id is not a UUIDv7: draw it with the SDK");
  }
  if (r.priority >= limits::kPriorities) {
    return fail(Code::kMalformed, "bad_priority",
                "priority is " + std::to_string(r.priority) + "; it must be 0 (urgent) to 9");
  }
  if (r.payload.size() > limits::kPayloadBytes) {
    return too_large("payload", r.payload.size(), limits::kPayloadBytes);
  }
  if (r.delay_ms > static_cast<std::uint64_t>(Millis(limits::kDelayMax).count())) {
    return fail(Code::kMalformed, "bad_delay", "delay is over the limit of 365 days");
  }
  if (r.deadline_ms > static_cast<std::uint64_t>(Millis(limits::kDeadlineMax).count())) {
    return fail(Code::kMalformed, "bad_deadline", "deadline is over the limit of 365 days");
  }
  if (r.key.size() > limits::kKeyBytes) return too_large("key", r.key.size(), limits::kKeyBytes);
  if (r.customer.size() > limits::kCustomerBytes) {
    return too_large("customer", r.customer.size(), limits::kCustomerBytes);
  }
  if (!is_text(r.key) || !is_text(r.customer)) {
    return fail(Code::kMalformed, "bad_text", "key and customer must be UTF-8 without NUL");
  }
  if (!r.labels.empty()) {
    if (auto ok = check_labels(r.labels); !ok) return ok;
  }
  if (!r.context.empty()) {
    if (auto ok = check_context(r.context, limits::kContextBytes, "context"); !ok) return ok;
  }
  return {};
}

/// Leaves the trace in the form that is kept.
static Result<void> take_trace(wire::OrderRequest& request) {
  if (request.traceparent.empty() && request.tracestate.empty()) return {};
  auto trace = parse_trace(request.traceparent, request.tracestate);
  if (!trace) return tl::unexpected(trace.error());
  request.traceparent = std::move(trace->traceparent);
  request.tracestate = std::move(trace->tracestate);
  return {};
}

/// The answer to a submit that is not taken, and the fact of it: rejected for good, or told to come
/// back. What is unavailable or in doubt is neither: the shard's own facts tell of that.
void Engine::State::turn_away(Asker asker, const OrderId& id, const Error& error) {
  const bool is_for_good = error.code == Code::kMalformed || error.code == Code::kNotFound ||
                           error.code == Code::kConflict;
  if (is_for_good || error.code == Code::kBusy) {
    Fact turned;
    turned.kind = is_for_good ? FactKind::kOrderRefused : FactKind::kBusy;
    turned.shard = static_cast<ShardNumber>(id.shard());
    turned.text = error.reason;
    fact(std::move(turned));
  }
  answer(asker, error);
}

void Engine::State::submit(PeerId peer, wire::OrderRequest& request) {
  const Asker asker{peer, request.request};
  if (auto checked = check_request(request); !checked) {
    return turn_away(asker, request.id, checked.error());
  }
  if (auto taken = take_trace(request); !taken) {
    return turn_away(asker, request.id, taken.error());
  }
  Shard* shard = shard_of(request.id);
  if (shard == nullptr) {
    return answer(asker, Error{Code::kNotOwner, "shard", "", {}});
  }
  if (!shard->is_open()) {
    return answer(asker,
                  Error{Code::kUnavailable,
                        "shard_closed",
                        "shard " + std::to_string(shard->number) + " is not open yet: try again",
                        {}});
  }
  const std::uint64_t hash = submit_hash_of(request);
  if (const auto found = shard->orders.find(request.id); found != shard->orders.end()) {
    return resubmit(*found->second, asker, hash, make_bytes(request.payload));
  }
  if (shard->loading.contains(request.id)) {
    // What is being read must not meet a copy of itself: rows that a page has passed are known only
    // to the load.
    return with_order(*shard, request.id, asker,
                      [this, peer, request](Order*) mutable { submit(peer, request); });
  }
  if (shard->loading.size() >= settings_.inbox_orders) {
    Error busy{Code::kBusy, "inbox_full", "too many orders are being looked up", {}};
    busy.retry_after = Millis{20};
    return turn_away(asker, request.id, busy);
  }
  const std::int64_t age = to_ms(shard->wall(now.steady)) - request.id.unix_ms();
  if (age > settings_.id_past.count() || -age > settings_.id_future.count()) {
    return check_known(*shard, asker, request, hash);
  }
  if (auto admitted = admit(peer, *shard, request); !admitted) {
    return turn_away(asker, request.id, admitted.error());
  }
  accept(*shard, asker, request, hash);
}

/// `busy` before any work for the database; a known pipeline is part of it.
Result<void> Engine::State::admit(PeerId peer, Shard& shard, const wire::OrderRequest& request) {
  if (is_draining_) {
    return fail(Code::kUnavailable, "draining", "this broker is leaving: try another or again");
  }
  if (!versions_.contains(request.pipeline)) {
    return fail(Code::kNotFound, "unknown_pipeline",
                "there is no pipeline `" + request.pipeline + "`: apply it first");
  }
  const auto busy = [](std::string reason, std::string message, Micros wait) {
    Error error{Code::kBusy, std::move(reason), std::move(message), {}};
    error.retry_after = std::max(Millis{1}, std::chrono::ceil<Millis>(wait));
    return tl::unexpected<Error>(std::move(error));
  };
  if (shard.inbox_orders >= settings_.inbox_orders ||
      shard.inbox_bytes + request.payload.size() > settings_.inbox_bytes) {
    return busy("inbox_full", "too many orders are on their way into the tables", Millis{20});
  }
  if (settings_.waiting_orders != 0 && waiting_tasks() >= settings_.waiting_orders) {
    return busy("queue_full", "too many orders are waiting for workers", Millis{200});
  }
  if (const Micros wait = submit_bucket_.take(now.steady); wait.count() > 0) {
    return busy("rate", "the broker's rate of new orders is used up", wait);
  }
  if (const auto client = clients_.find(peer); client != clients_.end()) {
    if (const Micros wait = client->second.bucket.take(now.steady); wait.count() > 0) {
      return busy("client_rate", "this client's rate of new orders is used up", wait);
    }
  }
  return {};
}

void Engine::State::resubmit(Order& order, Asker asker, std::uint64_t hash, const Bytes& payload) {
  if (order.is_inserting) {
    // Which content is in the tables is not known before the insert's outcome is.
    with_order(shards_.at(order.shard), order.row.id, asker,
               [this, asker, hash, payload](Order* known) {
                 if (known != nullptr) return resubmit(*known, asker, hash, payload);
                 answer(asker, Error{Code::kUnknown, "in_doubt", "ask again with the same id", {}});
               });
    return;
  }
  const bool is_other = order.row.submit_hash != hash && order.merged_hash != hash;
  if (is_other && order.is_restored && !order.merged_hash) {
    return merge(order, asker, hash, payload);
  }
  if (is_other) {
    return turn_away(asker, order.row.id,
                     Error{Code::kConflict,
                           "payload",
                           "order " + order.row.id.to_string() + " exists with other content",
                           {}});
  }
  if (order.merged_hash == hash && order.writes != 0) {  // the merge may be on its way
    return when_settled(order, asker, [this, asker, hash, payload](Order* known) {
      if (known != nullptr) return resubmit(*known, asker, hash, payload);
      answer(asker, Error{Code::kUnknown, "in_doubt", "ask again with the same id", {}});
    });
  }
  fact(about(FactKind::kOrderDuplicate, order));
  answer_duplicate(asker);
}

/// An id from outside the window of new ids: known ones are answered from the record, others
/// refused.
void Engine::State::check_known(Shard& shard, Asker asker, wire::OrderRequest& request,
                                std::uint64_t hash) {
  const OrderId id = request.id;
  const Bytes payload = make_bytes(std::move(request.payload));
  with_order(shard, id, asker, [this, asker, hash, id, payload](Order* order) {
    if (order != nullptr) return resubmit(*order, asker, hash, payload);
    turn_away(asker, id,
              Error{Code::kMalformed,
                    "id_time",
                    "the id's time is more than " +
                        std::to_string(settings_.id_past.count() / 3'600'000) + " h past or " +
                        std::to_string(settings_.id_future.count() / 60'000) +
                        " min ahead of the broker's clock: check yours",
                    {}});
  });
}

/// The order of a request, resident, and the write that brings it into the tables.
Engine::State::Draft Engine::State::bring_in(Shard& shard, wire::OrderRequest& request,
                                             std::uint64_t hash) {
  const KnownPipeline* pipeline = versions_.at(request.pipeline).rbegin()->second;
  auto owned = std::make_unique<Order>();
  Order& order = *owned;
  const Wall wall = shard.wall(now.steady);
  order.row.id = request.id;
  order.row.pipeline = pipeline->id;
  order.row.priority = request.priority;
  order.row.key = std::move(request.key);
  order.row.customer = std::move(request.customer);
  order.row.labels = request.traceparent.empty()
                         ? std::move(request.labels)
                         : with_trace({request.traceparent, request.tracestate}, request.labels);
  order.row.context = std::move(request.context);
  if (!request.payload.empty()) order.row.payload = make_bytes(std::move(request.payload));
  order.row.submit_hash = hash;
  order.row.accepted = wall;
  order.shard = shard.number;
  order.pipeline = pipeline;
  order.is_inserting = true;
  order.arrived = now.steady;
  Millis deadline{static_cast<std::int64_t>(request.deadline_ms)};
  if (deadline.count() == 0 && pipeline->deadline) deadline = *pipeline->deadline;
  if (deadline.count() != 0) order.row.deadline = wall + deadline;
  shard.orders.emplace(request.id, std::move(owned));
  ++shard.inbox_orders;
  shard.inbox_bytes += view(order.row.payload).size();
  auto change = draft(shard, order);
  change.write->write_class = Write::Class::kSubmit;
  change.write->store.changes.emplace_back(InsertOrder{order.row});
  return change;
}

/// The row that ends an order in time, once its first steps are open.
void Engine::State::set_deadline(Draft& draft) {
  const Order& order = *draft.order;
  if (!order.row.deadline || is_final(order.status)) return;
  DeferredRow row;
  row.task = {.key = {order.row.id, 0, 0, TaskKind::kDeadline},
              .queue = "",
              .priority = order.row.priority,
              .seq = draft.shard->next_seq()};
  row.state = TaskState::kScheduled;
  row.run_at = order.row.deadline;
  row.reason = "deadline";
  defer(draft, std::move(row));
}

void Engine::State::accept(Shard& shard, Asker asker, wire::OrderRequest& request,
                           std::uint64_t hash) {
  auto change = bring_in(shard, request, hash);
  open_first(change, Millis{static_cast<std::int64_t>(request.delay_ms)});
  set_deadline(change);
  wire::Answer ok;
  ok.request = asker.request;
  change.write->once_durable.push_back({Send::To::kClient, asker.peer, std::move(ok)});
  commit(std::move(change));
}

}  // namespace ordo
