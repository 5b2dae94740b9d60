#include "examples/demo/street.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/http_get.hpp"
#include "examples/demo/system.hpp"
#include "tests/support/wait.hpp"

namespace ordo::demo {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::ChildProcess;

constexpr auto kStartPatience = 60s;
constexpr auto kPatience = Millis{10'000};
/// Customers at the counter at the same time.
constexpr std::size_t kCounters = 8;
/// Pipelines whose orders are paid for.
constexpr std::array kPaid{"digital", "3c", "books", "takeaway", "o2o_flash"};
/// What stands in executor.yaml where the services are.
constexpr std::string_view kPlace = "http://127.0.0.1:7750";

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_paid(const client::Order& order) {
  return std::find(kPaid.begin(), kPaid.end(), order.pipeline) != kPaid.end();
}

}  // namespace

const std::vector<std::string>& executor_steps() {
  static const std::vector<std::string> kSteps{
      "settle_notify", "settle_merchant", "settle_rider", "invoice_request", "notify_user",
      "code_push",     "wechat_msg",      "points_award", "redpacket_send"};
  return kSteps;
}

Result<Street> Street::open(const StreetOptions& options) {
  Street street(options);
  if (auto done = street.start_services(); !done) return tl::unexpected(done.error());
  if (options.executor_config.empty()) return street;
  if (auto done = street.start_executor(); !done) return tl::unexpected(done.error());
  return street;
}

Result<void> Street::start_services() {
  const auto program = testing::find_program("ordo-shop-services");
  if (!program) return tl::unexpected(program.error());
  std::string callbacks;
  for (const std::string& endpoint : options_.clients) {
    callbacks += (callbacks.empty() ? "" : ",") + endpoint;
  }
  const std::string log = options_.folder + "/services.log";
  auto started = ChildProcess::start(
      {.program = *program,
       .arguments = {"--ledgers", ledgers(), "--callbacks", callbacks, "--time-scale",
                     std::to_string(options_.time_scale), "--callback-scale",
                     std::to_string(1 / options_.speed), "--seed", std::to_string(options_.seed),
                     "--hot-sku", "set-meal"},
       .log = log});
  if (!started) return tl::unexpected(started.error());
  services_ = std::move(*started);
  testing::wait_until(kStartPatience, [&] {
    return text_of(log).find('\n') != std::string::npos || !services_->is_running();
  });
  const Json line = Json::parse(text_of(log), nullptr, false);
  if (!line.is_object()) {
    return fail(Code::kUnavailable, "start", "ordo-shop-services says: " + tail_of(log));
  }
  url_ = line.value("http", "");
  return {};
}

Result<void> Street::start_executor() {
  std::string config = text_of(options_.executor_config);
  const auto place = config.find(kPlace);
  if (place == std::string::npos) {
    return fail(Code::kNotFound, "start",
                options_.executor_config + " does not name " + std::string(kPlace));
  }
  const std::string path = options_.folder + "/executor.yaml";
  std::ofstream(path) << config.replace(place, kPlace.size(), url_);
  const auto program = testing::find_program("ordo-worker");
  if (!program) return tl::unexpected(program.error());
  testing::ChildSpec spec{.program = *program, .log = options_.folder + "/executor.log"};
  spec.arguments = {"--config", path, "--name", "executor"};
  for (const std::string& worker : options_.workers) {
    spec.arguments.insert(spec.arguments.end(), {"--broker", worker});
  }
  auto started = ChildProcess::start(spec);
  if (!started) return tl::unexpected(started.error());
  executor_ = std::move(*started);
  return {};
}

void Street::pay(const std::vector<client::Order>& orders) const {
  std::atomic<std::size_t> next{0};
  const auto serve = [&] {
    for (std::size_t i = next++; i < orders.size(); i = next++) {
      const client::Order& order = orders[i];
      if (!is_paid(order)) continue;
      Json attach = Json::parse(order.payload, nullptr, false);
      const Json body{{"pipeline", order.pipeline},
                      {"cents", attach.value("cents", std::int64_t{0})},
                      {"attach", attach}};
      // A counter that does not answer is a customer who does not pay.
      (void)post("payments/pay", body.dump(), order.id.to_string() + "/pay/0/customer");
    }
  };
  std::vector<std::thread> counters;
  for (std::size_t i = 1; i < std::min(kCounters, orders.size()); ++i) counters.emplace_back(serve);
  serve();
  for (std::thread& counter : counters) counter.join();
}

Result<void> Street::take_down(const std::string& service, std::chrono::milliseconds time) const {
  return post("fault",
              Json{{"service", service}, {"mode", "down"}, {"for_ms", time.count()}}.dump());
}

Result<void> Street::stock_up(const std::string& service, const std::string& item,
                              std::size_t quantity) const {
  return post(service + "/open",
              Json{{"order", "clerk"}, {"sku", item}, {"quantity", quantity}}.dump(),
              "open-" + service + "-" + item);
}

Result<std::uint64_t> Street::callbacks_to_come() const {
  const auto reply = http_get(url_ + "/ledger", kPatience);
  if (!reply) return tl::unexpected(reply.error());
  const Json sums = Json::parse(reply->body, nullptr, false);
  if (!sums.is_object()) return fail(Code::kUnavailable, "services", "the services have no sums");
  return sums["callbacks"].value("scheduled", std::uint64_t{0});
}

void Street::stop() {
  if (executor_) executor_->stop();
  executor_.reset();
  services_.reset();
}

Result<void> Street::post(const std::string& place, const std::string& body,
                          const std::string& key) const {
  HttpBody sent{.body = body};
  if (!key.empty()) sent.headers.emplace_back("Idempotency-Key", key);
  const auto reply = http_post(url_ + '/' + place, sent, kPatience);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status == 200) return {};
  return fail(Code::kUnavailable, "services",
              place + " answers " + std::to_string(reply->status) + ": " + reply->body);
}

}  // namespace ordo::demo
