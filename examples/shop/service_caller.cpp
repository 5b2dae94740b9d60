#include "examples/shop/service_caller.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/http_get.hpp"

namespace ordo::shop {
namespace {

using Json = nlohmann::json;

constexpr int kDone = 200;
constexpr int kFirstRefusal = 400;
constexpr int kFirstFault = 500;

Json object_of(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string body_of(const Task& task) {
  Json body{{"pipeline", task.pipeline()},
            {"attempt", task.attempt()},
            {"context", object_of(task.context())},
            {"payload", object_of(task.payload())}};
  if (!task.element().empty()) body["element"] = object_of(task.element());
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

TaskOutcome ServiceCaller::call(const Task& task, const ShopStep& step) const {
  const std::string place = std::string(step.service) + '/' + std::string(step.operation);
  const auto reply =
      http_post(url_ + '/' + place,
                {.body = body_of(task), .headers = {{"Idempotency-Key", task.effect_key()}}},
                std::max(task.time_left(), std::chrono::milliseconds{1}));
  if (!reply) return unknown(place + " has not answered: nobody knows what it did");
  if (reply->status == kDone) return succeeded(reply->body);
  const Json error = object_of(reply->body).value("error", Json::object());
  const std::string reason = error.value("reason", "failed");
  if (reply->status >= kFirstRefusal && reply->status < kFirstFault) {
    return permanent(error.value("message", place + " refuses"), reason);
  }
  return transient(place + " is away: " + reason);
}

}  // namespace ordo::shop
