#include "examples/demo/clerk.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.hpp"
#include "examples/shop/refund_order.hpp"

namespace ordo::demo {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

/// Three orders of a hundred are sent back, one is looked at by somebody.
constexpr std::size_t kBackEvery = 33;
constexpr std::size_t kLookEvery = 100;
constexpr auto kProbeEvery = 2s;
constexpr auto kLookAfter = 250ms;
/// Orders that are looked after at a time.
constexpr int kAtATime = 5;

}  // namespace

void Clerk::notice(const std::vector<client::Order>& orders) {
  for (const client::Order& order : orders) {
    ++seen_;
    if (seen_ % kBackEvery == 0) sent_back_.push_back(order.id);
    if (seen_ % kLookEvery == 1) looked_at_.push_back(order.id);
    if (order.pipeline != "books") continue;
    const Json payload = Json::parse(order.payload, nullptr, false);
    if (payload.is_object() && payload.value("preorder", false)) preorders_.push_back(order.id);
  }
}

Result<void> Clerk::step() {
  if (steady_now() - probed_ > kProbeEvery) {
    probed_ = steady_now();
    if (auto done = start_job("probe"); !done) return done;
  }
  return look_on();
}

Result<void> Clerk::look_on() {
  if (steady_now() - looked_ < kLookAfter) return {};
  looked_ = steady_now();
  for (int i = 0; i < kAtATime; ++i) {
    if (auto done = look_after_one(sent_back_); !done) return done;
    if (auto done = look_after_one(looked_at_); !done) return done;
  }
  return {};
}

Result<void> Clerk::look_after_one(std::deque<OrderId>& line) {
  if (line.empty()) return {};
  const OrderId id = line.front();
  line.pop_front();
  const auto order = client_.get(id);
  if (!order) return {};
  if (!client::is_final(order->status)) {
    line.push_back(id);  // not there yet: somebody else's turn
    return {};
  }
  const bool is_back = &line == &sent_back_;
  if (is_back && order->status != "succeeded") return {};
  client::Order next = is_back ? shop::refund_order(id) : client::Order{.pipeline = "restore"};
  if (!is_back) next.payload = next.context = Json{{"order", id.to_string()}}.dump();
  return submit(std::move(next));
}

Result<void> Clerk::close() {
  for (const OrderId& id : preorders_) {
    (void)client_.signal({.id = id, .name = "released", .payload = "{}", .who = "clerk"});
  }
  return start_job("night");
}

Result<bool> Clerk::reconcile() {
  if (!reconciling_.is_zero()) {
    const auto order = client_.get(reconciling_);
    const bool is_parked = order && order->status == "parked";
    if (!is_parked && (!order || !client::is_final(order->status))) return true;
    reconciling_ = {};
    for (const client::TaskView& task : order->tasks) {
      const Json result = Json::parse(task.result, nullptr, false);
      if (task.step == "reconcile" && result.is_object()) return result.value("refunds", 1) > 0;
    }
  }
  auto id = client_.draw_id();
  if (!id) return tl::unexpected(id.error());
  reconciling_ = *id;
  client::Order order{.pipeline = "maintenance", .payload = R"({"job":"reconcile"})", .id = *id};
  order.context = order.payload;
  if (auto done = submit(std::move(order)); !done) return tl::unexpected(done.error());
  return true;
}

Result<void> Clerk::start_job(const std::string& job) {
  client::Order order{.pipeline = "maintenance", .payload = Json{{"job", job}}.dump()};
  order.context = order.payload;
  return submit(std::move(order));
}

Result<void> Clerk::submit(client::Order order) {
  if (order.id.is_zero()) {
    auto id = client_.draw_id();
    if (!id) return tl::unexpected(id.error());
    order.id = *id;
  }
  const OrderId id = order.id;
  log_.tried(id);
  if (auto synced = log_.sync(); !synced) return synced;
  const auto answer = client_.submit(std::move(order));
  if (answer) {
    log_.acked(id);
  } else if (answer.error().code == Code::kUnknown) {
    log_.unknown(id);
  } else {
    log_.refused(id, answer.error().reason);
  }
  return log_.sync();
}

}  // namespace ordo::demo
