// What brokers, workers and clients give to Prometheus, as promtool reads it: real processes, an
// order that went through all of them, no complaint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/http_get.hpp"
#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// What promtool says about a text; empty: nothing.
std::string complaints(const std::string& text) {
  std::string path = (std::filesystem::temp_directory_path() / "ordo-scrape-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  if (file < 0) return "no file for the text";
  std::ofstream(path) << text;
  const std::string command = "promtool check metrics < " + path + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string said;
  char room[512];
  while (pipe != nullptr && std::fgets(room, sizeof room, pipe) != nullptr) said += room;
  const int code = pipe == nullptr ? -1 : ::pclose(pipe);
  std::filesystem::remove(path);
  if (code != 0 && said.empty()) return "promtool ended with " + std::to_string(code);
  return said;
}

class Scrape : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v promtool >/dev/null") != 0) {
      GTEST_SKIP() << "no promtool; ./dev setup test installs it";
    }
  }
  /// An order through a worker and back.
  static std::string run_an_order(client::Client& client) {
    const auto put = client.put_pipeline("pipeline: shop\nversion: 1\nsteps:\n  pay: {}\n");
    if (!put) return put.error().message;
    const auto ended = client.submit_and_wait({.pipeline = "shop"}, {.timeout = 20s});
    return ended ? ended->status : ended.error().message;
  }
};

TEST_F(Scrape, OfBrokerWorkerAndClientIsCleanForPromtool) {
  BrokerProcess broker("", {"--store", "memory"});
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  Worker worker({.brokers = {broker.endpoints().workers}, .listen_http = "127.0.0.1:0"});
  worker.on("pay", [](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  client::Client client({.endpoints = {broker.endpoints().clients}});
  EXPECT_EQ(run_an_order(client), "succeeded");
  const std::string ended =
      "ordo_tasks_ended_total{pipeline=\"shop\",step=\"pay\",outcome=\"succeeded\"}";
  EXPECT_TRUE(wait_until(10s, [&] { return broker.metric(ended) == 1; }));
  EXPECT_TRUE(wait_until(10s, [&] { return !broker.get("/metrics/health").empty(); }));
  EXPECT_EQ(complaints(broker.get("/metrics")), "");
  EXPECT_EQ(complaints(broker.get("/metrics/health")), "");
  const auto of_worker = http_get(worker.http_endpoint() + "/metrics");
  ASSERT_TRUE(of_worker) << of_worker.error().message;
  EXPECT_THAT(of_worker->body,
              HasSubstr("\nordo_worker_attempts_total{handler=\"pay\",outcome=\"succeeded\"} 1\n"));
  EXPECT_EQ(complaints(of_worker->body), "");
  const std::string of_client = client::to_prometheus(client.stats());
  EXPECT_THAT(of_client,
              HasSubstr("\nordo_client_submits_answered_total{outcome=\"accepted\"} 1\n"));
  EXPECT_EQ(complaints(of_client), "");
  EXPECT_THAT(complaints(of_client + "ordo_client_submits_total twice\n"), HasSubstr("error"));
}

TEST_F(Scrape, OfABrokerThatDoesNotMeasureIsNotThereButHealthIs) {
  BrokerProcess broker("", {"--store", "memory", "--metrics", "off"});
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  Worker worker({.brokers = {broker.endpoints().workers}});
  worker.on("pay", [](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  client::Client client({.endpoints = {broker.endpoints().clients}});
  EXPECT_EQ(run_an_order(client), "succeeded");
  for (const char* path : {"/metrics", "/metrics/health", "/api/v1/health"}) {
    int status = 0;
    static_cast<void>(broker.get(path, &status));
    EXPECT_EQ(status, 404) << path;
  }
  for (const char* path : {"/livez", "/readyz"}) {
    int status = 0;
    static_cast<void>(broker.get(path, &status));
    EXPECT_EQ(status, 200) << path;
  }
}

}  // namespace
}  // namespace ordo::testing
