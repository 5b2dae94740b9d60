#include "broker/store/snapshots.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "broker/store/binary_array.hpp"
#include "broker/store/row_reader.hpp"
#include "broker/store/statements.hpp"

namespace ordo {
namespace {

constexpr const char* kOrders = "orders_of";
constexpr const char* kTasks = "tasks_of";
constexpr const char* kDeferred = "deferred_of";
constexpr const char* kDeciding = "deciding_events_of";
constexpr const char* kSummaries = "order_summaries_of";
constexpr const char* kNewestEvents = "newest_events_of";
constexpr const char* kOldestEvents = "oldest_events_of";
constexpr const char* kParkedEvents = "parked_events_of";
constexpr const char* kStatuses = "statuses_of";
constexpr const char* kPageOrders = "page_orders";
constexpr const char* kBacklogPage = "backlog_page";
constexpr const char* kHeldPage = "held_page";
constexpr const char* kDuePage = "due_page";
constexpr const char* kNextDue = "next_due";
constexpr const char* kSignalsPage = "signals_page";
constexpr const char* kNextSignal = "next_signal";

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

/// A signal that is kept for the order.
void add_signal(OrderSnapshot& snapshot, RowReader& row) {
  SignalRow signal;
  signal.order = snapshot.order.id;
  row.skip(5);  // what only events have
  signal.payload = row.bytes();
  signal.note = row.text();
  signal.name = row.text();
  signal.dedup = row.text();
  signal.seq = row.number();
  signal.at = row.moment().value_or(Wall{});
  signal.checks = static_cast<std::uint16_t>(row.number());
  signal.next_at = row.moment();
  snapshot.signals.push_back(std::move(signal));
}

/// What a deciding event adds to the snapshot of its order; events come ascending by seq.
void add_event(OrderSnapshot& snapshot, RowReader& row) {
  const std::string kind = row.text();
  if (kind == "early") return add_signal(snapshot, row);
  if (const std::string status = row.text(); !status.empty()) {
    snapshot.status = *from_word<OrderStatus, kOrderStatuses>(status);
    if (snapshot.status == OrderStatus::kCompensating) snapshot.is_ending = true;
  }
  if (kind == to_string(EventKind::kCancelRequested)) snapshot.is_cancelled = true;
  if (kind == to_string(EventKind::kRestored)) snapshot.is_restored = true;
  if (kind == to_string(EventKind::kMerged)) {
    row.skip(7);  // what steps and signals have
    snapshot.merged_hash = std::strtoull(row.text().c_str(), nullptr, 10);
    return;
  }
  const bool is_skipped =
      kind == to_string(EventKind::kOperatorSkip) || kind == to_string(EventKind::kSkipped);
  const bool is_signal = kind == to_string(EventKind::kSignalled);
  const bool is_done = is_skipped || is_signal || kind == to_string(EventKind::kSucceeded) ||
                       kind == to_string(EventKind::kOperatorComplete);
  const auto step = row.number_or_null();
  const bool is_failure =
      kind == to_string(EventKind::kFailed) || kind == to_string(EventKind::kOperatorCompensate);
  if (step && is_failure) snapshot.failed_step = static_cast<StepIndex>(*step);
  const auto branch = static_cast<BranchIndex>(row.number());
  if (step && kind == to_string(EventKind::kCut)) {
    snapshot.cut.emplace_back(static_cast<StepIndex>(*step), branch);
  }
  const bool has_fanned = kind == to_string(EventKind::kFannedOut);
  if (!is_done && !(has_fanned && step)) return;
  DoneStep done;
  done.step = static_cast<StepIndex>(step.value_or(0));
  done.branch = branch;
  done.kind = static_cast<TaskKind>(row.number());
  done.is_skipped = is_skipped;
  done.attempt = static_cast<std::uint32_t>(row.number());
  done.result = row.bytes();
  done.context = row.text();
  if (has_fanned) {
    snapshot.fanned.push_back({done.step, std::move(done.result)});
    return;
  }
  if (is_signal) {
    SeenSignal seen{row.text(), row.text()};
    snapshot.seen.push_back(std::move(seen));
  }
  if (step) snapshot.done.push_back(std::move(done));  // a late signal is of no step
}

/// Calls `visit` with each row and the snapshot that its order has among `orders`.
template <class Rows, class Visit>
void for_snapshots(const Rows& rows, std::vector<OrderSnapshot>& orders, const Visit& visit) {
  const Places places = places_of(orders);
  for (const auto& row : rows) {
    const auto place = places.find(row.task.key.order);
    if (place != places.end()) visit(orders[place->second], row);
  }
}

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
  /// With the cursor that a history goes on from.
  Ids& after(std::int64_t seq) {
    parameters.push_back(binary(binary_bigint(seq)));
    return *this;
  }
  std::vector<pqxx::binarystring> parameters;
};

Snapshots::Snapshots(Connection& connection) : connection_(connection) {
  connection_.prepare(kOrders, statements::orders());
  connection_.prepare(kTasks, statements::tasks());
  connection_.prepare(kDeferred, statements::deferred());
  connection_.prepare(kDeciding, statements::deciding_events());
  connection_.prepare(kSummaries, statements::order_summaries());
  connection_.prepare(kNewestEvents, statements::events("desc"));
  connection_.prepare(kOldestEvents, statements::events("asc"));
  connection_.prepare(kParkedEvents, statements::parked_events());
  connection_.prepare(kStatuses, statements::statuses());
  connection_.prepare(kPageOrders, statements::page_orders());
  connection_.prepare(kBacklogPage, statements::backlog_page());
  connection_.prepare(kHeldPage, statements::held_page());
  connection_.prepare(kDuePage, statements::due_page());
  connection_.prepare(kNextDue, statements::kNextDue);
  connection_.prepare(kSignalsPage, statements::signals_page());
  connection_.prepare(kNextSignal, statements::kNextSignal);
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

Tried<void> Snapshots::add_tasks(const Ids& ids, std::vector<OrderSnapshot>& orders) {
  const Places places = places_of(orders);
  return each(kTasks, ids, [&](RowReader& row) {
    TaskRow task = row.task();
    const auto place = places.find(task.key.order);
    if (place != places.end()) orders[place->second].tasks.push_back(std::move(task));
  });
}

Tried<void> Snapshots::add_deferred(const Ids& ids, std::vector<OrderSnapshot>& orders) {
  const Places places = places_of(orders);
  return each(kDeferred, ids, [&](RowReader& row) {
    DeferredRow deferred = row.deferred();
    const auto place = places.find(deferred.task.key.order);
    if (place != places.end()) orders[place->second].deferred.push_back(std::move(deferred));
  });
}

Tried<void> Snapshots::add_events(const Ids& ids, std::vector<OrderSnapshot>& orders) {
  for (OrderSnapshot& order : orders) order.knows_signals = true;
  Places places = places_of(orders);
  return each(kDeciding, ids, [&](RowReader& row) {
    const OrderId id = row.id();
    const auto [place, is_absent] = places.emplace(id, orders.size());
    if (is_absent) {  // nothing but signals
      orders.push_back({});
      orders.back().order.id = id;
      orders.back().is_absent = orders.back().knows_signals = true;
    }
    add_event(orders[place->second], row);
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
  done = add_tasks(parameters, orders);
  if (done) done = add_deferred(parameters, orders);
  if (done) done = add_events(parameters, orders);
  if (!done) return tl::unexpected(done.error());
  return orders;
}

Tried<void> Snapshots::fetch_rows(const PageSpec& spec, Page& page) {
  // One row more than wanted: it tells whether the page is the last.
  const std::int64_t limit = std::int64_t{spec.limit} + 1;
  const auto rows = connection_.run([&](pqxx::transaction_base& session) {
    if (spec.what == PageSpec::What::kBacklog) {
      return session.exec_prepared(kBacklogPage, spec.queue, int{spec.priority}, spec.after_seq,
                                   limit);
    }
    if (spec.what == PageSpec::What::kHeld) {
      return session.exec_prepared(kHeldPage, spec.holder, spec.queue, spec.after_seq, limit);
    }
    return session.exec_prepared(kDuePage, binary(binary_moment(spec.due_after)), spec.after_seq,
                                 binary(binary_moment(spec.due_until)), limit);
  });
  if (!rows) return tl::unexpected(rows.error());
  page.is_last = rows->size() <= spec.limit;
  page.rows.reserve(rows->size());
  for (const auto& row : *rows) {
    if (page.rows.size() < spec.limit) page.rows.push_back(RowReader(row).deferred());
  }
  return {};
}

/// Fetches the orders of the page's rows and cuts the page at the first row without its order:
/// there the payloads are enough.
Tried<void> Snapshots::fetch_orders(const PageSpec& spec, Page& page) {
  std::vector<OrderId> ids;
  ids.reserve(page.rows.size());
  for (const DeferredRow& row : page.rows) ids.push_back(row.task.key.order);
  // An order may have more than one row in a page.
  std::vector<OrderId> once = ids;
  std::unordered_set<OrderId> seen;
  std::erase_if(once, [&](const OrderId& id) { return !seen.insert(id).second; });
  Ids parameters(once);
  parameters.parameters.push_back(
      binary(binary_bigint(static_cast<std::int64_t>(spec.limit_bytes))));
  auto done = each(kPageOrders, parameters, [&](RowReader& row) {
    page.orders.push_back({});
    page.orders.back().order = row.order();
  });
  if (!done) return done;
  const Places places = places_of(page.orders);
  std::size_t size = 0;
  while (size < ids.size() && places.contains(ids[size])) ++size;
  if (size == ids.size()) return {};
  page.is_last = false;
  page.rows.resize(size);
  ids.resize(size);
  std::sort(ids.begin(), ids.end());
  std::erase_if(page.orders, [&](const OrderSnapshot& one) {
    return !std::binary_search(ids.begin(), ids.end(), one.order.id);
  });
  return {};
}

/// What else there is of the page's orders. Mostly nothing: a row says when it is all there is.
Tried<void> Snapshots::add_rest(const PageSpec& spec, Page& page) {
  std::unordered_set<OrderId> untouched;
  for_snapshots(page.rows, page.orders, [&](OrderSnapshot& order, const DeferredRow& row) {
    if (spec.is_suspect || !is_untouched(row)) return;
    untouched.insert(order.order.id);
    order.deferred.push_back(row);
  });
  std::vector<OrderId> others;
  for (const OrderSnapshot& one : page.orders) {
    if (!untouched.contains(one.order.id)) others.push_back(one.order.id);
  }
  if (others.empty()) return {};
  const Ids parameters(others);
  auto done = add_tasks(parameters, page.orders);
  if (done) done = add_deferred(parameters, page.orders);
  if (done) done = add_events(parameters, page.orders);
  return done;
}

Tried<void> Snapshots::fetch_next_due(const PageSpec& spec, Page& page) {
  Wall after = spec.due_after;
  std::int64_t after_seq = spec.after_seq;
  if (!page.rows.empty()) {
    after = *page.rows.back().run_at;
    after_seq = page.rows.back().task.seq;
  } else if (!page.signals.empty()) {
    after = *page.signals.back().next_at;
    after_seq = page.signals.back().seq;
  }
  const bool is_signals = spec.what == PageSpec::What::kSignals;
  const auto next = connection_.run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(is_signals ? kNextSignal : kNextDue, binary(binary_moment(after)),
                                 after_seq);
  });
  if (!next) return tl::unexpected(next.error());
  if (!next->empty()) page.next_due = RowReader(next->front()).moment();
  return {};
}

Tried<void> Snapshots::fetch_signals(const PageSpec& spec, Page& page) {
  const auto rows = connection_.run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(kSignalsPage, binary(binary_moment(spec.due_after)),
                                 spec.after_seq, binary(binary_moment(spec.due_until)),
                                 std::int64_t{spec.limit} + 1);
  });
  if (!rows) return tl::unexpected(rows.error());
  page.is_last = rows->size() <= spec.limit;
  for (const auto& row : *rows) {
    if (page.signals.size() < spec.limit) page.signals.push_back(RowReader(row).signal());
  }
  return fetch_next_due(spec, page);
}

Tried<Page> Snapshots::page(const PageSpec& spec) {
  Page page;
  if (spec.what == PageSpec::What::kSignals) {
    if (auto done = fetch_signals(spec, page); !done) return tl::unexpected(done.error());
    return page;
  }
  Tried<void> done = fetch_rows(spec, page);
  if (done && !page.rows.empty()) {
    done = fetch_orders(spec, page);
    if (done) done = add_rest(spec, page);
  }
  if (done && spec.what == PageSpec::What::kDue) done = fetch_next_due(spec, page);
  if (!done) return tl::unexpected(done.error());
  return page;
}

Tried<std::vector<OrderRecord>> Snapshots::records(const char* orders_statement,
                                                   std::span<const OrderId> ids) {
  std::vector<OrderRecord> records;
  if (ids.empty()) return records;
  const Ids parameters(ids);
  std::vector<OrderSnapshot> orders;
  auto done = each(orders_statement, parameters, [&](RowReader& row) {
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
  return records;
}

Tried<void> Snapshots::add_history(const char* events, const Ids& ids,
                                   std::vector<OrderRecord>& records) {
  const Places places = places_of(records);
  return each(events, ids, [&](RowReader& row) {
    EventRow event = row.event();
    const auto place = places.find(event.order);
    if (place != places.end()) records[place->second].events.push_back(std::move(event));
  });
}

Tried<std::vector<OrderRecord>> Snapshots::summaries(std::span<const OrderId> ids) {
  return records(kSummaries, ids);
}

Tried<std::vector<OrderRecord>> Snapshots::parked(std::span<const OrderId> ids) {
  auto found = records(kSummaries, ids);
  if (!found || found->empty()) return found;
  const auto done = add_history(kParkedEvents, Ids(ids), *found);
  if (!done) return tl::unexpected(done.error());
  return found;
}

Tried<std::vector<OrderRecord>> Snapshots::record(const OrderId& id) {
  auto found = records(kOrders, {&id, 1});
  if (!found) return found;
  const auto done = add_history(kNewestEvents, Ids({&id, 1}).after(0), *found);
  if (!done) return tl::unexpected(done.error());
  return found;
}

Tried<std::vector<OrderRecord>> Snapshots::history(const OrderId& id, std::int64_t after_seq) {
  auto found = records(kSummaries, {&id, 1});
  if (!found) return found;
  const auto done = add_history(kOldestEvents, Ids({&id, 1}).after(after_seq), *found);
  if (!done) return tl::unexpected(done.error());
  return found;
}

}  // namespace ordo
