#include "examples/demo/table_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

#include "tests/support/child_process.hpp"

namespace ordo::demo {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// The orders with a task that an operator need not touch, and those that only wait. Rows that only
// keep a deadline (kind 2) are no task.
constexpr const char* kStanding = R"(
with owed as (
  select order_id, false as waits from {shard}.task
  union all
  select order_id, state = 'waiting' from {shard}.deferred where state <> 'parked' and kind <> 2),
  by_order as (select order_id, bool_and(waits) as waits from owed group by order_id)
select (select count(*) from {shard}.orders), count(*) filter (where not waits),
       count(*) filter (where waits)
from by_order)";

constexpr const char* kPipelines =
    "select id, encode(convert_to(source, 'UTF8'), 'hex') from {shard}.pipeline";

constexpr const char* kOrders = R"(
select o.id, o.pipeline_id, coalesce(s.order_status, 'running'),
       (extract(epoch from o.accepted_at) * 1000)::bigint,
       exists (select from {shard}.task t where t.order_id = o.id) or
       exists (select from {shard}.deferred d where d.order_id = o.id and d.kind <> 2)
from {shard}.orders o
left join (select distinct on (order_id) order_id, order_status from {shard}.event
           where order_status is not null order by order_id, seq desc) s on s.order_id = o.id)";

constexpr const char* kEvents = R"(
select e.order_id, o.pipeline_id, e.step, e.branch,
       (array['forward', 'compensate', 'deadline', 'fallback'])[e.task_kind + 1], e.kind,
       e.order_status, e.attempt, e.worker, (extract(epoch from e.at) * 1000)::bigint
from {shard}.event e left join {shard}.orders o on o.id = e.order_id
order by e.seq)";

std::string with_shard(std::string sql, int shard) {
  constexpr std::string_view kMark = "{shard}";
  const std::string name = "ordo_" + std::to_string(shard);
  for (auto at = sql.find(kMark); at != std::string::npos; at = sql.find(kMark)) {
    sql.replace(at, kMark.size(), name);
  }
  return sql;
}

void split_lines(std::string_view text, Rows& rows) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto& row = rows.emplace_back();
    for (;;) {
      const auto tab = std::min(line.find('\t'), line.size());
      row.emplace_back(line.substr(0, tab));
      if (tab == line.size()) break;
      line.remove_prefix(tab + 1);
    }
  }
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

std::int64_t to_number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

}  // namespace

TableReader::TableReader(std::string psql, std::string dsn, int shards)
    : psql_(std::move(psql)), dsn_(std::move(dsn)), shards_(shards) {}

Result<Rows> TableReader::rows(const std::string& sql) const {
  std::vector<std::string> arguments{"-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", dsn_};
  for (int shard = 0; shard < shards_; ++shard) {
    arguments.emplace_back("-c");
    arguments.push_back(with_shard(sql, shard));
  }
  const auto text = testing::output_of(psql_, arguments);
  if (!text) return tl::unexpected(text.error());
  Rows all;
  split_lines(*text, all);
  return all;
}

Result<Standing> TableReader::standing() const {
  const auto found = rows(kStanding);
  if (!found) return tl::unexpected(found.error());
  Standing standing;
  for (const auto& row : *found) {
    standing.orders += static_cast<std::uint64_t>(to_number(row.at(0)));
    standing.moving += static_cast<std::uint64_t>(to_number(row.at(1)));
    standing.waiting += static_cast<std::uint64_t>(to_number(row.at(2)));
  }
  return standing;
}

Result<Tables> TableReader::read() const {
  Tables tables;
  if (auto done = read_pipelines(tables); !done) return tl::unexpected(done.error());
  if (auto done = read_orders(tables); !done) return tl::unexpected(done.error());
  if (auto done = read_events(tables); !done) return tl::unexpected(done.error());
  return tables;
}

Result<std::map<std::string, Pipeline>> TableReader::pipelines() const {
  const auto found = rows(kPipelines);
  if (!found) return tl::unexpected(found.error());
  std::map<std::string, Pipeline> pipelines;
  for (const auto& row : *found) {
    auto pipeline = parse_pipeline(from_hex(row.at(1)));
    if (!pipeline) return fail(Code::kInternal, "pipeline", "a stored pipeline does not parse");
    pipelines[row.at(0)] = *std::move(pipeline);
  }
  return pipelines;
}

Result<void> TableReader::read_pipelines(Tables& tables) const {
  const auto found = pipelines();
  if (!found) return tl::unexpected(found.error());
  for (const auto& [id, pipeline] : *found) {
    auto& steps = tables.steps[id];
    for (const Step& step : pipeline.steps) {
      steps.push_back(step.name);
      if (step.async) tables.aside[id].insert(step.name);
    }
  }
  return {};
}

Result<void> TableReader::read_orders(Tables& tables) const {
  const auto found = rows(kOrders);
  if (!found) return tl::unexpected(found.error());
  for (const auto& row : *found) {
    tables.orders.push_back(
        {row.at(0), row.at(1), row.at(2), to_number(row.at(3)), row.at(4) == "t"});
  }
  return {};
}

Result<void> TableReader::read_events(Tables& tables) const {
  const auto found = rows(kEvents);
  if (!found) return tl::unexpected(found.error());
  for (const auto& row : *found) {
    EventRecord event{.order = row.at(0),
                      .branch = static_cast<unsigned>(to_number(row.at(3))),
                      .task_kind = row.at(4),
                      .kind = row.at(5),
                      .status = row.at(6),
                      .attempt = static_cast<std::uint32_t>(to_number(row.at(7))),
                      .worker = row.at(8),
                      .at_ms = to_number(row.at(9))};
    const auto steps = tables.steps.find(row.at(1));
    const auto index = static_cast<std::size_t>(to_number(row.at(2)));
    if (!row.at(2).empty()) {
      const bool is_known = steps != tables.steps.end() && index < steps->second.size();
      event.step = is_known ? steps->second[index] : "step " + row.at(2);
    }
    tables.events.push_back(std::move(event));
  }
  return {};
}

}  // namespace ordo::demo
