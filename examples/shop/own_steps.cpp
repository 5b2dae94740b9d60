#include "examples/shop/own_steps.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/http_get.hpp"
#include "examples/shop/refund_order.hpp"

namespace ordo::shop {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// What a broker is given to answer: nobody waits longer for a step of the shop's own.
constexpr auto kPatience = 10s;
/// Payments that are younger may still be on their way to their order.
constexpr int kYoung_ms = 2'000;
/// An order that is not there may still be submitted.
constexpr int kLost_ms = 60'000;
/// A channel that has refused so often is nothing for a program.
constexpr int kRounds = 5;

constexpr std::array<std::string_view, 6> kHandlers{"complete",    "split_order",    "refund_start",
                                                    "raise_alarm", "partial_refund", "reconcile"};

Json object_of(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

TaskOutcome nobody_answers(const Error& error) { return transient(error.message); }

TaskOutcome outcome_of(const Result<HttpReply>& reply, const std::string& place) {
  if (!reply) return unknown(place + " has not answered: nobody knows what it did");
  if (reply->status == 200) return succeeded(reply->body);
  const Json error = object_of(reply->body).value("error", Json::object());
  const std::string said = error.value("message", place + " refuses");
  if (reply->status >= 500) return transient(said);
  return permanent(said, error.value("reason", "failed"));
}

/// Adds a book to the parcel of its warehouse.
void pack(Json& parcels, const Json& book) {
  const std::string warehouse = book.value("warehouse", "main");
  auto parcel = std::find_if(parcels.begin(), parcels.end(),
                             [&](const Json& one) { return one["warehouse"] == warehouse; });
  if (parcel == parcels.end()) {
    parcels.push_back({{"warehouse", warehouse}, {"sku", ""}, {"quantity", 0}, {"cents", 0}});
    parcel = parcels.end() - 1;
  }
  (*parcel)["sku"] = book.value("sku", "book");
  (*parcel)["quantity"] = (*parcel)["quantity"].get<int>() + book.value("quantity", 1);
  (*parcel)["cents"] = (*parcel)["cents"].get<std::int64_t>() + book.value("cents", 0);
}

}  // namespace

OwnSteps::OwnSteps(OwnOptions options)
    : options_(std::move(options)),
      client_(options_.endpoints.empty()
                  ? nullptr
                  : std::make_unique<client::Client>(client::Options{
                        .endpoints = options_.endpoints, .name = "shop", .timeout = kPatience})) {}

bool OwnSteps::has(std::string_view handler) {
  return std::find(kHandlers.begin(), kHandlers.end(), handler) != kHandlers.end();
}

TaskOutcome OwnSteps::run(const Task& task) const {
  const std::string& handler = task.handler();
  if (handler == "complete") return succeeded("{}");
  if (handler == "split_order") return split_order(task);
  if (handler == "partial_refund") return partial_refund(task);
  if (client_ == nullptr) return permanent("the shop knows no broker to ask", "no_broker");
  if (handler == "refund_start") return refund_start(task);
  if (handler == "raise_alarm") return raise_alarm(task);
  return reconcile(task);
}

TaskOutcome OwnSteps::split_order(const Task& task) const {
  const Json payload = object_of(task.payload());
  Json parcels = Json::array();
  for (const Json& book : payload.value("books", Json::array())) {
    if (book.is_object()) pack(parcels, book);
  }
  if (parcels.empty()) return permanent("there is no book in the order", "no_books");
  const Json context{{"parcels", parcels}, {"preorder", payload.value("preorder", false)}};
  return succeeded(Json{{"parcels", parcels.size()}}.dump(), context.dump());
}

Result<bool> OwnSteps::pay_back(const OrderId& paid) const {
  for (int round = 0; round < kRounds; ++round) {
    const auto there = client_->get(refund_id(paid, round));
    if (there && there->status == "failed") continue;
    if (there) return false;
    if (there.error().code != Code::kNotFound) return tl::unexpected(there.error());
    const auto asked = client_->submit(refund_order(paid, round));
    if (!asked) return tl::unexpected(asked.error());
    return true;
  }
  return false;
}

TaskOutcome OwnSteps::refund_start(const Task& task) const {
  const auto asked = pay_back(task.order());
  if (!asked) return nobody_answers(asked.error());
  return succeeded(Json{{"refund", refund_id(task.order()).to_string()}}.dump());
}

TaskOutcome OwnSteps::raise_alarm(const Task& task) const {
  const auto order = client_->get(task.order());
  if (!order) return nobody_answers(order.error());
  const bool has_come =
      std::any_of(order->tasks.begin(), order->tasks.end(), [](const client::TaskView& step) {
        return step.step == "await_delivered" && step.state == "succeeded";
      });
  if (has_come || client::is_final(order->status)) return succeeded(R"({"late":false})");
  task.log(LogLevel::kWarn, "the meal has not come");
  const Json body{{"order", task.order().to_string()}, {"text", "the meal has not come"}};
  return outcome_of(
      http_post(options_.services + "/notification/alarm",
                {.body = body.dump(), .headers = {{"Idempotency-Key", task.effect_key()}}},
                std::max(task.time_left(), 1ms)),
      "notification/alarm");
}

/// Back to the customer and out of the books, each by a key of its own.
TaskOutcome OwnSteps::partial_refund(const Task& task) const {
  Json body = object_of(task.element());
  body["of"] = task.order().to_string();
  for (const char* const place : {"payments/partial_refund", "ledger/reverse_part"}) {
    const auto done = outcome_of(
        http_post(options_.services + '/' + place,
                  {.body = body.dump(), .headers = {{"Idempotency-Key", task.effect_key()}}},
                  std::max(task.time_left(), 1ms)),
        place);
    if (!done.is_success()) return done;
  }
  return succeeded(Json{{"refunded", body.value("cents", 0)}}.dump());
}

TaskOutcome OwnSteps::reconcile(const Task& task) const {
  const std::string place = "unmatched?older_ms=" + std::to_string(kYoung_ms);
  const auto reply = http_get(options_.services + '/' + place, std::max(task.time_left(), 1ms));
  if (!reply || reply->status != 200) return transient("payments do not answer");
  int refunds = 0;
  for (const Json& one : object_of(reply->body).value("orders", Json::array())) {
    const auto paid = OrderId::parse(one.value("order", ""));
    if (!paid) continue;
    const auto order = client_->get(*paid);
    if (!order && order.error().code != Code::kNotFound) return nobody_answers(order.error());
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto age_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - paid->unix_ms();
    const bool is_over = order ? client::is_final(order->status) : age_ms > kLost_ms;
    if (!is_over) continue;
    const auto asked = pay_back(*paid);
    if (!asked) return nobody_answers(asked.error());
    if (*asked) ++refunds;
  }
  return succeeded(Json{{"refunds", refunds}}.dump());
}

}  // namespace ordo::shop
