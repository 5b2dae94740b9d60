// What the form in memory pages in: see store.hpp.
#include <algorithm>
#include <limits>
#include <utility>

#include "broker/store/memory_store.hpp"

namespace ordo {
namespace {

/// Behind every task of one place in line.
OrderId last_id() {
  std::array<std::uint8_t, 16> bytes{};
  bytes.fill(0xff);
  return OrderId(bytes);
}
const TaskKey kLastKey{last_id(), 0xffff, 0xffff, static_cast<TaskKind>(0xff)};

}  // namespace

void MemoryDatabase::add_to_page(Page& page, const DeferredRow& row, bool is_suspect,
                                 std::uint64_t& bytes) const {
  page.rows.push_back(row);
  const auto known = [&](const OrderSnapshot& s) { return s.order.id == row.task.key.order; };
  if (std::any_of(page.orders.begin(), page.orders.end(), known)) return;
  if (auto found = snapshot(row.task.key.order)) {
    if (!is_suspect &&
        is_untouched(row)) {  // as PostgreSQL's store does it: nothing else is looked for
      OrderSnapshot whole;
      whole.order = std::move(found->order);
      whole.deferred.push_back(row);
      found = std::move(whole);
    }
    bytes += view(found->order.payload).size();
    page.orders.push_back(std::move(*found));
  }
}

Page MemoryDatabase::backlog_page(const PageSpec& spec) const {
  Page page;
  std::uint64_t bytes = 0;
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  auto it = spec.after_seq == kLast
                ? backlog_.end()
                : backlog_.lower_bound({spec.queue, spec.priority, spec.after_seq + 1, TaskKey{}});
  for (; it != backlog_.end(); ++it) {
    if (std::get<std::string>(*it) != spec.queue || std::get<std::uint8_t>(*it) != spec.priority) {
      break;
    }
    if (page.rows.size() == spec.limit || (!page.rows.empty() && bytes >= spec.limit_bytes)) {
      page.is_last = false;
      break;
    }
    add_to_page(page, deferred_.at(std::get<TaskKey>(*it)), spec.is_suspect, bytes);
  }
  return page;
}

Page MemoryDatabase::held_page(const PageSpec& spec) const {
  Page page;
  std::uint64_t bytes = 0;
  for (auto it = held_.upper_bound({spec.holder, spec.queue, spec.after_seq, kLastKey});
       it != held_.end(); ++it) {
    const auto& [holder, queue, seq, key] = *it;
    if (holder != spec.holder || queue != spec.queue) break;
    if (page.rows.size() == spec.limit || (!page.rows.empty() && bytes >= spec.limit_bytes)) {
      page.is_last = false;
      break;
    }
    add_to_page(page, deferred_.at(key), spec.is_suspect, bytes);
  }
  return page;
}

Page MemoryDatabase::due_page(const PageSpec& spec) const {
  Page page;
  std::uint64_t bytes = 0;
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  auto it = spec.after_seq == kLast
                ? due_.lower_bound(
                      {spec.due_after + Micros{1}, std::numeric_limits<std::int64_t>::min(), {}})
                : due_.lower_bound({spec.due_after, spec.after_seq + 1, TaskKey{}});
  for (; it != due_.end() && std::get<Wall>(*it) <= spec.due_until; ++it) {
    if (page.rows.size() == spec.limit || (!page.rows.empty() && bytes >= spec.limit_bytes)) {
      page.is_last = false;
      break;
    }
    add_to_page(page, deferred_.at(std::get<TaskKey>(*it)), spec.is_suspect, bytes);
  }
  if (it != due_.end()) page.next_due = std::get<Wall>(*it);
  return page;
}

Page MemoryDatabase::signals_page(const PageSpec& spec) const {
  Page page;
  auto it = kept_.upper_bound({spec.due_after, {spec.after_seq, last_id()}});
  for (; it != kept_.end() && it->first <= spec.due_until; ++it) {
    if (page.signals.size() == spec.limit) {
      page.is_last = false;
      break;
    }
    page.signals.push_back(signals_.at({it->second.second, it->second.first}));
  }
  if (it != kept_.end()) page.next_due = it->first;
  return page;
}

}  // namespace ordo
