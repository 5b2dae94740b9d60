// What people read from the form in memory: see store.hpp.
#include <algorithm>
#include <iterator>

#include "broker/store/memory_store.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

/// Of a record's events those that a list has: the last failure of each parked task, or none.
void keep_failures(OrderRecord& record, bool is_parked) {
  std::vector<EventRow> kept;
  for (const DeferredRow& row : record.deferred) {
    if (!is_parked || row.state != TaskState::kParked) continue;
    const auto found =
        std::find_if(record.events.rbegin(), record.events.rend(), [&row](const EventRow& event) {
          return event.step == row.task.key.step && event.branch == row.task.key.branch &&
                 event.task_kind == row.task.key.kind &&
                 (event.kind == EventKind::kParked || event.kind == EventKind::kAttemptFailed);
        });
    if (found != record.events.rend()) kept.push_back(*found);
  }
  std::sort(kept.begin(), kept.end(),
            [](const EventRow& a, const EventRow& b) { return a.seq < b.seq; });
  record.events = std::move(kept);
}

}  // namespace

Result<std::vector<OrderRecord>> MemoryReader::query(const QuerySpec& spec) {
  using What = QuerySpec::What;
  std::vector<OrderRecord> records;
  if (spec.what == What::kSignals) {
    std::map<std::int64_t, const SignalRow*> kept;
    for (const auto& [key, row] : database_.signals_) {
      if (row.next_at && row.seq > spec.after_seq) kept.emplace(row.seq, &row);
    }
    for (const auto& [seq, row] : kept) {
      if (records.size() == spec.limit) break;
      records.push_back({});
      records.back().order.id = row->order;
      records.back().signals.push_back(*row);
    }
    return records;
  }
  if (spec.what == What::kOrder || spec.what == What::kEvents) {
    auto record = database_.record(spec.id);
    if (!record) return records;
    auto& events = record->events;
    if (spec.what == What::kEvents) {
      std::erase_if(events, [&](const EventRow& e) { return e.seq <= spec.after_seq; });
      if (events.size() > limits::kEventsPage) events.resize(limits::kEventsPage);
      record->order.payload = nullptr;
      record->order.context.clear();
    } else if (events.size() > limits::kEventsPage) {
      events.erase(events.begin(), events.end() - limits::kEventsPage);
    }
    records.push_back(std::move(*record));
    return records;
  }
  const auto wanted = [&](const OrderRow& row) {
    if (spec.what == What::kRecent) return true;
    if (spec.what == What::kByCustomer) return row.customer == spec.customer;
    if (spec.what == What::kOpen) return !is_final(database_.status(row.id));
    const auto& rows = database_.deferred_;
    auto it = rows.lower_bound(TaskKey{row.id, 0, 0, TaskKind::kForward});
    for (; it != rows.end() && it->first.order == row.id; ++it) {
      if (it->second.state == TaskState::kParked) return true;
    }
    return false;
  };
  const auto take = [&](auto begin, auto end) {
    for (auto it = begin; it != end && records.size() < spec.limit; ++it) {
      if (!wanted(it->second)) continue;
      records.push_back(*database_.record(it->first));
      records.back().order.payload = nullptr;
      records.back().order.context.clear();
      keep_failures(records.back(), spec.what == What::kParked);
    }
  };
  const auto& orders = database_.orders_;
  if (spec.what == What::kByCustomer || spec.what == What::kRecent) {  // newest first
    auto begin = spec.after.is_zero() ? orders.rbegin()
                                      : std::make_reverse_iterator(orders.lower_bound(spec.after));
    take(begin, orders.rend());
  } else {
    take(orders.upper_bound(spec.after), orders.end());
  }
  return records;
}

}  // namespace ordo
