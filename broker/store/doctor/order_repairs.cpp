#include "broker/store/doctor/order_repairs.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordo::doctor {
namespace {

std::string number(int value) { return std::to_string(value); }

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// Placeholders stand outside of literals: a pipeline's text or a reason may hold anything.
std::string settle(const Statement& statement, const Signature& signature) {
  const std::pair<std::string_view, std::string> kPlaces[]{{":n", std::to_string(signature.number)},
                                                           {":who", quoted(signature.who)},
                                                           {":why", quoted(signature.why)}};
  std::string out;
  bool is_literal = false;
  for (std::string_view rest = statement.sql; !rest.empty();) {
    const auto* place = std::find_if(std::begin(kPlaces), std::end(kPlaces), [&](const auto& one) {
      return !is_literal && rest.starts_with(one.first);
    });
    if (place != std::end(kPlaces)) {
      out += place->second;
      rest.remove_prefix(place->first.size());
      continue;
    }
    is_literal = is_literal != (rest.front() == '\'');  // a doubled quote closes and opens again
    out += rest.front();
    rest.remove_prefix(1);
  }
  return out;
}

Statement delete_row(const RowName& row) {
  return {.what = "delete the row of step " + number(row.step) + " in `" + row.table + "`",
          .sql = "delete from " + row.table + " where order_id = " + quoted(row.order) +
                 " and step = " + number(row.step) + " and branch = " + number(row.branch) +
                 " and kind = " + number(row.kind)};
}

Statement append_event(const EventText& event) {
  const std::string status = event.status.empty() ? "null" : quoted(event.status);
  const std::string step = event.step ? number(*event.step) : "null";
  return {.what = "append the event `" + event.kind + "`" +
                  (event.status.empty() ? "" : " with the status " + event.status) +
                  ", with who and why",
          .sql =
              "insert into event (order_id, seq, at, kind, order_status, step, branch, "
              "task_kind, attempt, worker, ms, detail, note) select " +
              quoted(event.order) + "::uuid, (epoch << 40) + :n, clock_timestamp(), " +
              quoted(event.kind) + ", " + status + ", " + step + ", " + number(event.branch) +
              ", " + number(event.task_kind) + ", " + number(event.attempt) +
              ", :who, 0, null, json_build_object('who', :who::text, 'why', :why::text, "
              "'repair', " +
              quoted(event.word) + "::text)::text from shard"};
}

Statement reopen(const Reopened& task) {
  return {.what = "put the task of step " + number(task.row.step) + " into the backlog of queue " +
                  task.queue + " (attempt " + number(task.attempt + 1) + ", maybe done before)",
          .sql =
              "insert into deferred (order_id, step, branch, kind, queue, priority, seq, "
              "attempt, failures, losses, maybe, state, run_at, reason) select " +
              quoted(task.row.order) + "::uuid, " + number(task.row.step) + ", " +
              number(task.row.branch) + ", " + number(task.row.kind) + ", " + quoted(task.queue) +
              ", " + number(task.priority) + ", (epoch << 40) + :n, " + number(task.attempt) +
              ", 0, 0, true, 'backlog', null, null from shard"};
}

}  // namespace ordo::doctor
