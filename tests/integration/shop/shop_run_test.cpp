// Orders through a whole system whose worker calls the shop's services, while replies are lost and
// worker and services are killed: ordo-verify finds nothing wrong, and finds what is planted
// afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/http_get.hpp"
#include "examples/demo/ack_log.hpp"
#include "examples/demo/submitter.hpp"
#include "examples/demo/system.hpp"
#include "examples/shop/call.hpp"
#include "examples/shop/line_file.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using namespace std::chrono_literals;
using shop::Json;

constexpr std::size_t kOrders = 150;

/// Of codes, where some orders are to get none.
constexpr std::size_t kCodes = 60;

/// Everything that is done can be undone. The code is asked for beside what fails: an attempt of
/// which nobody knows is undone, too.
constexpr const char* kUndoing = R"(pipeline: digital
version: 100
steps:
  coupon_reserve: { compensate: coupon_release }
  payment:        { after: coupon_reserve, compensate: payment_back }
  ledger_post:    { after: payment, compensate: ledger_reverse }
  code_issue:     { after: payment, compensate: code_void }
  code_reserve:   { after: ledger_post, compensate: code_release }
  complete:       { after: [code_reserve, code_issue] }
)";

class ShopRun : public ::testing::Test {
 protected:
  void SetUp() override {
    auto system = demo::System::create({.slots = 16, .time_scale = 0});
    ASSERT_TRUE(system) << system.error().message;
    system_ = std::move(*system);
  }
  /// Services, a broker and a worker; every tenth reply is lost. `codes`: there are so many of each
  /// sku and coupon.
  void start_shop(std::size_t codes) {
    codes_ = codes;
    ASSERT_NO_FATAL_FAILURE(start_services("0"));
    system_->set_worker_flags({"--services", url_});
    ASSERT_TRUE(system_->start_broker());
    ASSERT_TRUE(system_->start_worker());
    const auto ready = system_->wait_ready();
    ASSERT_TRUE(ready) << ready.error().message;
    tell({{"service", "*"}, {"mode", "lose"}, {"probability", 0.1}});
  }
  /// kill -9 of the services and then of the worker, each in the middle of it.
  void kill_half_way() {
    const auto has_issued = [&](std::size_t codes) {
      return wait_until(60s, [&] {
        const auto lines = shop::read_lines(ledgers() + "/supplier.ledger");
        return lines && lines->size() >= codes;
      });
    };
    ASSERT_TRUE(has_issued(5));
    services_->kill9();
    ASSERT_NO_FATAL_FAILURE(start_services(url_.substr(url_.rfind(':') + 1)));
    tell({{"service", "*"}, {"mode", "lose"}, {"probability", 0.1}});
    ASSERT_TRUE(has_issued(20));
    system_->worker(0).kill9();
    ASSERT_TRUE(system_->start_worker());
    ASSERT_TRUE(wait_until(
        120s, [&] { return is_settled(); }, 200ms));
  }

  /// On that port; "0": a free one.
  void start_services(const std::string& port) {
    const std::string log = system_->folder() + "/services-" + std::to_string(++starts_);
    auto child = ChildProcess::start(
        {.program = program_path("ordo-shop-services"),
         .arguments = {"--ledgers", ledgers(), "--port", port, "--time-scale", "0.05",
                       "--no-failures", "--quantity", std::to_string(codes_)},
         .log = log});
    ASSERT_TRUE(child) << child.error().message;
    services_ = std::move(*child);
    ASSERT_TRUE(wait_until(20s, [&] { return read_file(log).find('\n') != std::string::npos; }));
    const Json line = Json::parse(read_file(log), nullptr, false);
    ASSERT_TRUE(line.is_object()) << read_file(log);
    url_ = line["http"];
  }
  void tell(const Json& fault) const {
    const auto reply = http_post(url_ + "/fault", {.body = fault.dump()});
    ASSERT_TRUE(reply && reply->status == 200);
  }
  [[nodiscard]] std::string ledgers() const { return system_->folder() + "/shop"; }
  [[nodiscard]] std::string acks() const { return system_->folder() + "/acks"; }

  /// `newer` is a pipeline beside those of the examples, or a newer version of one.
  void submit(client::Client& client, const std::string& newer = {}) const {
    for (const char* const name : {"digital", "3c", "hello"}) {
      const auto stored =
          client.put_pipeline(read_file("examples/pipelines/" + std::string(name) + ".yaml"));
      ASSERT_TRUE(stored) << stored.error().message;
    }
    if (!newer.empty()) {
      ASSERT_TRUE(client.put_pipeline(newer));
    }
    auto log = demo::AckLog::open(acks());
    ASSERT_TRUE(log);
    demo::Submitter submitter(client, **log, {.rate = 0, .cancel_chance = 0});
    demo::OrderSource source(5, kOrders, demo::Mix::kPlain);
    Result<bool> more = true;
    while (more && *more) more = submitter.step(source);
    ASSERT_TRUE(more) << more.error().message;
    ASSERT_EQ(submitter.counts().acked, kOrders);
  }
  /// Whether no order moves any more; those that the supplier has discontinued are parked.
  [[nodiscard]] bool is_settled() const {
    const auto standing = system_->tables().standing();
    return standing && standing->orders == kOrders && standing->moving == 0;
  }
  /// Its exit code and last line.
  [[nodiscard]] std::pair<int, Json> verify() const {
    const std::string log = system_->folder() + "/verify";
    std::filesystem::remove(log);
    auto child = ChildProcess::start(
        {.program = program_path("ordo-verify"),
         .arguments = {"--psql", system_->psql(), "--database", system_->dsn(), "--shards", "2",
                       "--ledgers", ledgers(), "--acks", acks(), "--horizon-s", "0", "--metrics",
                       system_->endpoints().http + "/metrics"},
         .log = log});
    EXPECT_TRUE(child);
    const auto code = child->wait(60s);
    std::string text = read_file(log);
    while (text.ends_with('\n')) text.pop_back();
    Json line = Json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
    line["text"] = text;
    return {code.value_or(-1), line};
  }

  /// What it says once it finds nothing; a broker's gauges are a moment old.
  [[nodiscard]] Json verified() const {
    int code = -1;
    Json line;
    wait_until(
        20s, [&] { return std::tie(code, line) = verify(), code == 0; }, 200ms);
    EXPECT_EQ(code, 0) << line["text"].get<std::string>();
    EXPECT_EQ(line["violations"], 0);
    return line;
  }
  [[nodiscard]] Json sums(const std::string& service) const {
    const auto reply = http_get(url_ + "/ledger");
    return reply ? Json::parse(reply->body)["services"][service]["sums"] : Json();
  }

  std::unique_ptr<demo::System> system_;
  std::optional<ChildProcess> services_;
  std::size_t codes_ = 0;
  std::string url_;
  int starts_ = 0;
};

TEST_F(ShopRun, AddsUpThoughRepliesAreLostAndProcessesKilled) {
  ASSERT_NO_FATAL_FAILURE(start_shop(100'000));
  client::Client client({.endpoints = system_->client_endpoints(), .name = "shop run"});
  ASSERT_NO_FATAL_FAILURE(submit(client));
  ASSERT_NO_FATAL_FAILURE(kill_half_way());

  const Json line = verified();
  EXPECT_EQ(line["orders"], kOrders);
  EXPECT_EQ(line["rules"].size(), 10U);
  EXPECT_GT(line["effects"], kOrders);
  EXPECT_GT(sums("payments")["paid"], 0);

  // What nobody may do: the same payment twice, and a posting that nobody paid for.
  const auto payments = shop::read_lines(ledgers() + "/payments.ledger");
  ASSERT_TRUE(payments && !payments->empty());
  std::ofstream(ledgers() + "/payments.ledger", std::ios::app) << payments->front() << '\n';
  const auto [caught, planted] = verify();
  EXPECT_EQ(caught, 1);
  EXPECT_EQ(planted["rules"]["I2"], 1) << planted["text"];
  EXPECT_EQ(planted["rules"]["I7"], 1) << planted["text"];
  EXPECT_TRUE(system_->stop());
}

TEST_F(ShopRun, UndoesWhatOrdersDidThatFoundNothingLeft) {
  ASSERT_NO_FATAL_FAILURE(start_shop(kCodes));
  // Coupons there are enough.
  const auto opened =
      http_post(url_ + "/coupons/open", {.body = R"({"order":"clerk","quantity":1000})",
                                         .headers = {{"Idempotency-Key", "more-coupons"}}});
  ASSERT_TRUE(opened && opened->status == 200);
  client::Client client({.endpoints = system_->client_endpoints(), .name = "shop run"});
  ASSERT_NO_FATAL_FAILURE(submit(client, kUndoing));
  ASSERT_NO_FATAL_FAILURE(kill_half_way());
  EXPECT_EQ(verified()["orders"], kOrders);
  EXPECT_EQ(sums("stock")["available"], 0);
  EXPECT_GT(sums("payments")["refunded"], 0);
  EXPECT_EQ(sums("payments")["net"], sums("ledger")["cash"]);
  EXPECT_GT(sums("supplier")["undone"], 0);
}

}  // namespace
}  // namespace ordo::testing
