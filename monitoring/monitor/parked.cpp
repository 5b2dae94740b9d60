#include "monitoring/monitor/parked.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/clock.hpp"

namespace ordo::monitor {
namespace {

constexpr std::size_t kFailuresShown = 20;

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Code::kMalformed, "bulk", what);
}

/// A member of an object as text; empty where it is not there.
Result<std::string> text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return wrong(std::string(name) + " must be a text");
  return found->get<std::string>();
}

/// What comes next is worth trying only after the broker has come back.
bool must_stop(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kUnknown ||
         error.code == Code::kNotOwner || error.code == Code::kUnauthorized;
}

}  // namespace

Json to_json(const std::vector<parked::ParkedGroup>& groups, std::int64_t now_ms) {
  Json json = Json::array();
  for (const auto& [count, oldest] : groups) {
    json.push_back({{"pipeline", oldest.pipeline},
                    {"step", parked::shown_step(oldest.task)},
                    {"error", oldest.error},
                    {"count", count},
                    {"oldest_ms", std::max<std::int64_t>(now_ms - oldest.accepted_at_ms, 0)},
                    {"first", oldest.task.id.to_string()}});
  }
  return json;
}

HttpAnswer Parked::groups() {
  const std::lock_guard lock(groups_mutex_);
  if (groups_ && steady_now() - groups_made_ < kKept) return *groups_;
  const auto seen = parked::look_for_parked(client_, [](const auto&) { return false; });
  groups_ = seen ? ok({{"groups", to_json(parked::groups_of(seen->tasks), to_ms(wall_now()))},
                       {"looked_at", seen->orders},
                       {"is_all", seen->is_all}})
                 : refuse(seen.error());
  groups_made_ = steady_now();
  return *groups_;
}

Result<Parked::Order> Parked::order_of(const Json& body) {
  Order order;
  auto verb = text_in(body, "verb");
  if (!verb) return tl::unexpected(verb.error());
  order.verb = *verb;
  if (order.verb != "retry" && order.verb != "skip" && order.verb != "cancel") {
    return wrong("verb must be retry, skip or cancel");
  }
  if (const auto filter = body.find("filter"); filter != body.end()) {
    if (!filter->is_object()) return wrong("filter must be an object");
    for (const auto& [name, place] :
         {std::pair("pipeline", &order.filter.pipeline), std::pair("step", &order.filter.step),
          std::pair("error", &order.filter.error)}) {
      auto text = text_in(*filter, name);
      if (!text) return tl::unexpected(text.error());
      *place = *std::move(text);
    }
    // A name with a slip in it would match all.
    for (const auto& [name, value] : filter->items()) {
      if (name != "pipeline" && name != "step" && name != "error") {
        return wrong("filter knows pipeline, step and error");
      }
    }
  }
  if (const auto dry = body.find("dry_run"); dry != body.end()) {
    if (!dry->is_boolean()) return wrong("dry_run must be true or false");
    order.is_dry_run = dry->get<bool>();
  }
  if (const auto limit = body.find("limit"); limit != body.end()) {
    if (!limit->is_number_unsigned() || *limit < 1 || *limit > kMostActions) {
      return wrong("limit must be a whole number from 1 to 1000");
    }
    order.limit = limit->get<unsigned>();
  }
  return order;
}

HttpAnswer Parked::bulk(const client::Operator& by, const Json& body) {
  const auto order = order_of(body);
  if (!order) return refuse(order.error());
  const std::unique_lock lock(bulk_mutex_, std::try_to_lock);
  if (!lock) return refuse(409, "bulk", "Another bulk action runs: wait until it has ended.");
  const auto wanted = [&](const parked::ParkedLook& look) {
    return std::count_if(look.tasks.begin(), look.tasks.end(), [&](const parked::ParkedTask& one) {
             return order->filter.matches(one);
           }) >= static_cast<std::ptrdiff_t>(order->limit);
  };
  auto seen = parked::look_for_parked(client_, wanted);
  if (!seen) return refuse(seen.error());
  std::vector<parked::ParkedTask> tasks;
  for (parked::ParkedTask& one : seen->tasks) {
    if (tasks.size() == order->limit) break;
    // An order with two parked steps is cancelled once.
    const bool is_same =
        order->verb == "cancel" && !tasks.empty() && tasks.back().task.id == one.task.id;
    if (order->filter.matches(one) && !is_same) tasks.push_back(std::move(one));
  }
  return run(*order, std::move(tasks), by);
}

HttpAnswer Parked::run(const Order& order, std::vector<parked::ParkedTask> tasks,
                       const client::Operator& by) {
  std::size_t done = 0;
  Json failed = Json::array();
  std::string stopped;
  auto next = std::chrono::steady_clock::now();
  for (const parked::ParkedTask& one : tasks) {
    if (order.is_dry_run || !stopped.empty()) break;
    std::this_thread::sleep_until(next);
    next = std::max(next, std::chrono::steady_clock::now()) +
           std::chrono::microseconds(1'000'000 / kActionsPerSecond);
    if (is_stopping_) {
      stopped = "the monitor ends";
      break;
    }
    const auto result = act(order.verb, one.task, by);
    if (result) {
      ++done;
      continue;
    }
    if (failed.size() < kFailuresShown) {
      failed.push_back({{"id", one.task.id.to_string()},
                        {"step", parked::shown_step(one.task)},
                        {"error", result.error().message}});
    }
    if (must_stop(result.error())) stopped = result.error().message;
  }
  Json json{{"matched", tasks.size()},
            {"done", done},
            {"failed", std::move(failed)},
            {"dry_run", order.is_dry_run}};
  if (!stopped.empty()) json["stopped"] = stopped;
  return ok(json);
}

Result<void> Parked::act(const std::string& verb, const client::TaskOf& task,
                         const client::Operator& by) {
  if (verb == "retry") return client_.retry(task, by);
  if (verb == "skip") return client_.skip(task, by);
  return client_.cancel(task.id, by);
}

}  // namespace ordo::monitor
