// The desk: what ordo-monitor answers about orders and does to them, with a real broker and worker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/integration/monitor/monitor_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;
using Json = nlohmann::json;

class MonitorDesk : public ::testing::Test {
 protected:
  MonitorDesk()
      : broker("", {"--store", "memory"}),
        monitor({"--brokers", broker.endpoints().http, "--endpoint", broker.endpoints().clients}),
        client(client::Options{.endpoints = {broker.endpoints().clients}}) {
    EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
    for (const std::string name : {"one", "two"}) {
      const auto put = client.put_pipeline("pipeline: " + name +
                                           "\nversion: 1\nsteps:\n  work: { retry: { attempts: 1 } "
                                           "}\n  ship: { after: work }\n");
      EXPECT_TRUE(put) << put.error().message;
    }
  }

  OrderId submit(const std::string& pipeline, const std::string& payload = "x") {
    const auto receipt =
        client.submit({.pipeline = pipeline, .payload = payload, .customer = "c1"});
    EXPECT_TRUE(receipt) << receipt.error().message;
    return receipt ? receipt->id : OrderId{};
  }
  /// Parks what is submitted, until it is_well.
  std::unique_ptr<Worker> start_worker() {
    auto worker = std::make_unique<Worker>(WorkerOptions{.brokers = {broker.endpoints().workers}});
    worker->on("work", [this](Task& task) -> TaskOutcome {
      if (is_well) return succeeded("done");
      return transient(std::string(task.payload()) + " after " +
                       std::to_string(task.order().to_string().size() + ++count) + " ms");
    });
    worker->on("ship", [](Task&) { return succeeded("shipped"); });
    EXPECT_TRUE(worker->start());
    return worker;
  }
  std::string status_of(const OrderId& id) {
    const auto order = client.get(id);
    return order ? order->status : order.error().message;
  }
  bool becomes(const OrderId& id, const std::string& status) {
    return wait_until(20s, [&] { return status_of(id) == status; });
  }

  std::atomic<bool> is_well{false};
  std::atomic<int> count{0};
  BrokerProcess broker;
  MonitorProcess monitor;
  client::Client client;
};

TEST_F(MonitorDesk, ListsOrdersByPageAndPipeline) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(submit(i % 2 == 0 ? "one" : "two").to_string());
  std::vector<std::string> seen;
  std::string after;
  for (Json page; page.empty() || !page["is_last"].get<bool>();) {
    page = monitor.get("/api/v1/orders?which=recent&limit=2" + after).json();
    ASSERT_TRUE(page.contains("orders")) << page;
    for (const auto& order : page["orders"]) seen.push_back(order["id"]);
    after = "&after=" + page["after"].get<std::string>();
    ASSERT_LE(seen.size(), 5u);
  }
  std::sort(ids.rbegin(), ids.rend());
  EXPECT_EQ(seen, ids);
  const Json two = monitor.get("/api/v1/orders?which=recent&pipeline=two").json();
  ASSERT_EQ(two["orders"].size(), 2u);
  EXPECT_EQ(two["orders"][0]["pipeline"], "two");
  EXPECT_EQ(two["is_last"], true);
  EXPECT_EQ(monitor.get("/api/v1/orders?which=customer&customer=c1").json()["orders"].size(), 5u);
  EXPECT_EQ(monitor.get("/api/v1/orders?which=open&pipeline=one").json()["orders"].size(), 3u);
  for (const char* const wrong : {"which=all", "which=customer", "limit=0", "limit=501", "limit=x",
                                  "after=x", "pipeline=NO%20NAME", "which=customer&customer=%ff"}) {
    EXPECT_EQ(monitor.get(std::string("/api/v1/orders?") + wrong).status, 400) << wrong;
  }
}

TEST_F(MonitorDesk, ShowsAnOrderAndItsPipeline) {
  const OrderId id = submit("one", "seven");
  const Json order = monitor.get("/api/v1/orders/" + id.to_string()).json();
  EXPECT_EQ(order["payload"], "seven");
  EXPECT_EQ(order["tasks"][0]["step"], "work");
  EXPECT_THAT(monitor.get("/api/v1/orders/" + id.to_string() + "/explain").json()["sentence"],
              ::testing::Not(Json("")));
  const Json graph = monitor.get("/api/v1/pipelines/one").json();
  EXPECT_EQ(graph["version"], 1);
  EXPECT_EQ(graph["graph"][1]["after"], Json::array({"work"}));
  EXPECT_EQ(graph["graph"][1]["queue"], "ship");
  const HttpSaid none =
      monitor.get("/api/v1/orders/" + OrderId::make(1'700'000'000'000, 0, 1).to_string());
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.reason(), "unknown_order");
  EXPECT_EQ(monitor.get("/api/v1/pipelines/none").status, 404);
}

TEST_F(MonitorDesk, AnActionIsDoneAndItsHistorySaysWhoAndWhy) {
  const OrderId id = submit("one");
  const std::string path = "/api/v1/orders/" + id.to_string();
  EXPECT_EQ(monitor.post(path + "/tasks/work/0/retry").status, 409);
  EXPECT_EQ(monitor.post(path + "/tasks/work/x/retry").status, 400);
  ASSERT_EQ(monitor.post("/api/v1/queues/work/pause", {{"why", "stock-taking"}}).body,
            "{\"ok\":true}\n");
  EXPECT_EQ(monitor.get("/api/v1/queues").json()["queues"][1]["paused"], true);
  EXPECT_EQ(monitor.post("/api/v1/queues/work/resume").status, 200);
  ASSERT_EQ(monitor.post(path + "/cancel", {{"why", "asked by phone"}}).status, 200);
  EXPECT_TRUE(becomes(id, "cancelled"));
  const std::string events = monitor.get(path).json()["events"].dump();
  EXPECT_THAT(events, ::testing::HasSubstr("asked by phone"));
  EXPECT_THAT(events, ::testing::HasSubstr("ann"));
}

TEST_F(MonitorDesk, ParkedTasksAreGroupedAndRetriedTogether) {
  const auto worker = start_worker();
  std::vector<OrderId> slow;
  for (int i = 0; i < 3; ++i) slow.push_back(submit("one", "timeout"));
  const OrderId other = submit("two", "refused");
  for (const OrderId& id : slow) ASSERT_TRUE(becomes(id, "parked")) << status_of(id);
  ASSERT_TRUE(becomes(other, "parked"));
  Json parked;
  // What was answered a moment ago is answered again.
  ASSERT_TRUE(wait_until(20s, [&] {
    parked = monitor.get("/api/v1/parked").json();
    return parked["looked_at"] == 4;
  })) << parked;
  ASSERT_EQ(parked["groups"].size(), 2u) << parked;
  const Json group = parked["groups"][0];
  EXPECT_EQ(group["error"], "timeout after # ms");
  EXPECT_EQ(group["count"], 3);
  EXPECT_EQ(group["step"], "work");
  EXPECT_EQ(parked["is_all"], true);

  Json order{{"verb", "retry"},
             {"filter", {{"pipeline", "one"}, {"error", "timeout after # ms"}}},
             {"dry_run", true}};
  Json answer = monitor.post("/api/v1/bulk", order).json();
  EXPECT_EQ(answer, Json::parse(R"({"matched":3,"done":0,"failed":[],"dry_run":true})"));
  EXPECT_EQ(status_of(slow[0]), "parked");
  is_well = true;
  order["dry_run"] = false;
  order["limit"] = 2;
  answer = monitor.post("/api/v1/bulk", order).json();
  EXPECT_EQ(answer["done"], 2) << answer;
  order.erase("limit");
  EXPECT_TRUE(
      wait_until(20s, [&] { return monitor.post("/api/v1/bulk", order).json()["matched"] == 0; }));
  for (const OrderId& id : slow) EXPECT_TRUE(becomes(id, "succeeded")) << status_of(id);
  EXPECT_EQ(status_of(other), "parked");
  EXPECT_EQ(monitor.post("/api/v1/bulk", {{"verb", "cancel"}}).json()["done"], 1);
  EXPECT_TRUE(becomes(other, "cancelled"));
}

TEST_F(MonitorDesk, ABulkActionWithASlipInItDoesNothing) {
  for (const Json& body :
       {Json{{"verb", "complete"}}, Json{{"verb", 7}}, Json{{"verb", "retry"}, {"filter", "all"}},
        Json{{"verb", "retry"}, {"filter", {{"pipelin", "one"}}}},
        Json{{"verb", "retry"}, {"filter", {{"step", 7}}}},
        Json{{"verb", "retry"}, {"dry_run", "yes"}}, Json{{"verb", "retry"}, {"limit", 0}},
        Json{{"verb", "retry"}, {"limit", 1001}}, Json{{"verb", "retry"}, {"limit", -1}}}) {
    EXPECT_EQ(monitor.post("/api/v1/bulk", body).status, 400) << body;
  }
}

TEST_F(MonitorDesk, ABrokerThatGoesAndComesBackIsAskedAgain) {
  submit("one");
  EXPECT_EQ(monitor.get("/api/v1/orders").status, 200);
  broker.process().kill9();
  const HttpSaid gone = monitor.get("/api/v1/orders");
  EXPECT_EQ(gone.status, 503) << gone.body;
  EXPECT_THAT(gone.head, ::testing::HasSubstr("Retry-After: 1"));
  EXPECT_EQ(monitor.get("/api/v1/health").status, 200);
  broker.kill9_and_restart();
  EXPECT_TRUE(wait_until(20s, [&] { return monitor.get("/api/v1/orders").status == 200; }));
}

TEST_F(MonitorDesk, ATokenThatIsTakenOutIsUnknownSoon) {
  EXPECT_EQ(monitor.get("/api/v1/me", MonitorProcess::kObserver).json()["name"], "bob");
  const std::string part = monitor.token_file() + ".part";
  std::ofstream(part) << "ann operator " << MonitorProcess::kOperator << "\n";
  std::filesystem::permissions(part, std::filesystem::perms{0600});
  std::filesystem::rename(part, monitor.token_file());
  EXPECT_TRUE(wait_until(
      5s, [&] { return monitor.get("/api/v1/me", MonitorProcess::kObserver).status == 401; }));
  EXPECT_EQ(monitor.get("/api/v1/me").json()["role"], "operator");
}

}  // namespace
}  // namespace ordo::testing
