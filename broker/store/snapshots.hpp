// Reads of a shard's tables that put orders together from their rows: snapshots for the core,
// records for people, pages of what waits. The owner's session and the readers' session use the
// same.
//
// Errors:  a Failure of the session (connection.hpp).
// Costs:   a snapshot of n orders is four statements of n index look-ups each, about 5 µs an order.
//          A page of n orders that have nothing but their one row is as much.
// Threads: one owner, the connection's.
#pragma once

#include <span>
#include <vector>

#include "broker/store/connection.hpp"
#include "broker/store/store.hpp"

namespace ordo {

class Snapshots {
 public:
  /// Prepares its statements on the connection, which must outlive it.
  explicit Snapshots(Connection& connection);

  Tried<std::vector<OrderSnapshot>> load(std::span<const OrderId> ids);
  Tried<Page> page(const PageSpec& spec);
  /// Those of `ids` that are there, in their order, without payload, context and events.
  Tried<std::vector<OrderRecord>> summaries(std::span<const OrderId> ids);
  /// The same with the last failure of each parked task.
  Tried<std::vector<OrderRecord>> parked(std::span<const OrderId> ids);
  /// One order with its newest events, or none.
  Tried<std::vector<OrderRecord>> record(const OrderId& id);
  /// The same without payload and context, with its oldest events after a seq.
  Tried<std::vector<OrderRecord>> history(const OrderId& id, std::int64_t after_seq);

 private:
  struct Ids;
  template <class Visit>
  Tried<void> each(const char* statement, const Ids& ids, const Visit& visit);
  Tried<void> add_tasks(const Ids& ids, std::vector<OrderSnapshot>& orders);
  Tried<void> add_deferred(const Ids& ids, std::vector<OrderSnapshot>& orders);
  Tried<void> add_events(const Ids& ids, std::vector<OrderSnapshot>& orders);
  Tried<std::vector<OrderRecord>> records(const char* orders, std::span<const OrderId> ids);
  Tried<void> add_history(const char* events, const Ids& ids, std::vector<OrderRecord>& records);
  Tried<void> fetch_rows(const PageSpec& spec, Page& page);
  Tried<void> fetch_orders(const PageSpec& spec, Page& page);
  Tried<void> add_rest(const PageSpec& spec, Page& page);
  Tried<void> fetch_signals(const PageSpec& spec, Page& page);
  Tried<void> fetch_next_due(const PageSpec& spec, Page& page);

  Connection& connection_;
};

}  // namespace ordo
