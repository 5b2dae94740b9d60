#include "examples/demo/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ordo::demo {
namespace {

constexpr const char* kOrder = "019abcde-0000-7000-8000-000000000001";

Records one_lost_lease() {
  Records records;
  records.acks.tried = {kOrder};
  records.acks.acked = {kOrder};
  records.tables.steps["7"] = {"pay"};
  records.tables.orders = {{kOrder, "7", "succeeded", 1000}};
  EventRecord lost{.order = kOrder,
                   .step = "pay",
                   .task_kind = "forward",
                   .kind = "worker_lost",
                   .attempt = 1,
                   .worker = "shop-0",
                   .at_ms = 4000};
  EventRecord done{.order = kOrder,
                   .step = "pay",
                   .task_kind = "forward",
                   .kind = "succeeded",
                   .status = "succeeded",
                   .attempt = 2,
                   .worker = "shop-1",
                   .at_ms = 4100};
  records.tables.events = {lost, done};
  const std::string key = effect_key(done);
  records.ledger = {{key, 1, "shop-0", 500, 510, "succeeded"},
                    {key, 2, "shop-1", 4020, 4080, "succeeded"}};
  return records;
}

TEST(Report, MeasuresRecoveryFromTheKillToTheNextStartOfTheLastTask) {
  EXPECT_EQ(recovery_of(one_lost_lease(), {"shop-0", 1000, 900}).ms, 3020);
  EXPECT_EQ(recovery_of(one_lost_lease(), {"shop-0", 1000, 900}).tasks, 1U);
  EXPECT_EQ(recovery_of(one_lost_lease(), {"shop-9", 1000, 900}).tasks, 0U);
  EXPECT_EQ(recovery_of(one_lost_lease(), {"shop-9", 1000, 900}).ms, 0);
}

TEST(Report, CountsATaskWhoseAttemptTimedOutAfterTheKillAsHeldByTheWorker) {
  Records records = one_lost_lease();
  records.tables.events[0].kind = "attempt_failed";
  EXPECT_EQ(recovery_of(records, {"shop-0", 1000, 3900}).ms, 3020);
  EXPECT_EQ(recovery_of(records, {"shop-0", 1000, 4001}).tasks, 0U) << "it had failed before";
}

TEST(Report, SaysEverythingInOneLineOfJson) {
  const Summary summary =
      summarize(one_lost_lease(), {.tried = 1, .acked = 1, .ack_ms = {2, 3}},
                {{"shop-0", 1000, 900}, {"shop-9", 1000, 900}}, {{"7", "digital"}});
  const std::string text = to_json_line(summary);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["submitted"], 1);
  EXPECT_EQ(line["succeeded"], 1);
  for (const char* zero : {"failed", "parked", "cancelled", "lost", "duplicate_records"}) {
    EXPECT_EQ(line[zero], 0) << zero;
  }
  EXPECT_EQ(line["tasks"], 1);
  EXPECT_EQ(line["attempts"], 2);
  EXPECT_EQ(line["seconds"], 3.1);
  EXPECT_EQ(line["recovery_ms"], 3020);
  EXPECT_EQ(line["repeated_effects"], 1);
  EXPECT_EQ(line["violations"], 0);
  EXPECT_EQ(line["pipelines"], 1);
  EXPECT_EQ(line["kills"], 2);
  EXPECT_TRUE(line.contains("orders_per_s"));
  EXPECT_TRUE(line.contains("tasks_per_s"));
  EXPECT_NE(to_table(summary).find("digital"), std::string::npos);
}

TEST(Report, IsNotCleanWithAViolationOrAnOrderThatNobodyCanExplain) {
  Summary summary;
  EXPECT_TRUE(summary.is_clean());
  summary.audit.violations = 1;
  summary.audit.findings = {"I7: x does not add up"};
  EXPECT_FALSE(summary.is_clean());
  EXPECT_EQ(findings_of(summary), "I7: x does not add up\n");
  summary.audit = {};
  summary.audit.unexplained = {"x: It is over: failed."};
  EXPECT_FALSE(summary.is_clean());
  EXPECT_EQ(findings_of(summary), "not explained: x: It is over: failed.\n");
}

TEST(Report, CountsTheReasonsOfOrdersThatDidNotSucceed) {
  Summary summary;
  summary.audit.reasons = {{"It failed of cold", 3}, {"It failed of heat", 12}};
  const std::string table = to_table(summary);
  EXPECT_LT(table.find("    12  It failed of heat"), table.find("     3  It failed of cold"));
}

TEST(Report, TakesPercentilesFromWhatWasMeasured) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  EXPECT_EQ(percentiles(values).p50, 50);
  EXPECT_EQ(percentiles(values).p99, 99);
  EXPECT_EQ(percentiles({}).p99, 0);
}

}  // namespace
}  // namespace ordo::demo
