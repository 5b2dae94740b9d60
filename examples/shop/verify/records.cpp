#include "examples/shop/verify/records.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/http_get.hpp"
#include "examples/demo/ack_log.hpp"
#include "examples/shop/line_file.hpp"
#include "examples/shop/services.hpp"

namespace ordo::shop {
namespace {

// One statement sees one moment: what is owed, what happened and what came of it fit together.
constexpr const char* kEverything = R"(
select 'order', o.id::text, o.pipeline_id::text, coalesce(s.order_status, 'running'),
       (extract(epoch from o.accepted_at) * 1000)::bigint::text,
       (extract(epoch from o.deadline_at) * 1000)::bigint::text, '', '', '', '', 0 as seq
from {shard}.orders o
left join (select distinct on (order_id) order_id, order_status from {shard}.event
           where order_status is not null order by order_id, seq desc) s on s.order_id = o.id
union all
select 'event', order_id::text, coalesce(step, -1)::text, branch::text, task_kind::text, kind,
       order_status, attempt::text, (extract(epoch from at) * 1000)::bigint::text, ms::text, seq
from {shard}.event
union all
select 'owed', order_id::text, step::text, branch::text, kind::text, 'task', '', '', '', '', 0
from {shard}.task
union all
select 'owed', order_id::text, step::text, branch::text, kind::text, state,
       (extract(epoch from run_at) * 1000)::bigint::text, '', '', '', 0
from {shard}.deferred
order by 11)";

/// What is 0 when nobody waits and nothing runs.
const std::set<std::string> kRestGauges{"ordo_waiters", "ordo_queue_leased"};

std::int64_t number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

std::optional<std::int64_t> number_or_none(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(number(text));
}

}  // namespace

Result<void> read_tables(const demo::TableReader& tables, World& world) {
  auto pipelines = tables.pipelines();
  if (!pipelines) return tl::unexpected(pipelines.error());
  world.pipelines = *std::move(pipelines);
  const auto rows = tables.rows(kEverything);
  if (!rows) return tl::unexpected(rows.error());
  for (const auto& row : *rows) {
    if (row.at(0) == "order") {
      world.orders.push_back(
          {row.at(1), row.at(2), row.at(3), number(row.at(4)), number_or_none(row.at(5))});
      continue;
    }
    const int step = static_cast<int>(number(row.at(2)));
    const auto branch = static_cast<unsigned>(number(row.at(3)));
    const int kind = static_cast<int>(number(row.at(4)));
    if (row.at(0) == "owed") {
      world.owed.push_back({row.at(1), step, branch, kind, row.at(5), number_or_none(row.at(6))});
    } else {
      world.events.push_back({.order = row.at(1),
                              .step = step,
                              .branch = branch,
                              .task_kind = kind,
                              .kind = row.at(5),
                              .status = row.at(6),
                              .attempt = static_cast<std::uint32_t>(number(row.at(7))),
                              .at_ms = number(row.at(8)),
                              .ms = number(row.at(9))});
    }
  }
  return {};
}

Result<void> read_ledgers(const std::string& folder, World& world) {
  for (const std::string_view name : service_names()) {
    const std::string path = folder + '/' + std::string(name) + ".ledger";
    if (!std::filesystem::exists(path)) continue;
    const auto lines = read_lines(path);
    if (!lines) return tl::unexpected(lines.error());
    auto& ledger = world.ledgers[std::string(name)];
    for (const std::string& line : *lines) {
      auto entry = entry_of(line);
      if (!entry) return fail(Code::kMalformed, "ledger", path + ": " + entry.error().message);
      ledger.push_back(*std::move(entry));
    }
  }
  if (!world.ledgers.empty()) return {};
  return fail(Code::kNotFound, "ledger", "there is no ledger in " + folder);
}

Result<void> read_acked(const std::string& path, World& world) {
  auto acks = demo::read_acks(path);
  if (!acks) return tl::unexpected(acks.error());
  world.acked = std::move(acks->acked);
  return {};
}

Result<void> read_gauges(const std::string& url, World& world) {
  const auto reply = http_get(url);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) {
    return fail(Code::kUnavailable, "http", url + " answers " + std::to_string(reply->status));
  }
  world.gauges = sums_of(reply->body, kRestGauges);
  return {};
}

std::map<std::string, double> sums_of(const std::string& text, const std::set<std::string>& names) {
  std::map<std::string, double> sums;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(0, line.find_first_of("{ "));
    if (!names.contains(name)) continue;
    sums[name] += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sums;
}

}  // namespace ordo::shop
