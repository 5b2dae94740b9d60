#include "tests/sim/checker.hpp"

#include <algorithm>

#include "schema/codec.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

void Checker::fail(const char* check, const OrderId& order, const std::string& what) {
  throw Violation(check, "order " + order.to_string() + " " + what);
}

const Story* Checker::story(const OrderId& id) const {
  const auto it = stories_.find(id);
  return it == stories_.end() ? nullptr : &it->second;
}

const Pipeline* Checker::pipeline(PipelineId id) const {
  const auto it = pipelines_.find(id);
  return it == pipelines_.end() ? nullptr : &it->second;
}

// ---- requests ----------------------------------------------------------------------------------

void Checker::asked(int broker, PeerId peer, const wire::Message& message) {
  const auto note = [&](std::uint64_t number, Request::Kind kind, const OrderId& id,
                        const std::string& text) {
    Request& request = requests_[{broker, peer, number}];
    ++request.deliveries;
    request.kind = kind;
    request.id = id;
    request.text = text;
  };
  if (const auto* submit = std::get_if<wire::Submit>(&message)) {
    for (const auto& order : submit->orders) {
      note(order.request, Request::Kind::kSubmit, order.id, order.payload);
    }
  } else if (const auto* cancel = std::get_if<wire::Cancel>(&message)) {
    note(cancel->request, Request::Kind::kCancel, cancel->id, {});
  } else if (const auto* operate = std::get_if<wire::Operate>(&message)) {
    note(operate->request, Request::Kind::kOperate, operate->id, operate->step);
  } else if (const auto* wait = std::get_if<wire::Wait>(&message)) {
    note(wait->request, Request::Kind::kWait, wait->id, wait->step);
  } else if (const auto* signal = std::get_if<wire::Signal>(&message)) {
    note(signal->request, Request::Kind::kSignal, signal->id, SignalBook::key_of(*signal));
  }
}

void Checker::copied(const StoreWrite& from, const StoreWrite& to) {
  const auto carried = carried_.find(&from);
  if (carried != carried_.end()) carried_[&to] = std::vector<RequestKey>(carried->second);
}

void Checker::queued(int broker, const Write& write) {
  carried_.erase(&write.store);  // of a write that lived at this address before
  for (const Send& send : write.once_durable) {
    if (send.to != Send::To::kClient) continue;
    if (const auto* answer = std::get_if<wire::Answer>(&send.item)) {
      carried_[&write.store].push_back({broker, send.peer, answer->request});
    }
  }
}

void Checker::told(const OrderId& id, const std::string& payload,
                   const std::optional<Error>& error) {
  if (id.is_zero()) return;  // it never got so far as to have an id
  if (!error) {
    acknowledged_[id].insert(payload);
  } else if (error->code == Code::kUnknown) {
    in_doubt_[id].insert(payload);
  } else {
    refused_[id].insert(payload);
  }
}

// ---- commits -----------------------------------------------------------------------------------

void Checker::committed(ShardNumber shard, std::span<const StoreWrite* const> batch,
                        const CommitResult& result) {
  if (result.kind != CommitResult::Kind::kCommitted) return;
  context_.mix(batch.size() * 1000 + shard);
  std::set<std::size_t> left_out;
  for (const auto& refused : result.refused) left_out.insert(refused.write);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (left_out.contains(i)) continue;
    apply(*batch[i]);
    const auto carried = carried_.find(batch[i]);
    if (carried == carried_.end()) continue;
    for (const RequestKey& key : carried->second) {
      Request& request = requests_[key];
      request.was_done = true;
      if (request.was_refused && request.deliveries == 1) {
        fail("refused means never", request.id, "took effect after its request was refused");
      }
    }
    carried_.erase(carried);
  }
}

// ---- frames ------------------------------------------------------------------------------------

void Checker::sent(int broker, const Send& send) {
  if (const auto* answer = std::get_if<wire::Answer>(&send.item)) {
    sent_answer(broker, send.peer, *answer);
  } else if (const auto* offer = std::get_if<wire::Offer>(&send.item)) {
    sent_offer(*offer);
    check_breaker(broker, *offer);
    check_turn(*offer);
    ledger.granted(offer->key, offer->fence);
  } else if (const auto* recorded = std::get_if<wire::Recorded>(&send.item)) {
    sent_recorded(*recorded);
  } else if (const auto* regrant = std::get_if<wire::Regrant>(&send.item)) {
    ledger.regranted(*regrant);
  }
}

void Checker::sent_answer(int broker, PeerId peer, const wire::Answer& answer) {
  const auto it = requests_.find({broker, peer, answer.request});
  if (it == requests_.end()) return;
  Request& request = it->second;
  const Story* order = story(request.id);
  const bool is_ok = answer.code == 0;
  if (!is_ok) {
    if (static_cast<Code>(answer.code) == Code::kUnknown || request.deliveries > 1) return;
    request.was_refused = true;
    const bool is_conflict = static_cast<Code>(answer.code) == Code::kConflict;
    if (is_conflict && request.kind == Request::Kind::kSubmit && order != nullptr &&
        order->is_restored && order->merged.value_or(request.text) == request.text) {
      fail("a late original is merged", request.id, "refuses its own submit");
    }
    if (request.was_done) {
      fail("refused means never", request.id, "took effect, but the answer is " + answer.reason);
    }
    return;
  }
  switch (request.kind) {
    case Request::Kind::kSubmit:
      if (order == nullptr) fail("ack after commit", request.id, "is acknowledged but not there");
      if (order->payload != request.text && order->merged != request.text) {
        fail("ack of what was asked", request.id, "is acknowledged with other content");
      }
      return;
    case Request::Kind::kCancel:
      if (order == nullptr || !order->is_cancelled) {
        fail("ack after commit", request.id, "is not cancelled, but the cancel is acknowledged");
      }
      return;
    case Request::Kind::kOperate:
      if (!request.was_done) fail("ack after commit", request.id, "was not operated on");
      return;
    case Request::Kind::kWait: {
      const auto summary = wire::decode_body<wire::OrderSummary>(answer.body);
      if (!summary) throw Violation("bodies decode", "answer to a wait");
      const auto status = from_word<OrderStatus, kOrderStatuses>(summary->status);
      const bool is_true =
          order != nullptr && status &&
          (*status == order->status || (*status == OrderStatus::kParked && order->was_parked));
      if (!is_true && request.text.empty()) {
        fail("answers match the tables", request.id, "is said to be " + summary->status);
      }
      return;
    }
    case Request::Kind::kSignal: return signals.check_ack(request.id, request.text);
    case Request::Kind::kOther: return;
  }
}

void Checker::sent_offer(const wire::Offer& offer) const {
  const MemoryDatabase& database = *databases_.at(offer.key.order.shard());
  if (offer.fence.epoch != database.epoch()) return;  // of an owner that was deposed a moment ago
  const Story* order = story(offer.key.order);
  if (order == nullptr) fail("dispatch after commit", offer.key.order, "is offered but not there");
  const bool is_undo = offer.key.kind == TaskKind::kCompensate;
  const bool is_over = is_final(order->status) && !order->goes_on(offer.key.step);
  if (is_over || order->is_ending != is_undo) {
    fail("an ended order stays ended", offer.key.order,
         "is " + std::string(to_string(order->status)) + " and offered");
  }
  if (!is_undo && !order->may_open({offer.key.step, offer.key.branch})) {
    fail("predecessors first", offer.key.order,
         describe(offer.key) + " is offered before what it comes after is done");
  }
  for (const auto& result : offer.results) {
    const auto step = order->pipeline->find(result.step);
    const auto done = order->done.find({step.value_or(0), result.branch});
    if (!step || done == order->done.end() || done->second != result.result) {
      fail("offers carry recorded results", offer.key.order, "step " + result.step);
    }
  }
  if (offer.element.empty() == order->branches.contains(offer.key.step)) {
    fail("a branch an element", offer.key.order, describe(offer.key) + " " + offer.element);
  }
  Ledger::check_trace(offer);
  check_offer_rows(offer, *order);
  check_maybe(offer, *order);
}

void Checker::check_offer_rows(const wire::Offer& offer, const Story& order) const {
  const auto row = order.rows.find(offer.key);
  if (row == order.rows.end()) {
    fail("dispatch after commit", offer.key.order, "has no row for " + describe(offer.key));
  }
  if (row->second.state == TaskState::kParked) {
    fail("parked tasks leave by an operator", offer.key.order, describe(offer.key) + " is offered");
  }
  // One more than the attempts that ended, or than the last grant where that one's end is not in
  // the row: its owner may have been another, and may have made it or not.
  const auto of_epoch = static_cast<std::uint32_t>(row->second.seq >> 40);
  const std::uint32_t ended = row->second.attempt;
  const auto* newest = ledger.grant(offer.key);
  const bool may_skip =
      of_epoch < offer.fence.epoch || (newest != nullptr && newest->current.attempt == ended + 1);
  const bool is_next =
      offer.fence.attempt == ended + 1 || (may_skip && offer.fence.attempt == ended + 2);
  if (!is_next) {
    fail("attempts grow by one", offer.key.order,
         describe(offer.key) + " goes out as attempt " + std::to_string(offer.fence.attempt) +
             " after " + std::to_string(ended));
  }
}

/// A handler that is not warned may do its effect without looking whether it is done.
void Checker::check_maybe(const wire::Offer& offer, const Story& order) const {
  if (offer.maybe) return;
  for (const auto& execution : ledger.executions_of(offer.key)) {
    if (order.ended.contains({offer.key, execution.fence.attempt})) continue;
    fail("what may have run is said", offer.key.order,
         describe(offer.key) + "@" + describe(offer.fence) + " goes out without maybe, but " +
             describe(execution.fence) + " was begun");
  }
}

void Checker::sent_recorded(const wire::Recorded& recorded) const {
  if (recorded.code != 0) return;
  const Story* order = story(recorded.key.order);
  if (order == nullptr || !order->ended.contains({recorded.key, recorded.fence.attempt})) {
    fail("recorded after commit", recorded.key.order,
         describe(recorded.key) + "@" + describe(recorded.fence) + " is not in the tables");
  }
}

// ---- the end -----------------------------------------------------------------------------------

bool Checker::all_settled() const {
  return std::all_of(stories_.begin(), stories_.end(), [&](const auto& entry) {
    const Story& order = entry.second;
    if (!is_final(order.status) && order.status != OrderStatus::kParked) return false;
    if (signals.has_kept(entry.first)) return false;
    return std::all_of(order.rows.begin(), order.rows.end(), [](const auto& row) {
      return row.second.state == TaskState::kParked || row.first.kind == TaskKind::kDeadline;
    });
  });
}

std::vector<OrderId> Checker::parked_orders() const {
  std::vector<OrderId> ids;
  for (const auto& [id, order] : stories_) {
    const bool has_parked = std::any_of(order.rows.begin(), order.rows.end(), [](const auto& row) {
      return row.second.state == TaskState::kParked;
    });
    if (has_parked) ids.push_back(id);
  }
  return ids;
}

std::vector<OrderId> Checker::known_orders() const {
  std::vector<OrderId> ids;
  for (const auto& [id, order] : stories_) ids.push_back(id);
  return ids;
}

std::vector<Checker::Parked> Checker::parked_steps(const OrderId& id) const {
  std::vector<Parked> names;
  const Story* order = story(id);
  if (order == nullptr) return names;
  for (const auto& [key, row] : order->rows) {
    if (row.state != TaskState::kParked) continue;
    // An operator names a step's own task and that of its fallback the same way.
    const bool is_undo = key.kind == TaskKind::kCompensate;
    names.emplace_back(order->pipeline->steps[key.step].name, key.branch, is_undo ? 1 : 0);
  }
  return names;
}

std::string Checker::who_waits() const {
  std::string text;
  for (const auto& [id, order] : stories_) {
    if (is_final(order.status) && !signals.has_kept(id)) continue;
    text += "  order " + id.to_string() + " of shard " + std::to_string(id.shard()) + " is " +
            std::string(to_string(order.status)) + ":";
    for (const auto& [key, row] : order.rows) {
      text += " step " + describe(key) + " " + std::string(to_string(row.state)) + " attempt " +
              std::to_string(row.attempt) + " of epoch " + std::to_string(row.seq >> 40);
    }
    text += "\n";
  }
  return text;
}

void Checker::check_end() const {
  for (const auto& [id, payloads] : acknowledged_) {
    const Story* order = story(id);
    if (order == nullptr) fail("no lost ack", id, "was acknowledged and is gone");
    for (const auto& payload : payloads) {
      if (payload != order->payload && payload != order->merged)
        fail("ack of what was asked", id, "has other content");
    }
  }
  for (const auto& [id, payloads] : refused_) {
    const Story* order = story(id);
    if (order == nullptr || !payloads.contains(order->payload)) continue;
    // The same order may have been handed in twice, and the other caller been told something else.
    const auto told = [&](const auto& others) {
      const auto known = others.find(id);
      return known != others.end() && known->second.contains(order->payload);
    };
    if (told(acknowledged_) || told(in_doubt_)) continue;
    fail("refused means never", id, "is there, but its caller was told that nothing happened");
  }
  for (const auto& database : databases_) {
    for (const auto& [id, row] : database->orders()) {
      const Story* order = story(id);
      if (order == nullptr) fail("tables and picture agree", id, "appeared from nowhere");
      if (database->status(id) != order->status) {
        fail("status is the last one told", id, "is " + std::string(to_string(order->status)));
      }
    }
  }
}

}  // namespace ordo::sim
