// Signals whose order is not there: kept, looked at again with growing gaps, delivered when the
// order has come, and after the last look in vain made into the order by the rule of its pipeline.
#include <algorithm>

#include "broker/core/opening.hpp"
#include "schema/hash.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// Read at once: with the largest payloads still a few megabytes.
constexpr std::uint32_t kSweepRows = 100;

/// Its labels tell an order that nobody submitted.
constexpr const char* kRestoredLabels = R"({"origin":"restored"})";

/// The steps that a step comes after, each behind what it comes after itself.
std::vector<StepIndex> in_order(const KnownPipeline& pipeline, StepIndex step) {
  std::vector<StepIndex> before;
  for (StepIndex one = 0; one < pipeline.steps.size(); ++one) {
    if (pipeline.ancestors[step].test(one)) before.push_back(one);
  }
  std::sort(before.begin(), before.end(), [&](StepIndex a, StepIndex b) {
    return std::pair(pipeline.ancestors[a].count(), a) <
           std::pair(pipeline.ancestors[b].count(), b);
  });
  return before;
}

}  // namespace

// ---- the sweep ----------------------------------------------------------------------------------

void Engine::State::sweep_signals(Shard& shard) {
  SignalSweep& sweep = shard.sweep;
  if (!shard.is_open() || sweep.is_paging) return;
  const Wall wall = shard.wall(now.steady);
  if (!sweep.next_due || *sweep.next_due > wall) {
    sweep.swept = now.steady;
    return;
  }
  sweep.next_due.reset();
  sweep.is_paging = true;
  PageSpec spec;
  spec.what = PageSpec::What::kSignals;
  spec.due_after = sweep.cursor;
  spec.after_seq = sweep.cursor_seq;
  spec.due_until = wall;
  spec.limit = kSweepRows;
  out->store.push_back({shard.number, LoadPage{shard.incarnation, std::move(spec)}});
}

void Engine::State::signals_paged(Shard& shard, event::PageLoaded& loaded) {
  SignalSweep& sweep = shard.sweep;
  const auto& signals = loaded.page.signals;
  sweep.is_paging = false;
  if (!signals.empty()) {
    sweep.cursor = *signals.back().next_at;
    sweep.cursor_seq = signals.back().seq;
  }
  if (loaded.page.next_due && !planted_.sweep_forgotten) sweep.expect(*loaded.page.next_due);
  if (loaded.page.is_last) sweep.swept = now.steady;
  for (const auto& signal : signals) look_at(shard, signal);
}

void Engine::State::look_at(Shard& shard, const SignalRow& row) {
  with_signals(shard, row.order, std::nullopt, [this, row](Order* order) {
    if (order == nullptr) return check_orphan(row, true);
    // What its order knows is newer than the page.
    const auto pipeline = get_text(row.note, "pipeline").value_or(order->pipeline->name);
    const auto kept = std::find_if(order->early.begin(), order->early.end(),
                                   [&](const auto& one) { return one.seq == row.seq; });
    if (kept == order->early.end()) return;
    if (pipeline == order->pipeline->name) return deliver(*order, {.signal = *kept, .asker = {}});
    file_away(
        *order, SignalRow(*kept),
        Error{Code::kConflict,
              "pipeline",
              "the order runs pipeline `" + order->pipeline->name + "`, not `" + pipeline + "`",
              {}});
  });
}

/// The database refused a write of signals, and the sweep has passed them: it begins anew, a moment
/// later, so that what is refused each time does not keep it busy.
void Engine::State::look_again(Shard& shard, const Write& write) {
  const auto& changes = write.store.changes;
  const bool has_signal = std::any_of(changes.begin(), changes.end(), [](const Change& change) {
    return std::holds_alternative<DeleteSignal>(change) ||
           std::holds_alternative<InsertSignal>(change);
  });
  if (!has_signal) return;
  shard.sweep.cursor = Wall{};
  shard.sweep.cursor_seq = 0;
  shard.sweep.expect(shard.wall(now.steady) + settings_.signal_gap);
}

// ---- signals without an order -------------------------------------------------------------------

/// What becomes of a signal whose order was looked for and is not there.
void Engine::State::keep_orphan(Asker asker, const SignalRow& signal) {
  Shard& shard = shards_.at(static_cast<ShardNumber>(signal.order.shard()));
  const std::int64_t age = to_ms(shard.wall(now.steady)) - signal.order.unix_ms();
  if (age > settings_.id_past.count() || -age > settings_.id_future.count()) {
    return answer(asker, Error{Code::kNotFound,
                               "unknown_order",
                               "there is no order " + signal.order.to_string() +
                                   ", and none with this id can come any more",
                               {}});
  }
  auto& rows = orphans_.rows;
  const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& one) {
    return one.name == signal.name && one.dedup == signal.dedup;
  });
  if (same != rows.end() && static_cast<std::size_t>(same - rows.begin()) < orphans_.durable) {
    return answer_duplicate(asker);
  }
  if (same != rows.end()) {  // on its way into the tables
    return with_signals(shard, signal.order, asker, [this, asker, signal](Order* order) {
      if (order == nullptr) return keep_orphan(asker, signal);
      deliver(*order, {.signal = signal, .asker = asker});
    });
  }
  if (rows.size() >= limits::kOrphanSignals || shard.sweep.kept >= limits::kKeptSignals) {
    Error busy{
        Code::kBusy, "kept_signals", "too many signals wait for orders that are not there", {}};
    busy.retry_after = Seconds{1};
    return answer(asker, busy);
  }
  SignalRow row = signal;
  row.at = shard.wall(now.steady);
  row.seq = shard.next_seq();
  row.next_at = row.at + gap_after(0) * settings_.signal_gap;
  ++shard.sweep.kept;
  shard.sweep.expect(*row.next_at);
  rows.push_back(row);
  Fact kept;
  kept.kind = FactKind::kSignal;
  kept.shard = shard.number;
  kept.key.order = row.order;
  kept.text = "kept";
  fact(std::move(kept));
  wire::Answer ok;
  ok.request = asker.request;
  commit_signals(shard, row.order, {InsertSignal{std::move(row)}},
                 Send{Send::To::kClient, asker.peer, std::move(ok)});
}

/// Changes of the signals of an order that is not there.
void Engine::State::commit_signals(Shard& shard, const OrderId& id, std::vector<Change> changes,
                                   std::optional<Send> ack) {
  auto write = std::make_unique<Write>();
  write->number = ++next_write_;
  write->store.order = id;
  write->store.changes = std::move(changes);
  for (const auto& change : write->store.changes) write->bytes += size_of(change);
  if (ack) write->once_durable.push_back(std::move(*ack));
  ++writes_in_flight_;
  out->store.push_back({shard.number, std::move(write)});
}

/// One more look in vain.
void Engine::State::check_orphan(const SignalRow& row, bool may_restore) {
  Shard& shard = shards_.at(static_cast<ShardNumber>(row.order.shard()));
  auto& rows = orphans_.rows;
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.seq == row.seq; });
  if (found == rows.end()) return;
  SignalRow signal = *found;
  rows.erase(found);
  --orphans_.durable;
  ++signal.checks;
  const auto named = versions_.find(get_text(signal.note, "pipeline").value_or(""));
  if (may_restore && signal.checks >= kSignalChecks && named != versions_.end()) {
    const KnownPipeline& pipeline = *named->second.rbegin()->second;
    const auto step = pipeline.find(pipeline.restore);
    if (step && pipeline.steps[*step].wait == signal.name) {
      return restore_order(shard, *step, pipeline, row);
    }
  }
  if (signal.checks == kSignalChecks) tell_stuck(signal);
  SignalRow next = std::move(signal);
  next.seq = shard.next_seq();
  next.next_at = shard.wall(now.steady) + gap_after(next.checks) * settings_.signal_gap;
  shard.sweep.expect(*next.next_at);
  std::vector<Change> changes{DeleteSignal{row.order, row.seq}};
  rows.push_back(next);  // on its way: who sends it again meanwhile waits for that
  if (!planted_.orphan_lost) changes.emplace_back(InsertSignal{std::move(next)});
  commit_signals(shard, row.order, std::move(changes), std::nullopt);
}

/// Somebody should look at it.
void Engine::State::tell_stuck(const SignalRow& signal) {
  Fact stuck;
  stuck.kind = FactKind::kSignalStuck;
  stuck.shard = static_cast<ShardNumber>(signal.order.shard());
  stuck.key.order = signal.order;
  stuck.text = signal.name;
  fact(std::move(stuck));
}

/// A page of what is kept, for people.
void Engine::State::list_signals(Asker asker, const wire::GetSignals& request) {
  const auto limit = std::clamp<std::uint32_t>(request.limit, 1, limits::kListPage);
  ask({.asker = asker, .kind = Question::Kind::kSignals, .shard = request.shard, .limit = limit},
      request.shard,
      {.what = QuerySpec::What::kSignals, .after_seq = request.after_seq, .limit = limit});
}

wire::SignalList Engine::State::signal_list(const Question& question,
                                            const std::vector<OrderRecord>& records) {
  wire::SignalList list;
  list.is_last = records.size() < question.limit;
  const Wall wall = shards_.at(question.shard).wall(now.steady);
  const auto ms = [](auto span) { return std::chrono::duration_cast<Millis>(span).count(); };
  for (const auto& record : records) {
    for (const SignalRow& row : record.signals) {
      wire::SignalView one;
      one.order = row.order;
      one.name = row.name;
      one.dedup = row.dedup;
      one.who = get_text(row.note, "who").value_or("");
      one.pipeline = get_text(row.note, "pipeline").value_or("");
      one.seq = row.seq;
      one.age_ms = ms(wall - row.at);
      one.checks = row.checks;
      if (row.next_at) one.next_ms = std::max<std::int64_t>(0, ms(*row.next_at - wall));
      one.payload_bytes = view(row.payload).size();
      list.signals.push_back(std::move(one));
    }
  }
  return list;
}

// ---- orders that are rebuilt --------------------------------------------------------------------

/// The order that nobody has seen but the sender of the signal: what the signal proves is done, and
/// the order goes on from there.
void Engine::State::restore_order(Shard& shard, StepIndex step, const KnownPipeline& pipeline,
                                  const SignalRow& signal) {
  wire::OrderRequest request;
  request.id = signal.order;
  request.pipeline = pipeline.name;
  if (signal.payload != nullptr) request.payload = *signal.payload;
  request.labels = kRestoredLabels;
  auto change = bring_in(shard, request, content_hash(signal.note, content_hash(kRestoredLabels)));
  Order& order = *change.order;
  order.is_restored = true;
  auto& event = note(change, EventKind::kRestored, nullptr);
  event.worker = get_text(signal.note, "who").value_or("");
  event.note =
      text_object({{"signal", signal.name}, {"dedup", signal.dedup}, {"origin", "restored"}});
  fact(about(FactKind::kOrderRestored, order));
  Opening opening(order);
  for (const StepIndex before : in_order(pipeline, step)) {
    // Nobody knows whether it ever ran: should the order end badly, it is undone with the rest.
    if (pipeline.steps[before].each.empty()) {  // of branches nobody knows how many there were
      note_maybe(change, {order.row.id, before, 0, TaskKind::kForward}, "restored");
    }
    skip_unopened(change, opening, before, text_object({{"reason", "restored"}}));
  }
  order.opened.set(step);
  note_signal(change, {order.row.id, step, 0, TaskKind::kForward}, signal);
  delete_signal(change, signal);
  if (!planted_.restored_twice) {
    opening.done.push_back(step);
  } else {  // a bug on purpose: the step waits although its signal is there
    order.done.reset(step);
    opening.tasks.emplace_back(step, BranchIndex{0});
  }
  opening.fields.emplace(order.row.context);
  for (StepIndex first = 0; first < pipeline.steps.size(); ++first) {
    if (pipeline.is_first(first)) consider(change, opening, first);
  }
  open_found(change, opening);
  set_deadline(change);
  commit(std::move(change));
  with_order(shard, signal.order, std::nullopt, [this, signal](Order* known) {
    if (known == nullptr) check_orphan(signal, false);  // the database refused it
  });
}

/// The submit of an order that was rebuilt meanwhile: evidence of what it would have been.
void Engine::State::merge(Order& order, Asker asker, std::uint64_t hash, const Bytes& payload) {
  auto change = draft(shards_.at(order.shard), order);
  order.merged_hash = hash;
  auto& event = note(change, EventKind::kMerged, nullptr);
  event.detail = payload;
  event.note = text_object({{"hash", std::to_string(hash)}});
  fact(about(FactKind::kOrderMerged, order));
  wire::Answer ok;
  ok.request = asker.request;
  ok.reason = "merged";
  change.write->once_durable.push_back({Send::To::kClient, asker.peer, std::move(ok)});
  commit(std::move(change));
}

}  // namespace ordo
