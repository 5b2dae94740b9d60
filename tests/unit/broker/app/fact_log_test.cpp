#include "broker/app/fact_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

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
  EXPECT_NE(next.find("990 more before"), std::string::npos) << next;
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
