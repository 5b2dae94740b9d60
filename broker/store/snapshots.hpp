// Reads of a shard's tables that put orders together from their rows: snapshots for the core, records for
// people, pages of what waits. The owner's session and the readers' session use the same.
//
// Errors:  a Failure of the session (connection.hpp).
// Costs:   a snapshot of n orders is four statements of n index look-ups each, about 5 µs an order.
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
  /// Orders found among `ids`, in their order; events with seq > after_seq.
  Tried<std::vector<OrderRecord>> records(std::span<const OrderId> ids, std::int64_t after_seq);

 private:
  struct Ids;
  template <class Visit>
  Tried<void> each(const char* statement, const Ids& ids, const Visit& visit);
  Tried<void> complete(const Ids& ids, std::vector<OrderSnapshot>& orders);
  Tried<pqxx::result> fetch_page(const PageSpec& spec);

  Connection& connection_;
};

}  // namespace ordo
