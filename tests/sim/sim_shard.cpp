#include "tests/sim/sim_shard.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/network.hpp"

namespace ordo::sim {

/// How long a session is idle before it proves that it still owns its shard.
constexpr Micros kProbeAfter = Millis{300};
/// A payload or a result that begins like this breaks a CHECK of the tables, whoever writes it.
constexpr std::string_view kCulpritMark = "culprit";

namespace {

std::string describe_page(ShardNumber shard, const PageSpec& spec, const Result<Page>& page) {
  std::string text = "page of shard " + std::to_string(shard) + ": ";
  text += spec.what == PageSpec::What::kSignals ? "signals"
          : spec.what == PageSpec::What::kDue
              ? "due"
              : spec.queue + " priority " + std::to_string(spec.priority);
  text += " after " + std::to_string(spec.after_seq) + ":";
  if (!page) return text + " " + page.error().message;
  for (const auto& row : page->rows) {
    text += " " + describe(row.task.key) + "#" + std::to_string(row.task.seq);
  }
  for (const auto& signal : page->signals)
    text += " " + signal.name + "#" + std::to_string(signal.seq);
  return text + (page->is_last ? " and no more" : "");
}

}  // namespace

SimShard::SimShard(Context& context, Checker& checker, MemoryDatabase& database, Tell tell)
    : context_(context),
      checker_(checker),
      database_(database),
      tell_(std::move(tell)),
      queue_(database.shard()) {}

void SimShard::push(StoreOperation&& operation) {
  queue_.push(std::move(operation));
  if (!queue_.is_busy()) pump();
}

void SimShard::later(Micros delay, std::function<void()> action) {
  context_.time.after(delay, [this, action = std::move(action)] {
    if (!is_dead_) action();
  });
}

void SimShard::tell(std::vector<Event>&& events) {
  if (!queue_.is_open()) let_go_of_session();
  tell_(std::move(events));
  if (!queue_.is_busy()) pump();
}

/// A session that is given up ends at the server at once, or lingers with its lock.
void SimShard::let_go_of_session() {
  if (session_ == nullptr) return;
  const bool lingers =
      context_.fault(context_.store, context_.scenario.lock_lingers, Fault::kLockLingers);
  auto session = std::exchange(session_, nullptr);
  if (!lingers) return;  // what is still under way at the server may hold it a little longer
  context_.time.after(context_.store.between(Millis{50}, Millis{6000}),
                      [session]() mutable { session.reset(); });
}

void SimShard::die() {
  is_dead_ = true;
  let_go_of_session();
}

void SimShard::pump() {
  const CommitQueue::Work work = queue_.next();
  ++idle_round_;
  if (std::holds_alternative<CommitQueue::Open>(work)) return open();
  if (const auto* commit_work = std::get_if<CommitQueue::Commit>(&work)) {
    return commit(commit_work->batch);
  }
  if (!std::holds_alternative<CommitQueue::Idle>(work)) return read(work);
  if (!queue_.is_open()) return;
  later(kProbeAfter, [this, round = idle_round_] {
    if (round == idle_round_ && !queue_.is_busy() && queue_.is_open()) probe();
  });
}

Micros SimShard::commit_time() {
  Micros time = context_.store.around(context_.scenario.commit_delay) + Micros{20};
  if (context_.fault(context_.store, context_.scenario.commit_slow, Fault::kCommitSlow)) {
    time += context_.store.between(Millis{200}, Millis{5000});
  }
  return time;
}

void SimShard::open() {
  let_go_of_session();
  later(commit_time(), [this] {
    std::vector<Event> events;
    const auto& scenario = context_.scenario;
    if (context_.time.now() < context_.down_until[database_.shard()] ||
        context_.fault(context_.store, scenario.open_refused, Fault::kOpenRefused)) {
      queue_.opened(fail(Code::kUnavailable, "refused", "the server takes no connection"), events);
      return tell(std::move(events));
    }
    auto session = std::make_shared<MemoryStore>(database_);
    database_.set_now(context_.time.wall());
    auto taken = session->open();
    if (taken) {
      session_ = std::move(session);
      context_.trace([&] {
        return "TAKEOVER of shard " + std::to_string(database_.shard()) + " in epoch " +
               std::to_string(database_.epoch());
      });
    }
    later(commit_time(), [this, taken = std::move(taken)]() mutable {
      std::vector<Event> told;
      queue_.opened(std::move(taken), told);
      tell(std::move(told));
    });
  });
}

// ---- commits -----------------------------------------------------------------------------------

SimShard::Fate SimShard::draw_fate() {
  auto& chance = context_.store;
  const auto& s = context_.scenario;
  if (context_.fault(chance, s.commit_reject, Fault::kCommitRejected)) return Fate::kRejected;
  if (context_.fault(chance, s.in_doubt / 2, Fault::kInDoubtNotApplied)) return Fate::kLostBefore;
  if (context_.fault(chance, s.in_doubt / 3, Fault::kInDoubtApplied)) return Fate::kLostAfter;
  if (context_.fault(chance, s.in_doubt / 6, Fault::kAppliedAfterLoss))
    return Fate::kLostAppliedLate;
  if (context_.fault(chance, s.warning / 2, Fault::kCommitWarned)) return Fate::kWarned;
  if (context_.fault(chance, s.warning / 2, Fault::kWarnedAndGone)) return Fate::kWarnedAndGone;
  return Fate::kFine;
}

void SimShard::commit(std::span<const StoreWrite* const> batch) {
  const Fate fate = draw_fate();
  context_.trace([&] {
    std::string text = "commit on shard " + std::to_string(database_.shard()) + ":";
    for (const StoreWrite* write : batch) text += " " + write->order.to_string().substr(24);
    return text + (fate == Fate::kFine ? "" : " fate " + std::to_string(static_cast<int>(fate)));
  });
  const Micros there = commit_time();
  if (fate == Fate::kLostAppliedLate) {
    // The connection breaks; the backend does not know it yet and finishes what it was told.
    std::vector<StoreWrite> copies;
    copies.reserve(batch.size());
    for (const StoreWrite* write : batch) {
      checker_.copied(*write, copies.emplace_back(*write));
    }
    context_.time.after(there + context_.store.around(Millis{300}),
                        [this, session = session_, copies = std::move(copies)] {
                          std::vector<const StoreWrite*> late;
                          for (const auto& write : copies) late.push_back(&write);
                          if (has_culprit(late)) return;
                          const auto result = session->commit(late);
                          checker_.committed(database_.shard(), late, result);
                        });
  }
  context_.time.after(there, [this, batch, fate, session = session_] {
    if (!is_dead_) return carry_out(batch, fate);
    // The process died meanwhile: what had left it arrives, or does not.
    if (fate != Fate::kFine || !context_.store.chance(0.5) || session == nullptr) return;
    context_.coverage.count(Fault::kInDoubtApplied);
    const auto result = has_culprit(batch) ? CommitResult{CommitResult::Kind::kRejected, {}, {}}
                                           : session->commit(batch);
    checker_.committed(database_.shard(), batch, result);
  });
}

bool SimShard::has_culprit(std::span<const StoreWrite* const> batch) {
  const auto is_result = [](const AppendEvent* event) {
    return event != nullptr && event->row.kind == EventKind::kSucceeded;
  };
  const auto breaks_a_check = [&](const Change& change) {
    const auto* order = std::get_if<InsertOrder>(&change);
    const auto* event = std::get_if<AppendEvent>(&change);
    const std::string_view bytes = order != nullptr   ? view(order->row.payload)
                                   : is_result(event) ? view(event->row.detail)
                                                      : std::string_view{};
    return bytes.starts_with(kCulpritMark);
  };
  for (const StoreWrite* write : batch) {
    if (std::none_of(write->changes.begin(), write->changes.end(), breaks_a_check)) continue;
    context_.coverage.count(Fault::kCulprit);
    return true;
  }
  return false;
}

CommitResult SimShard::apply(std::span<const StoreWrite* const> batch) {
  if (has_culprit(batch)) {
    return {CommitResult::Kind::kRejected, {}, "new row violates a check constraint"};
  }
  CommitResult result = session_->commit(batch);
  checker_.committed(database_.shard(), batch, result);
  return result;
}

void SimShard::lose_session(const std::string& why, CommitResult& result) {
  result = {CommitResult::Kind::kLost, {}, why};
}

void SimShard::carry_out(std::span<const StoreWrite* const> batch, Fate fate) {
  CommitResult result;
  switch (fate) {
    case Fate::kFine: result = apply(batch); break;
    case Fate::kRejected:
      result = {CommitResult::Kind::kRejected, {}, "canceling statement due to lock timeout", true};
      break;
    case Fate::kLostBefore:
    case Fate::kLostAppliedLate: lose_session("server closed the connection", result); break;
    case Fate::kLostAfter:
      apply(batch);
      lose_session("server closed the connection", result);
      break;
    case Fate::kWarned:
    case Fate::kWarnedAndGone:
      // A warned commit may be on this server alone. A failover then forgets it and ends the
      // session.
      if (fate == Fate::kWarned) {
        result = apply(batch);
      } else {
        database_.terminate_owner();
      }
      if (!context_.is_planted("PB-08")) lose_session("commit came with a warning", result);
      break;
  }
  later(commit_time(), [this, result = std::move(result)] {
    std::vector<Event> events;
    queue_.committed(result, events);
    tell(std::move(events));
  });
}

// ---- reads -------------------------------------------------------------------------------------

void SimShard::read(const CommitQueue::Work& work) {
  later(commit_time(), [this, work] {
    const bool is_load = std::holds_alternative<CommitQueue::Load>(work);
    Result<std::vector<OrderSnapshot>> orders;
    Result<Page> page;
    if (is_load) {
      orders = session_->load(std::get<CommitQueue::Load>(work).ids);
    } else {
      const PageSpec& spec = *std::get<CommitQueue::ReadPage>(work).spec;
      page = session_->page(spec);
      context_.trace([&] { return describe_page(database_.shard(), spec, page); });
    }
    later(commit_time(),
          [this, is_load, orders = std::move(orders), page = std::move(page)]() mutable {
            std::vector<Event> events;
            if (is_load) {
              queue_.loaded(std::move(orders), events);
            } else {
              queue_.paged(std::move(page), events);
            }
            tell(std::move(events));
          });
  });
}

void SimShard::probe() {
  // A real session is busy while it probes; here nothing can come between, so one instant is as
  // good.
  std::vector<Event> events;
  queue_.probed(session_->probe(), events);
  tell(std::move(events));
}

}  // namespace ordo::sim
