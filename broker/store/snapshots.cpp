#include "broker/store/snapshots.hpp"

#include <algorithm>
#include <unordered_map>

#include "broker/store/binary_array.hpp"
#include "broker/store/row_reader.hpp"
#include "broker/store/statements.hpp"

namespace ordo {
namespace {

constexpr const char* kOrders = "orders_of";
constexpr const char* kTasks = "tasks_of";
constexpr const char* kDeferred = "deferred_of";
constexpr const char* kDeciding = "deciding_events_of";
constexpr const char* kEvents = "events_of";
constexpr const char* kStatuses = "statuses_of";
constexpr const char* kBacklogPage = "backlog_page";
constexpr const char* kDuePage = "due_page";
constexpr const char* kNextDue = "next_due";

pqxx::binarystring binary(std::string_view bytes) {
  return pqxx::binarystring(bytes.data(), bytes.size());
}

using Places = std::unordered_map<OrderId, std::size_t>;

/// Where each order is in `orders`, which may be of snapshots or records.
template <class Orders> Places places_of(const Orders& orders) {
  Places places;
  places.reserve(orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) places.emplace(orders[i].order.id, i);
  return places;
}

/// What a deciding event adds to the snapshot of its order; events come ascending by seq.
void add_event(OrderSnapshot& snapshot, RowReader& row) {
  const std::string kind = row.text();
  if (const std::string status = row.text(); !status.empty()) {
    snapshot.status = *from_word<OrderStatus, kOrderStatuses>(status);
  }
  if (kind == to_string(EventKind::kCancelRequested)) snapshot.is_cancelled = true;
  const bool is_skipped = kind == to_string(EventKind::kOperatorSkip);
  const bool is_done = is_skipped || kind == to_string(EventKind::kSucceeded) ||
                       kind == to_string(EventKind::kOperatorComplete);
  const auto step = row.number_or_null();
  if (!is_done || !step) return;
  DoneStep done;
  done.step = static_cast<StepIndex>(*step);
  done.branch = static_cast<BranchIndex>(row.number());
  done.kind = static_cast<TaskKind>(row.number());
  done.is_skipped = is_skipped;
  done.attempt = static_cast<std::uint32_t>(row.number());
  done.result = row.bytes();
  done.context = row.text();
  snapshot.done.push_back(std::move(done));
}

/// Fields of one page row: the deferred row, then the order.
constexpr pqxx::row::size_type kOrderField = 14;

}  // namespace

/// The parameters of every look-up by ids.
struct Snapshots::Ids {
  explicit Ids(std::span<const OrderId> ids) {
    BinaryArray all(ElementType::kUuid);
    OrderId low = ids.empty() ? OrderId{} : ids.front();
    OrderId high;
    for (const OrderId& id : ids) {
      all.add(id);
      low = std::min(low, id);
      high = std::max(high, id);
    }
    const auto bound = [](const OrderId& id) {
      return pqxx::binarystring(id.bytes().data(), id.bytes().size());
    };
    parameters = {binary(all.encoded()), bound(low), bound(high)};
  }
  std::vector<pqxx::binarystring> parameters;
};

Snapshots::Snapshots(Connection& connection) : connection_(connection) {
  connection_.prepare(kOrders, statements::orders());
  connection_.prepare(kTasks, statements::tasks());
  connection_.prepare(kDeferred, statements::deferred());
  connection_.prepare(kDeciding, statements::deciding_events());
  connection_.prepare(kEvents, statements::events());
  connection_.prepare(kStatuses, statements::statuses());
  connection_.prepare(kBacklogPage, statements::backlog_page());
  connection_.prepare(kDuePage, statements::due_page());
  connection_.prepare(kNextDue, statements::kNextDue);
}

template <class Visit>
Tried<void> Snapshots::each(const char* statement, const Ids& ids, const Visit& visit) {
  const auto rows = connection_.run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(statement, pqxx::prepare::make_dynamic_params(ids.parameters));
  });
  if (!rows) return tl::unexpected(rows.error());
  for (const auto& row : *rows) {
    RowReader reader(row);
    visit(reader);
  }
  return {};
}

/// Adds tasks, deferred rows and what the events say to snapshots that have their orders.
Tried<void> Snapshots::complete(const Ids& ids, std::vector<OrderSnapshot>& orders) {
  const Places places = places_of(orders);
  const auto find = [&](const OrderId& id) -> OrderSnapshot* {
    const auto place = places.find(id);
    return place == places.end() ? nullptr : &orders[place->second];
  };
  auto done = each(kTasks, ids, [&](RowReader& row) {
    TaskRow task = row.task();
    if (auto* order = find(task.key.order)) order->tasks.push_back(std::move(task));
  });
  if (!done) return done;
  done = each(kDeferred, ids, [&](RowReader& row) {
    DeferredRow deferred = row.deferred();
    if (auto* order = find(deferred.task.key.order)) order->deferred.push_back(std::move(deferred));
  });
  if (!done) return done;
  return each(kDeciding, ids, [&](RowReader& row) {
    if (auto* order = find(row.id())) add_event(*order, row);
  });
}

Tried<std::vector<OrderSnapshot>> Snapshots::load(std::span<const OrderId> ids) {
  std::vector<OrderSnapshot> orders;
  if (ids.empty()) return orders;
  const Ids parameters(ids);
  orders.reserve(ids.size());
  auto done = each(kOrders, parameters, [&](RowReader& row) {
    orders.push_back({});
    orders.back().order = row.order();
  });
  if (!done) return tl::unexpected(done.error());
  done = complete(parameters, orders);
  if (!done) return tl::unexpected(done.error());
  return orders;
}

Tried<pqxx::result> Snapshots::fetch_page(const PageSpec& spec) {
  const auto bytes = static_cast<std::int64_t>(spec.limit_bytes);
  const std::int64_t rows = std::int64_t{spec.limit} + 1;
  return connection_.run([&](pqxx::transaction_base& session) {
    if (spec.what == PageSpec::What::kBacklog) {
      return session.exec_prepared(kBacklogPage, bytes, spec.queue, int{spec.priority},
                                   spec.after_seq, rows);
    }
    return session.exec_prepared(kDuePage, bytes, binary(binary_moment(spec.due_after)),
                                 spec.after_seq, binary(binary_moment(spec.due_until)), rows);
  });
}

Tried<Page> Snapshots::page(const PageSpec& spec) {
  const auto rows = fetch_page(spec);
  if (!rows) return tl::unexpected(rows.error());
  Page page;
  page.rows.reserve(rows->size());
  page.orders.reserve(rows->size());
  std::vector<OrderId> ids;
  std::unordered_map<OrderId, bool> seen;
  std::uint64_t bytes = 0;
  for (const auto& row : *rows) {
    // One row more than wanted is read: it tells that the page is not the last.
    const bool is_full = page.rows.size() == spec.limit || bytes >= spec.limit_bytes;
    if (!page.rows.empty() && is_full) {
      page.is_last = false;
      break;
    }
    page.rows.push_back(RowReader(row).deferred());
    const OrderId id = page.rows.back().task.key.order;
    if (!seen.emplace(id, true).second) continue;
    ids.push_back(id);
    page.orders.push_back({});
    page.orders.back().order = RowReader(row, kOrderField).order();
    bytes += view(page.orders.back().order.payload).size();
  }
  if (!ids.empty()) {
    if (const auto done = complete(Ids(ids), page.orders); !done) {
      return tl::unexpected(done.error());
    }
  }
  if (spec.what == PageSpec::What::kBacklog) return page;
  const bool has_rows = !page.rows.empty();
  const Wall after = has_rows ? *page.rows.back().run_at : spec.due_after;
  const std::int64_t after_seq = has_rows ? page.rows.back().task.seq : spec.after_seq;
  const auto next = connection_.run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(kNextDue, binary(binary_moment(after)), after_seq);
  });
  if (!next) return tl::unexpected(next.error());
  if (!next->empty()) page.next_due = RowReader(next->front()).moment();
  return page;
}

Tried<std::vector<OrderRecord>> Snapshots::records(std::span<const OrderId> ids,
                                                   std::int64_t after_seq) {
  std::vector<OrderRecord> records;
  if (ids.empty()) return records;
  const Ids parameters(ids);
  std::vector<OrderSnapshot> orders;
  auto done = each(kOrders, parameters, [&](RowReader& row) {
    orders.push_back({});
    orders.back().order = row.order();
  });
  if (!done) return tl::unexpected(done.error());
  const Places found = places_of(orders);
  for (const OrderId& id : ids) {
    const auto place = found.find(id);
    if (place == found.end()) continue;
    records.push_back({});
    records.back().order = std::move(orders[place->second].order);
  }
  const Places places = places_of(records);
  done = each(kTasks, parameters, [&](RowReader& row) {
    TaskRow task = row.task();
    const auto place = places.find(task.key.order);
    if (place != places.end()) records[place->second].tasks.push_back(std::move(task));
  });
  if (!done) return tl::unexpected(done.error());
  done = each(kDeferred, parameters, [&](RowReader& row) {
    DeferredRow deferred = row.deferred();
    const auto place = places.find(deferred.task.key.order);
    if (place != places.end()) records[place->second].deferred.push_back(std::move(deferred));
  });
  if (!done) return tl::unexpected(done.error());
  done = each(kStatuses, parameters, [&](RowReader& row) {
    const auto place = places.find(row.id());
    if (place != places.end()) records[place->second].status = row.status();
  });
  if (!done) return tl::unexpected(done.error());
  Ids with_cursor = parameters;
  with_cursor.parameters.push_back(binary(binary_bigint(after_seq)));
  done = each(kEvents, with_cursor, [&](RowReader& row) {
    EventRow event = row.event();
    const auto place = places.find(event.order);
    if (place != places.end()) records[place->second].events.push_back(std::move(event));
  });
  if (!done) return tl::unexpected(done.error());
  return records;
}

}  // namespace ordo
