// Reads what a run left behind into a World: the tables with psql, ledgers and acks from their
// files, gauges from a broker's /metrics.
//
// Errors:  of the first source that cannot be read. A folder without ledgers is an error, a service
//          without a ledger is not.
// Threads: one owner; blocks.
#pragma once

#include <string>

#include "examples/demo/table_reader.hpp"
#include "examples/shop/verify/world.hpp"

namespace ordo::shop {

/// Orders, events, owed rows and pipelines of all shards.
Result<void> read_tables(const demo::TableReader& tables, World& world);
/// FOLDER/SERVICE.ledger of every service.
Result<void> read_ledgers(const std::string& folder, World& world);
/// The log of acks of demo/ack_log.hpp.
Result<void> read_acked(const std::string& path, World& world);
/// ordo_waiters and ordo_queue_leased of http://host:port/metrics, summed up over their labels.
Result<void> read_gauges(const std::string& url, World& world);
/// Of Prometheus' text, the sums of families by name.
std::map<std::string, double> sums_of(const std::string& text, const std::set<std::string>& names);

}  // namespace ordo::shop
