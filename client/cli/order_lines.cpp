#include "client/cli/order_lines.hpp"

#include <nlohmann/json.hpp>

#include "base/config.hpp"

namespace ordo::cli {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> bad(const std::string& message) {
  return fail(Code::kMalformed, "bad_line", message);
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<void> take_text(const std::string& name, const Json& value, client::Order& order) {
  if (!value.is_string()) return bad("`" + name + "` must be a text");
  const auto& text = value.get_ref<const std::string&>();
  if (name == "pipeline") order.pipeline = text;
  if (name == "key") order.key = text;
  if (name == "customer") order.customer = text;
  if (name == "traceparent") {
    order.traceparent = text;
    order.tracestate.clear();  // that of another trace; the line's own comes behind
  }
  if (name == "tracestate") order.tracestate = text;
  if (name == "id") {
    const auto id = OrderId::parse(text);
    if (!id) return bad("`id` is no order id: " + text);
    order.id = *id;
  }
  if (name == "delay" || name == "deadline") {
    auto span = parse_span(name, text);
    if (!span) return tl::unexpected(std::move(span.error()));
    (name == "delay" ? order.delay : order.deadline) = *span;
  }
  return {};
}

Result<void> take_field(const std::string& name, const Json& value, client::Order& order) {
  if (name == "payload") {
    order.payload = value.is_string() ? value.get<std::string>() : dumped(value);
    return {};
  }
  if (name == "labels" || name == "context") {
    if (!value.is_object()) return bad("`" + name + "` must be an object");
    (name == "labels" ? order.labels : order.context) = dumped(value);
    return {};
  }
  if (name == "priority") {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 9) {
      return bad("`priority` must be a number from 0 (most urgent) to 9");
    }
    order.priority = value.get<int>();
    return {};
  }
  for (const char* known :
       {"pipeline", "key", "customer", "id", "delay", "deadline", "traceparent", "tracestate"}) {
    if (name == known) return take_text(name, value, order);
  }
  return bad("`" + name +
             "` is no field of an order; there are pipeline, payload, id, key, "
             "customer, priority, delay, deadline, labels, context, traceparent, tracestate");
}

}  // namespace

Result<client::milliseconds> parse_span(const std::string& name, const std::string& text) {
  const auto span = parse_duration(text);
  if (!span) return bad("`" + name + "`: '" + text + "' is no duration; write 300ms, 5s or 2h");
  return *span;
}

Result<client::Order> parse_order_line(std::string_view line, const client::Order& otherwise) {
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return bad("a line must be one JSON object");
  client::Order order = otherwise;
  for (const auto& [name, value] : json.items()) {
    if (auto taken = take_field(name, value, order); !taken) {
      return tl::unexpected(std::move(taken.error()));
    }
  }
  if (order.pipeline.empty())
    return bad("`pipeline` is missing, and there is no PIPELINE on the command line");
  return order;
}

}  // namespace ordo::cli
