#include "broker/app/fact_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/log.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

constexpr Steady kNow{Seconds{100}};

/// Lines on stderr while `f` runs.
template <class F> std::string lines_of(F&& f) {
  ::testing::internal::CaptureStderr();
  f();
  return ::testing::internal::GetCapturedStderr();
}

long count(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

Fact fact(FactKind kind, std::string text) {
  Fact made;
  made.kind = kind;
  made.text = std::move(text);
  return made;
}

TEST(FactLog, SaysWhoCameAndWent) {
  FactLog log;
  const std::string text = lines_of([&] {
    log.observe(fact(FactKind::kWorkerJoined, "w1"), kNow);
    log.observe(fact(FactKind::kOrderAccepted, ""), kNow);
    log.observe(fact(FactKind::kTransition, ""), kNow);
  });
  EXPECT_EQ(count(text), 1);
  EXPECT_NE(text.find("worker joined worker=w1"), std::string::npos) << text;
}

TEST(FactLog, BoundsAStormAndSaysWhatItLeftOut) {
  FactLog log;
  const std::string storm = lines_of([&] {
    for (int i = 0; i < 1000; ++i) log.observe(fact(FactKind::kTaskParked, "exhausted"), kNow);
  });
  EXPECT_EQ(count(storm), 10);
  const std::string next =
      lines_of([&] { log.observe(fact(FactKind::kTaskParked, "exhausted"), kNow + Seconds{2}); });
  EXPECT_NE(next.find("left_out=990"), std::string::npos) << next;
}

TEST(FactLog, SaysWhatAStormLeftOutWhenNothingFollows) {
  FactLog log;
  lines_of([&] {
    for (int i = 0; i < 15; ++i) log.observe(fact(FactKind::kTaskParked, "exhausted"), kNow);
  });
  EXPECT_EQ(lines_of([&] { log.flush(kNow); }), "");
  const std::string later = lines_of([&] { log.flush(kNow + Seconds{1}); });
  EXPECT_NE(later.find("lines left out of=\"task parked\" left_out=5"), std::string::npos) << later;
  EXPECT_EQ(lines_of([&] { log.flush(kNow + Seconds{2}); }), "");
}

/// A failed attempt of an order with a trace, as the engine tells it.
Fact failed_attempt() {
  static const std::string kPipeline = "shop", kStep = "pay";
  Fact made = fact(FactKind::kTaskRetried, "");
  made.shard = 5;
  made.key.order = *OrderId::parse("01234567-89ab-7005-8000-000000000000");
  made.key.step = 2;
  made.pipeline = &kPipeline;
  made.step = &kStep;
  made.attempt = 3;
  made.count = 2;
  made.took = Millis{850};
  made.worker_name = "w1";
  made.error = "the bank said \"no\"\n";
  return made;
}

TEST(FactLog, NamesTheAttemptInJson) {
  log::setup(log::Level::kInfo, log::Form::kJson);
  FactLog log;
  Fact traced = failed_attempt();
  const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  std::copy(trace_id.begin(), trace_id.end(), traced.trace_id.begin());
  const auto with = nlohmann::json::parse(lines_of([&] { log.observe(traced, kNow); }));
  const auto without =
      nlohmann::json::parse(lines_of([&] { log.observe(failed_attempt(), kNow); }));
  log::setup(log::Level::kInfo, log::Form::kText);
  const std::string order = traced.key.order.to_string();
  EXPECT_EQ(with.at("level"), "info");
  EXPECT_EQ(with.at("message"), "task retried");
  EXPECT_EQ(with.at("order"), order);
  EXPECT_EQ(with.at("pipeline"), "shop");
  EXPECT_EQ(with.at("step"), "pay");
  EXPECT_EQ(with.at("attempt"), 3);
  EXPECT_EQ(with.at("worker"), "w1");
  EXPECT_EQ(with.at("shard"), 5);
  EXPECT_EQ(with.at("error"), "the bank said \"no\"\n");
  EXPECT_EQ(with.at("failures"), 2);
  EXPECT_EQ(with.at("retry_in_ms"), 850);
  EXPECT_EQ(with.at("trace_id"), trace_id);
  EXPECT_EQ(with.at("span_id"), span_id(order + "/pay/0/forward", 3));
  EXPECT_FALSE(without.contains("trace_id") || without.contains("span_id"));
}

TEST(FactLog, TellsWhatWorksOnlyAtDebug) {
  FactLog log;
  Fact ended = failed_attempt();
  ended.kind = FactKind::kTaskEnded;
  ended.text = "succeeded";
  Fact order = failed_attempt();
  order.kind = FactKind::kOrderEnded;
  order.status = OrderStatus::kSucceeded;
  const auto say = [&] {
    log.observe(ended, kNow);
    log.observe(order, kNow);
  };
  EXPECT_EQ(lines_of(say), "");
  log::setup(log::Level::kDebug, log::Form::kText);
  EXPECT_EQ(count(lines_of(say)), 2);
  log::setup(log::Level::kInfo, log::Form::kText);
  ended.text = "permanent";
  order.status = OrderStatus::kFailed;
  EXPECT_EQ(count(lines_of(say)), 2);
}

TEST(FactLog, SaysARefusedShardOnlyWhenTheReasonChanges) {
  FactLog log;
  const std::string text = lines_of([&] {
    for (int i = 0; i < 5; ++i) log.observe(fact(FactKind::kShardRefused, "owned"), kNow);
    log.observe(fact(FactKind::kShardRefused, "unreachable"), kNow);
    log.observe(fact(FactKind::kShardOpened, ""), kNow);
    log.observe(fact(FactKind::kShardRefused, "unreachable"), kNow);
  });
  EXPECT_EQ(count(text), 4) << text;
}

}  // namespace
}  // namespace ordo
