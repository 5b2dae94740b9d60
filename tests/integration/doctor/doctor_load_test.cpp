// A broker at work gives no findings: what is seen is one moment of it.
#include <algorithm>
#include <array>
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
  for (const char* text : {kOnePipeline, kDiamondPipeline, kTripPipeline})
    ASSERT_TRUE(client.put_pipeline(text));
  const auto worker = start_worker(broker, kAllSteps);
  std::atomic<bool> is_over{false};
  std::atomic<int> taken{0};
  std::thread submitter([&] {
    for (std::size_t n = 0; !is_over; ++n) {
      static constexpr std::array kPipelines{"one", "diamond", "trip"};
      static constexpr std::array kPayloads{"never", "no", "grounded", "ok", "ok", "ok", "ok"};
      const auto receipt =
          client.submit({.pipeline = kPipelines[n % 3], .payload = kPayloads[n % 7]});
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
