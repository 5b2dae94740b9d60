// I1, I3, I4, I8, I9, I13: what the tables alone can contradict.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "examples/shop/verify/verify.hpp"

namespace ordo::shop {
namespace {

/// What a deadline or a wait may be late: the engine looks at them in turns, and a machine may be
/// busy.
constexpr std::int64_t kGrace_ms = 10'000;
/// Two clocks' rounding, and the clock of PostgreSQL against the engine's.
constexpr std::int64_t kSlack_ms = 60;
/// The engine draws a delay between half of it and the whole.
constexpr double kJitter = 0.5;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_operators(const EventFact& event) { return event.kind.starts_with("operator_"); }

/// Whether a step is done with that event, so that others may open.
bool opens_others(const EventFact& event) {
  static constexpr std::array<std::string_view, 5> kKinds{"succeeded", "signalled", "skipped",
                                                          "operator_skip", "operator_complete"};
  return is_one_of(event.kind, kKinds) && event.task_kind != 1;
}

/// Whether it may stand once only for a task.
bool is_final(const EventFact& event) {
  static constexpr std::array<std::string_view, 4> kKinds{"succeeded", "skipped", "operator_skip",
                                                          "operator_complete"};
  return is_one_of(event.kind, kKinds);
}

bool is_attempt(const EventFact& event) {
  static constexpr std::array<std::string_view, 3> kKinds{"succeeded", "attempt_failed", "failed"};
  return is_one_of(event.kind, kKinds);
}

/// Steps that may open although those they come after are not done.
bool is_way_out(const Pipeline& pipeline, const Step& step) {
  return std::any_of(pipeline.steps.begin(), pipeline.steps.end(),
                     [&](const Step& other) { return other.on_timeout_step == step.name; });
}

void check_order_sequence(const Records& records, const std::vector<const EventFact*>& events,
                          Finding& finding) {
  const Pipeline* const pipeline = records.pipeline_of(events.front()->order);
  if (pipeline == nullptr) return;
  std::set<StepIndex> done;
  for (const EventFact* event : events) {
    // An order that was made again has steps that nobody saw.
    if (event->kind == "restored") return;
    const Step* const step = records.step_of(event->order, event->step);
    if (step == nullptr || event->task_kind == 1 || event->task_kind == 2) continue;
    if (event->kind == "succeeded" && !is_way_out(*pipeline, *step)) {
      for (const StepIndex before : step->after) {
        if (done.contains(before)) continue;
        finding.add(event->order + ": " + step->name + " is done before " +
                    pipeline->steps[before].name);
      }
    }
    if (opens_others(*event)) done.insert(static_cast<StepIndex>(event->step));
  }
}

}  // namespace

void check_acks(const Records& records, Finding& finding) {
  const std::int64_t now = records.world.now_ms - kGrace_ms;
  for (const std::string& id : *records.world.acked) {
    const auto found = records.orders.find(id);
    if (found == records.orders.end()) {
      finding.add(id + " was acknowledged and is not there");
      continue;
    }
    const OrderFact& order = *found->second;
    if (is_ended(order.status) || order.status == "parked" || order.status == "paused") continue;
    if (order.deadline_ms && *order.deadline_ms < now && order.status != "compensating") {
      finding.add(id + " is still " + order.status + " after its deadline");
    }
    const auto owed = records.owed.find(id);
    if (owed == records.owed.end()) continue;
    for (const OwedFact* row : owed->second) {
      if (!row->run_at_ms || *row->run_at_ms >= now || row->state == "task") continue;
      finding.add(records.name_of({id, row->step, row->branch, row->task_kind}) + " is " +
                  row->state + " past its time");
    }
  }
}

void check_owed(const Records& records, Finding& finding) {
  for (const OrderFact& order : records.world.orders) {
    if (is_ended(order.status)) continue;
    const auto owed = records.owed.find(order.id);
    const bool has_work = owed != records.owed.end() &&
                          std::any_of(owed->second.begin(), owed->second.end(),
                                      [](const OwedFact* row) { return row->task_kind != 2; });
    if (!has_work) finding.add(order.id + " is " + order.status + " and nothing is owed to it");
  }
}

void check_sequence(const Records& records, Finding& finding) {
  for (const auto& [order, events] : records.events) {
    check_order_sequence(records, events, finding);
  }
  for (const auto& [task, events] : records.of_task) {
    if (task.step < 0) continue;
    const auto times = std::count_if(events.begin(), events.end(),
                                     [](const EventFact* event) { return is_final(*event); });
    if (times > 1) finding.add(records.name_of(task) + " is done twice");
  }
}

void check_retries(const Records& records, Finding& finding) {
  for (const auto& [task, events] : records.of_task) {
    const Step* const step = records.step_of(task.order, task.step);
    if (step == nullptr) continue;
    const RetryPolicy& policy = task.task_kind == 1 ? step->compensate_retry : step->retry;
    int failures = 0;
    const EventFact* failed = nullptr;
    for (const EventFact* event : events) {
      if (failed != nullptr && is_attempt(*event)) {
        const double delay =
            std::min(static_cast<double>(policy.cap.count()),
                     static_cast<double>(policy.first.count()) *
                         std::pow(policy.factor, static_cast<double>(failures - 1)));
        const std::int64_t gap = event->at_ms - event->ms - failed->at_ms;
        if (static_cast<double>(gap + kSlack_ms) < delay * kJitter) {
          finding.add(records.name_of(task) + " was tried again after " + std::to_string(gap) +
                      " ms, its delay is " + std::to_string(std::llround(delay)) + " ms");
        }
      }
      const bool is_failure = event->kind == "attempt_failed";
      failed = is_failure ? event : nullptr;
      if (is_failure) ++failures;
      if (is_operators(*event)) failures = 0;
    }
  }
}

void check_parked(const Records& records, Finding& finding) {
  for (const auto& [task, events] : records.of_task) {
    if (task.step < 0) continue;
    bool is_parked = false;
    for (const EventFact* event : events) {
      if (is_parked && !is_operators(*event) && event->kind != "cut") {
        finding.add(records.name_of(task) + " was parked, and then " + event->kind +
                    " without an operator");
      }
      is_parked = event->kind == "parked";
    }
    const auto order = records.orders.find(task.order);
    const bool is_open = order != records.orders.end() && !is_ended(order->second->status);
    const auto owed = records.owed.find(task.order);
    std::ptrdiff_t rows = 0;
    if (owed != records.owed.end()) {
      rows = std::count_if(owed->second.begin(), owed->second.end(), [&](const OwedFact* row) {
        return row->step == task.step && row->branch == task.branch &&
               row->task_kind == task.task_kind && row->state == "parked";
      });
    }
    if (is_parked && is_open && rows != 1) {
      finding.add(records.name_of(task) + " was parked and stands there " + std::to_string(rows) +
                  " times");
    }
    if (!is_parked && rows > 0) {
      finding.add(records.name_of(task) + " stands parked without having been");
    }
  }
}

void check_rest(const Records& records, Finding& finding) {
  const auto& orders = records.world.orders;
  bool is_at_rest = std::all_of(orders.begin(), orders.end(),
                                [](const OrderFact& order) { return is_ended(order.status); });
  for (const OwedFact& row : records.world.owed) {
    const std::string name = records.name_of({row.order, row.step, row.branch, row.task_kind});
    const auto order = records.orders.find(row.order);
    const Step* const step = records.step_of(row.order, row.step);
    // What an order's end does not wait for may still be owed.
    const bool may_stay = step != nullptr && step->async && row.task_kind != 2;
    if (may_stay) is_at_rest = false;
    if (order == records.orders.end()) {
      finding.add(name + " is owed to an order that is not there");
    } else if (is_ended(order->second->status) && !may_stay) {
      finding.add(name + " is " + row.state + " though the order has " + order->second->status);
    }
  }
  if (!is_at_rest || !records.world.gauges) return;
  for (const auto& [name, value] : *records.world.gauges) {
    if (value != 0) finding.add(name + " is " + std::to_string(std::llround(value)) + " at rest");
  }
}

}  // namespace ordo::shop
