// A broker at work gives no findings: what is seen is one moment of it.
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/integration/doctor/patient.hpp"

namespace ordo::testing {
namespace {

std::string all_of(const doctor::Report& report) {
  std::string text;
  for (const auto& one : report.findings) {
    text += std::string(one.kind.word) + " " + one.order + ": " + one.sentence + "\n";
  }
  return text;
}

TEST(DoctorUnderLoad, FindsNothingWhileABrokerWorks) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  client::Client client(client::Options{.endpoints = {broker.endpoints().clients}});
  for (const char* text : {kOnePipeline, kDiamondPipeline}) ASSERT_TRUE(client.put_pipeline(text));
  const auto worker = start_worker(broker, kAllSteps);
  std::atomic<bool> is_over{false};
  std::atomic<int> taken{0};
  std::thread submitter([&] {
    for (int n = 0; !is_over; ++n) {
      const std::string payload = n % 20 == 0 ? "never" : n % 20 == 1 ? "no" : "ok";
      const auto receipt =
          client.submit({.pipeline = n % 3 == 0 ? "one" : "diamond", .payload = payload});
      if (receipt) ++taken;
    }
  });
  const doctor::ExamSpec spec{.dsns = {{0, database.dsn()}, {1, database.dsn()}}};
  std::uint64_t most = 0;
  for (int look = 0; look < 20 || most < 500; ++look) {
    const auto report = doctor::examine(spec);
    if (!report || !report->findings.empty()) {
      ADD_FAILURE() << (report ? all_of(*report) : report.error().message);
      break;
    }
    std::uint64_t orders = 0;
    for (const auto& shard : report->shards) orders += shard.orders;
    most = std::max(most, orders);
  }
  is_over = true;
  submitter.join();
  EXPECT_GT(taken, 500);
}

}  // namespace
}  // namespace ordo::testing
