#include "broker/app/fact_log.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

/// kOff for what is not logged.
log::Level level_of(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::kShardLost:
    case FactKind::kWriteRejected:
    case FactKind::kRowMissing: return log::Level::kError;
    case FactKind::kTaskAlarm:
    case FactKind::kTaskParked:
    case FactKind::kDeadlineMissed:
    case FactKind::kWorkerLost:
    case FactKind::kOrderRestored:
    case FactKind::kSignalStuck:
    case FactKind::kLeaseLost:
    case FactKind::kResultStale:
    case FactKind::kShardRefused: return log::Level::kWarn;
    case FactKind::kWorkerJoined:
    case FactKind::kWorkerLeft:
    case FactKind::kWorkerResynced:
    case FactKind::kTaskRetried:
    case FactKind::kLateStarted:
    case FactKind::kOrderMerged:
    case FactKind::kCompensationBegun:
    case FactKind::kFellBack:
    case FactKind::kShardOpened: return log::Level::kInfo;
    case FactKind::kDependencyState:
      return fact.text == "open" ? log::Level::kWarn : log::Level::kInfo;
    case FactKind::kTaskEnded:
      return fact.text == "permanent" ? log::Level::kWarn : log::Level::kDebug;
    case FactKind::kOrderEnded:
      return fact.status == OrderStatus::kSucceeded ? log::Level::kDebug : log::Level::kInfo;
    case FactKind::kCompensationEnded:  // its order's end says the same
    case FactKind::kStepSkipped:
      return fact.text == "when" ? log::Level::kDebug : log::Level::kInfo;
    case FactKind::kOrderAccepted:
    case FactKind::kTaskDispatched:
    case FactKind::kTaskTimedOut:  // its end as retried or parked says the same
    case FactKind::kHandedBack:
    case FactKind::kTaskAdopted: return log::Level::kDebug;
    case FactKind::kOrderDuplicate:
    case FactKind::kOrderRefused:
    case FactKind::kTaskReady:
    case FactKind::kTaskCancelled:
    case FactKind::kResultRepeated:
    case FactKind::kTaskHeld:
    case FactKind::kBacklogged:
    case FactKind::kPagedIn:
    case FactKind::kJoinFired:
    case FactKind::kBusy:
    case FactKind::kWaitGivenUp:
    case FactKind::kSignal:
    case FactKind::kWaitTimedOut:
    case FactKind::kPipelineKnown:
    case FactKind::kTransition: break;
  }
  return log::Level::kOff;
}

std::string sentence(FactKind kind) {
  std::string text(to_string(kind));
  for (char& c : text) c = c == '_' ? ' ' : c;
  return text;
}

/// The fields of one line; the texts live as long as this.
class Line {
 public:
  explicit Line(const Fact& fact) : fact_(fact) {
    if (!fact.key.order.is_zero()) {
      add_order();
    } else if (fact.kind == FactKind::kDependencyState) {
      add("dependency", *fact.dependency);
      add_text("breaker", fact.text);
    } else if (is_about_worker()) {
      add("worker", fact.text);
      if (fact.count != 0) add("slots", fact.count);
    } else {
      add("shard", fact.shard);
      if (fact.kind == FactKind::kShardOpened) add("epoch", fact.count);
      add_text("why", fact.text);
    }
  }

  void write(std::uint64_t left_out) {
    if (left_out > 0) add("left_out", left_out);
    log::write_all(level_of(fact_), sentence(fact_.kind), fields_);
  }

 private:
  template <class T> void add(std::string_view key, const T& value) {
    fields_.emplace_back(key, value);
  }
  void add_text(std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, text);
  }

  [[nodiscard]] bool is_about_worker() const {
    return fact_.kind == FactKind::kWorkerJoined || fact_.kind == FactKind::kWorkerLeft ||
           fact_.kind == FactKind::kWorkerResynced || fact_.kind == FactKind::kWorkerLost;
  }

  void add_order() {
    order_ = fact_.key.order.to_string();
    add("order", order_);
    if (fact_.pipeline != nullptr) add("pipeline", *fact_.pipeline);
    if (fact_.step != nullptr) add("step", *fact_.step);
    if (fact_.key.branch != 0) add("branch", fact_.key.branch);
    if (fact_.attempt != 0) add("attempt", fact_.attempt);
    add_text("worker", fact_.worker_name);
    add("shard", fact_.shard);
    if (fact_.kind == FactKind::kOrderEnded) add("status", to_string(fact_.status));
    add_text("why", fact_.text);
    add_text("error", fact_.error);
    if (fact_.kind == FactKind::kTaskRetried) {
      add("failures", fact_.count);
      add("retry_in_ms", std::chrono::duration_cast<Millis>(fact_.took).count());
    }
    if (fact_.trace_id.front() == '\0') return;
    add("trace_id", std::string_view(fact_.trace_id.data(), fact_.trace_id.size()));
    if (fact_.step == nullptr || fact_.attempt == 0) return;
    span_ = span_id(effect_key(fact_.key, *fact_.step), fact_.attempt);
    add("span_id", span_);
  }

  const Fact& fact_;
  std::string order_, span_;
  std::vector<log::Field> fields_;
};

}  // namespace

void FactLog::observe(const Fact& fact, Steady now) {
  const auto level = level_of(fact);
  if (level == log::Level::kOff || !log::is_on(level) || !is_news(fact)) return;
  const auto left_out = budgets_[static_cast<std::size_t>(fact.kind)].spend(now);
  if (left_out) Line(fact).write(*left_out);
}

void FactLog::flush(Steady now) {
  for (std::size_t kind = 0; kind < budgets_.size(); ++kind) {
    const auto left_out = budgets_[kind].overdue(now);
    if (left_out == 0) continue;
    log::warn("lines left out",
              {{"of", sentence(static_cast<FactKind>(kind))}, {"left_out", left_out}});
  }
}

bool FactLog::is_news(const Fact& fact) {
  if (fact.kind == FactKind::kShardOpened) refusals_.erase(fact.shard);
  if (fact.kind != FactKind::kShardRefused) return true;
  return std::exchange(refusals_[fact.shard], fact.text) != fact.text;
}

}  // namespace ordo
