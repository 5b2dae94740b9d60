#include "monitoring/monitor/desk.hpp"

#include <charconv>
#include <utility>

#include "schema/limits.hpp"
#include "schema/pipeline.hpp"

namespace ordo::monitor {
namespace {

HttpAnswer done(const Result<void>& result) {
  return result ? ok({{"ok", true}}) : refuse(result.error());
}

const std::string& parameter(const HttpRequest& request, const char* name) {
  return request.parameters.at(name);
}

Result<client::TaskOf> task_of(const HttpRequest& request) {
  auto id = order_id_of(parameter(request, "id"));
  if (!id) return tl::unexpected(id.error());
  client::TaskOf task{*id, parameter(request, "step"), 0};
  task.is_compensation = task.step.starts_with('~');  // ~pay: what undoes step pay
  if (task.is_compensation) task.step.erase(0, 1);
  const std::string& branch = parameter(request, "branch");
  const auto [end, error] =
      std::from_chars(branch.data(), branch.data() + branch.size(), task.branch);
  if (error != std::errc{} || end != branch.data() + branch.size()) {
    return fail(Code::kMalformed, "branch", "a branch is a number; 0 where a step has none");
  }
  return task;
}

Result<client::Query> query_of(const HttpRequest& request) {
  client::Query query;
  const std::string which = query_text(request, "which");
  query.customer = query_text(request, "customer");
  query.pipeline = query_text(request, "pipeline");
  if (which.empty() || which == "recent") {
    query.which = client::Which::kRecent;
  } else if (which == "open") {
    query.which = client::Which::kOpen;
  } else if (which == "parked") {
    query.which = client::Which::kParked;
  } else if (which == "customer" && !query.customer.empty()) {
    query.which = client::Which::kOfCustomer;
  } else {
    return fail(Code::kMalformed, "query",
                "which must be recent, open, parked, or customer (with customer=NAME)");
  }
  const auto limit = query_number(request, "limit", 1, Desk::kMostOrders, 100);
  if (!limit) return tl::unexpected(limit.error());
  query.limit = *limit;
  if (const std::string after = query_text(request, "after"); !after.empty()) {
    auto id = order_id_of(after);
    if (!id) return tl::unexpected(id.error());
    query.after = *id;
  }
  return query;
}

Json step_json(const Pipeline& pipeline, const Step& step) {
  Json after = Json::array();
  for (const StepIndex before : step.after) after.push_back(pipeline.steps[before].name);
  return {{"step", step.name},   {"after", std::move(after)},
          {"queue", step.queue}, {"optional", step.optional},
          {"async", step.async}, {"compensate", step.compensate}};
}

}  // namespace

Result<OrderId> order_id_of(const std::string& text) {
  const auto id = OrderId::parse(text);
  if (id) return *id;
  return fail(Code::kMalformed, "order_id", "an order's id is a UUID, as /api/v1/orders has them");
}

HttpAnswer Desk::orders(const HttpRequest& request) {
  const auto query = query_of(request);
  if (!query) return refuse(query.error());
  const auto page = client_.list(*query);
  if (!page) return refuse(page.error());
  return ok({{"orders", client::each_to_json(page->orders)},
             {"after", page->after.to_string()},
             {"is_last", page->is_last}});
}

HttpAnswer Desk::order(const HttpRequest& request) {
  const auto id = order_id_of(parameter(request, "id"));
  if (!id) return refuse(id.error());
  const auto order = client_.get(*id);
  return order ? ok(client::to_json(*order)) : refuse(order.error());
}

HttpAnswer Desk::explain(const HttpRequest& request) {
  const auto id = order_id_of(parameter(request, "id"));
  if (!id) return refuse(id.error());
  const auto explanation = client_.explain(*id);
  return explanation ? ok(client::to_json(*explanation)) : refuse(explanation.error());
}

HttpAnswer Desk::queues(const std::map<std::string, double>& rates) {
  const auto queues = client_.queues();
  if (!queues) return refuse(queues.error());
  Json json = Json::array();
  for (const auto& queue : *queues) {
    Json one = client::to_json(queue);
    const auto rate = rates.find(queue.queue);
    if (rate != rates.end()) one["rate_per_s"] = rate->second;
    json.push_back(std::move(one));
  }
  return ok({{"queues", std::move(json)}});
}

HttpAnswer Desk::workers(const HttpRequest&) {
  const auto workers = client_.workers();
  if (!workers) return refuse(workers.error());
  return ok({{"workers", client::each_to_json(*workers)}});
}

HttpAnswer Desk::pipelines(const HttpRequest&) {
  const auto pipelines = client_.pipelines();
  if (!pipelines) return refuse(pipelines.error());
  return ok({{"pipelines", client::each_to_json(*pipelines)}});
}

HttpAnswer Desk::pipeline(const HttpRequest& request) {
  const auto version = query_number(request, "version", 1, INT32_MAX, 0);
  if (!version) return refuse(version.error());
  const auto found = client_.pipeline(parameter(request, "name"), *version);
  if (!found) return refuse(found.error());
  Json json{{"pipeline", found->name}, {"version", found->version}, {"source", found->source}};
  // A text of a newer version may be beyond this program: then there is no graph, but the source.
  json["graph"] = Json::array();
  if (const auto parsed = parse_pipeline(found->source)) {
    for (const Step& step : parsed->steps) json["graph"].push_back(step_json(*parsed, step));
  }
  return ok(json);
}

HttpAnswer Desk::cancel(const HttpRequest& request, const client::Operator& by) {
  const auto id = order_id_of(parameter(request, "id"));
  return id ? done(client_.cancel(*id, by)) : refuse(id.error());
}

HttpAnswer Desk::retry(const HttpRequest& request, const client::Operator& by) {
  const auto task = task_of(request);
  return task ? done(client_.retry(*task, by)) : refuse(task.error());
}

HttpAnswer Desk::skip(const HttpRequest& request, const client::Operator& by) {
  const auto task = task_of(request);
  return task ? done(client_.skip(*task, by)) : refuse(task.error());
}

HttpAnswer Desk::compensate(const HttpRequest& request, const client::Operator& by) {
  const auto task = task_of(request);
  return task ? done(client_.compensate(*task, by)) : refuse(task.error());
}

HttpAnswer Desk::complete(const HttpRequest& request, const client::Operator& by,
                          const Json& body) {
  const auto task = task_of(request);
  if (!task) return refuse(task.error());
  const auto result = body.find("result");
  if (result == body.end() || !result->is_string()) {
    return refuse(400, "result", "Give the step's result: {\"result\": \"…\", \"why\": \"…\"}.");
  }
  return done(client_.complete(*task, result->get<std::string>(), by));
}

HttpAnswer Desk::pause(const HttpRequest& request, const client::Operator& by) {
  return done(client_.pause(parameter(request, "name"), by));
}

HttpAnswer Desk::resume(const HttpRequest& request, const client::Operator& by) {
  return done(client_.resume(parameter(request, "name"), by));
}

}  // namespace ordo::monitor
