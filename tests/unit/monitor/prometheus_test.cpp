#include "monitoring/monitor/prometheus.hpp"

#include <gtest/gtest.h>

#include "monitoring/monitor/history.hpp"

namespace ordo::monitor {
namespace {

TEST(Prometheus, RangesLieOnAGridAndHaveABound) {
  const TimeRange hour = range_until(1'000'007, 60, 15, 720);
  EXPECT_EQ(hour.step, 15);
  EXPECT_EQ(hour.end, 1'000'005);
  EXPECT_EQ(hour.end - hour.start, 3600);
  EXPECT_EQ(range_until(1'000'008, 60, 15, 720).end, hour.end);
  const TimeRange week = range_until(1'000'007, 7 * 24 * 60, 60, 720);
  EXPECT_LE((week.end - week.start) / week.step, 720);
  EXPECT_EQ(week.step % 60, 0);
}

TEST(Prometheus, ALabelsValueCannotLeaveItsQuotes) {
  EXPECT_EQ(promql_text("a\"} or vector(1) #\\"), "a\\\"} or vector(1) #\\\\");
  EXPECT_EQ(promql_text("a\nb"), "a\\nb");
}

TEST(Prometheus, SeriesAreReadAndRubbishIsLeftOut) {
  const Json data = Json::parse(R"({"resultType":"matrix","result":[
    {"metric":{"reason":"errors"},"values":[[10,"1"],[25.5,"NaN"],[40,"+Inf"],["x","1"],[55,2],
     [70,"2"]]}, 7, {"metric":{"queue":"pay"},"value":[9,"0.5"]}]})");
  const auto series = series_of(data);
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].labels.at("reason"), "errors");
  EXPECT_EQ(series[0].points, (std::vector<std::pair<std::int64_t, double>>{{10, 1}, {70, 2}}));
  EXPECT_EQ(series[1].points.at(0).second, 0.5);
  EXPECT_TRUE(series_of(Json::parse("[]")).empty());
  EXPECT_TRUE(series_of(Json::parse(R"({"result":{}})")).empty());
}

TEST(Prometheus, TimesAreRead) {
  EXPECT_EQ(time_of_text("1970-01-02T00:00:01.5Z"), 86'401'500);
  EXPECT_EQ(time_of_text("soon"), 0);
}

TEST(Prometheus, WithoutOneTheAnswerSaysSo) {
  Prometheus none("");
  const auto answer = none.now("up");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
}

TEST(Alerts, CriticalOnesComeFirstAndFiringBeforePending) {
  const Json alerts = alerts_of(Json::parse(R"({"alerts":[
    {"labels":{"alertname":"C","severity":"info"},"state":"firing"},
    {"labels":{"alertname":"B","severity":"critical"},"state":"pending"},
    {"labels":{"alertname":"A","severity":"critical","system":"ordo"},"state":"firing",
     "activeAt":"1970-01-01T00:00:02Z",
     "annotations":{"summary":"s","description":"d","runbook_url":"r"}}, 9]})"));
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_EQ(alerts[0], Json::parse(R"({"name":"A","severity":"critical","state":"firing",
    "since_ms":2000,"summary":"s","description":"d","runbook":"r","labels":{"system":"ordo"}})"));
  EXPECT_EQ(alerts[1]["name"], "B");
  EXPECT_EQ(alerts[2]["name"], "C");
  EXPECT_TRUE(alerts_of(Json()).empty());
}

}  // namespace
}  // namespace ordo::monitor
