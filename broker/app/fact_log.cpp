#include "broker/app/fact_log.hpp"

#include <utility>

#include "base/log.hpp"

namespace ordo {
namespace {

/// kOff for what is not logged.
log::Level level_of(FactKind kind) {
  switch (kind) {
    case FactKind::kShardLost:
    case FactKind::kWriteRejected:
    case FactKind::kRowMissing: return log::Level::kError;
    case FactKind::kTaskAlarm:
    case FactKind::kTaskParked:
    case FactKind::kWorkerLost:
    case FactKind::kShardRefused: return log::Level::kWarn;
    case FactKind::kWorkerJoined:
    case FactKind::kWorkerLeft:
    case FactKind::kWorkerResynced:
    case FactKind::kShardOpened: return log::Level::kInfo;
    case FactKind::kTaskTimedOut:
    case FactKind::kLeaseLost:
    case FactKind::kHandedBack:
    case FactKind::kResultStale:
    case FactKind::kTaskAdopted: return log::Level::kDebug;
    case FactKind::kOrderAccepted:
    case FactKind::kOrderDuplicate:
    case FactKind::kOrderRefused:
    case FactKind::kOrderEnded:
    case FactKind::kTaskReady:
    case FactKind::kTaskDispatched:
    case FactKind::kTaskEnded:
    case FactKind::kTaskRetried:
    case FactKind::kTaskCancelled:
    case FactKind::kResultRepeated:
    case FactKind::kBacklogged:
    case FactKind::kPagedIn:
    case FactKind::kJoinFired:
    case FactKind::kBusy:
    case FactKind::kTransition: break;
  }
  return log::Level::kOff;
}

std::string_view name_of(const std::string* name) {
  return name == nullptr ? std::string_view{} : std::string_view(*name);
}

}  // namespace

void FactLog::observe(const Fact& fact, Steady now) {
  const auto level = level_of(fact.kind);
  if (level == log::Level::kOff || !log::is_on(level) || !is_news(fact)) return;
  Budget& budget = budgets_[static_cast<std::size_t>(fact.kind)];
  if (now - budget.since >= Seconds{1}) {
    budget.since = now;
    budget.lines = 0;
  }
  if (budget.lines >= kLines) {
    ++budget.left_out;
    return;
  }
  ++budget.lines;
  write(fact, std::exchange(budget.left_out, 0));
}

bool FactLog::is_news(const Fact& fact) {
  if (fact.kind == FactKind::kShardOpened) refusals_.erase(fact.shard);
  if (fact.kind != FactKind::kShardRefused) return true;
  return std::exchange(refusals_[fact.shard], fact.text) != fact.text;
}

void FactLog::write(const Fact& fact, std::uint64_t left_out) {
  std::string event(to_string(fact.kind));
  for (char& c : event) c = c == '_' ? ' ' : c;
  if (left_out > 0) event += " (" + std::to_string(left_out) + " more before)";
  const auto level = level_of(fact.kind);
  if (!fact.key.order.is_zero()) {
    return log::write(level, event,
                      {{"order", fact.key.order.to_string()},
                       {"pipeline", name_of(fact.pipeline)},
                       {"step", name_of(fact.step)},
                       {"why", fact.text},
                       {"count", fact.count}});
  }
  const bool is_worker =
      fact.kind == FactKind::kWorkerJoined || fact.kind == FactKind::kWorkerLeft ||
      fact.kind == FactKind::kWorkerResynced || fact.kind == FactKind::kWorkerLost;
  if (is_worker) return log::write(level, event, {{"worker", fact.text}, {"count", fact.count}});
  if (fact.kind == FactKind::kShardOpened) {
    return log::write(level, event, {{"shard", fact.shard}, {"epoch", fact.count}});
  }
  log::write(level, event, {{"shard", fact.shard}, {"why", fact.text}});
}

}  // namespace ordo
