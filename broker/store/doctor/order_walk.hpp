// Reads all orders of a shard, with all rows and events of each, in the order of their ids, and
// judges them one by one.
//
// Use:     inside one repeatable-read transaction: what is found is then one moment of the shard.
// Errors:  libpqxx's exceptions: the session's owner turns them into values.
// Threads: one owner.
// Costs:   one pass over each table along its primary key, through cursors: memory does not grow
//          with the tables. About 10 µs an order of six steps on each side.
#pragma once

#include <functional>
#include <pqxx/pqxx>
#include <string>

#include "broker/store/doctor/order_case.hpp"

namespace ordo::doctor {

struct WalkSpec {
  Circumstances circumstances;
  const Versions* versions = nullptr;
  std::string order{};  ///< only this one; empty: all
};

struct WalkCount {
  std::uint64_t orders = 0;
  std::uint64_t events = 0;
};

/// `found` is told each finding; findings that many orders may share (a pipeline that is not there,
/// an epoch that is too high) come once, at the end, with the number of orders.
WalkCount walk_orders(pqxx::transaction_base& session, const WalkSpec& spec,
                      const std::function<void(Finding)>& found);

}  // namespace ordo::doctor
