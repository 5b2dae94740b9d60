#include "ordo/testkit.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace ordo::testkit {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDiamond = R"(
pipeline: diamond
version: 1
steps:
  first:  { timeout: 1s, retry: { attempts: 3, first: 100ms, factor: 2 } }
  left:   { after: first }
  right:  { after: first }
  last:   { after: [left, right] }
)";

PipelineTest diamond() {
  PipelineTest test(kDiamond);
  for (const char* const step : {"first", "left", "right", "last"}) {
    test.on(step, [](Task& task) { return succeeded("by " + task.step()); });
  }
  return test;
}

struct Parcel {
  std::string code;
};
Parcel decode_ordo(std::string_view bytes, std::type_identity<Parcel>) {
  return {std::string(bytes)};
}

TEST(TestKit, RunsOneHandlerAsAWorkerDoes) {
  const auto report = run_handler(
      [](Task& task) {
        task.progress("on it");
        EXPECT_EQ(task.payload_as<Parcel>().code, "X1");
        EXPECT_EQ(task.result_as<Parcel>("reserve").value().code, "R7");
        EXPECT_EQ(task.results().at(0).step, "reserve");
        EXPECT_EQ(task.results().at(0).result, "R7");
        EXPECT_EQ(task.time_left(), milliseconds(500));
        return succeeded("ok");
      },
      {.step = "charge",
       .payload = "X1",
       .results = {{"reserve", "R7"}},
       .timeout = milliseconds(500)});
  EXPECT_TRUE(report.outcome.is_success());
  EXPECT_EQ(report.outcome.result, "ok");
  EXPECT_EQ(report.notes, std::vector<std::string>{"on it"});
}

TEST(TestKit, GivesTheHandlerItsTrace) {
  const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  std::vector<Trace> seen;
  std::vector<std::pair<std::string, std::string>> fields;
  const auto handler = [&](Task& task) {
    if (const auto trace = task.trace()) seen.push_back(*trace);
    task.log(LogLevel::kWarn, "the bank is slow");
    fields = task.log_fields();
    return succeeded();
  };
  TestTask task{.step = "charge", .attempt = 2};
  auto report = run_handler(handler, task);
  EXPECT_TRUE(seen.empty()) << "an order without a trace";
  EXPECT_EQ(report.lines, std::vector<std::string>{"warn the bank is slow"});
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[2], (std::pair<std::string, std::string>("step", "charge")));
  EXPECT_EQ(fields[3], (std::pair<std::string, std::string>("attempt", "2")));

  task.traceparent = "00-" + trace_id + "-00f067aa0ba902b7-03";
  task.tracestate = "congo=t61";
  run_handler(handler, task);
  task.attempt = 3;
  run_handler(handler, task);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].trace_id, trace_id);
  EXPECT_EQ(seen[0].parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(seen[0].flags, 3u);
  EXPECT_TRUE(seen[0].is_sampled());
  EXPECT_EQ(seen[0].tracestate, "congo=t61");
  EXPECT_EQ(seen[0].traceparent(), "00-" + trace_id + "-" + seen[0].span_id + "-03");
  EXPECT_NE(seen[0].span_id, seen[1].span_id) << "each attempt is a span of its own";
  ASSERT_EQ(fields.size(), 6u);
  EXPECT_EQ(fields[4].second, trace_id);
  EXPECT_EQ(fields[5], (std::pair<std::string, std::string>("span_id", seen[1].span_id)));

  task.traceparent = "nonsense of a broker";
  run_handler(handler, task);
  EXPECT_EQ(seen.size(), 2u) << "what is no trace is none";
}

TEST(TestKit, TurnsAnExceptionIntoATransientOutcome) {
  const auto report = run_handler([](Task&) -> TaskOutcome { throw std::runtime_error("no ink"); });
  EXPECT_EQ(report.outcome.kind, TaskOutcome::Kind::kTransient);
  EXPECT_EQ(report.outcome.error, "no ink");
}

TEST(TestKit, ShowsAnOutcomeThatNobodyKnows) {
  const auto report = run_handler([](Task&) { return unknown("cut off"); });
  EXPECT_EQ(report.outcome.kind, TaskOutcome::Kind::kUnknown);
  EXPECT_EQ(report.outcome.error, "cut off");
}

TEST(TestKit, RefusesAContextThatIsNoObject) {
  const auto report = run_handler([](Task&) { return succeeded("", "[1]"); });
  EXPECT_EQ(report.outcome.kind, TaskOutcome::Kind::kTransient);
}

TEST(TestKit, RunsParallelStepsAtTheSameVirtualTime) {
  PipelineTest test = diamond();
  test.takes("left", milliseconds(200))
      .takes("right", milliseconds(300))
      .takes("last", milliseconds(50));
  const Report report = test.run();
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.status, "succeeded");
  EXPECT_EQ(report.elapsed, milliseconds(350));
  EXPECT_EQ(report.at("last").opened_at, milliseconds(300));
  EXPECT_EQ(report.at("last").result, "by last");
  EXPECT_EQ(report.timeline.size(), 4U);
}

TEST(TestKit, HandsResultsAndContextOn) {
  PipelineTest test = diamond();
  test.on("left", [](Task&) { return succeeded("L", R"({"side":"left"})"); });
  test.on("last", [](Task& task) {
    EXPECT_EQ(task.result("left"), "L");
    EXPECT_EQ(task.result("first"), "by first");
    EXPECT_EQ(task.context_string("side"), "left");
    EXPECT_EQ(task.context_number("sum"), 3);
    return succeeded();
  });
  const Report report = test.run({.context = R"({"sum":3})"});
  EXPECT_EQ(report.status, "succeeded");
  EXPECT_EQ(report.context, R"({"side":"left","sum":3})");
}

TEST(TestKit, RetriesWithTheStepsPolicyAndTheSameEffectKey) {
  PipelineTest test = diamond();
  std::set<std::string> keys;
  test.on("first", [&](Task& task) {
    keys.insert(task.effect_key());
    return task.attempt() < 3 ? transient("not yet") : succeeded();
  });
  const Report report = test.run();
  EXPECT_EQ(report.status, "succeeded");
  EXPECT_EQ(report.at("first").attempts, 3U);
  EXPECT_EQ(report.at("first").failures, 2U);
  EXPECT_GE(report.elapsed, milliseconds(150)) << "half of 100 ms and of 200 ms";
  EXPECT_LE(report.elapsed, milliseconds(300));
  EXPECT_EQ(keys.size(), 1U);
}

TEST(TestKit, ParksAnExhaustedStepAndGoesOnElsewhere) {
  PipelineTest test = diamond();
  test.on("left", [](Task&) { return transient("never"); });
  const Report report = test.run();
  EXPECT_EQ(report.status, "parked");
  EXPECT_EQ(report.at("left").state, "parked");
  EXPECT_EQ(report.at("left").attempts, 10U);
  EXPECT_EQ(report.at("right").state, "succeeded");
  EXPECT_EQ(report.at("last").state, "pending");
}

TEST(TestKit, CountsATimeoutAndTellsTheNextAttemptThatItIsAMaybe) {
  PipelineTest test = diamond();
  test.takes("first",
             [](std::uint32_t attempt) { return milliseconds(attempt == 1 ? 5'000 : 10); });
  test.on("first", [](Task& task) {
    EXPECT_EQ(task.is_maybe(), task.attempt() > 1);
    return succeeded();
  });
  const Report report = test.run();
  EXPECT_EQ(report.status, "succeeded");
  EXPECT_EQ(report.at("first").attempts, 2U);
  EXPECT_GE(report.elapsed, milliseconds(1'060));
  EXPECT_LE(report.elapsed, milliseconds(1'110));
}

TEST(TestKit, FailsTheOrderOnAPermanentFailure) {
  PipelineTest test = diamond();
  test.on("left", [](Task&) { return permanent("declined", "card_declined"); });
  test.takes("right", milliseconds(100));
  const Report report = test.run();
  EXPECT_EQ(report.status, "failed");
  EXPECT_EQ(report.at("left").state, "failed");
  EXPECT_EQ(report.at("right").state, "cancelled");
  EXPECT_EQ(report.at("last").state, "pending");
}

TEST(TestKit, FailsAnOrderPastItsDeadline) {
  PipelineTest test = diamond();
  test.takes("left", milliseconds(500));
  const Report report = test.run({.deadline = milliseconds(400)});
  EXPECT_EQ(report.status, "failed");
  EXPECT_EQ(report.elapsed, milliseconds(400));
}

TEST(TestKit, SnoozesWithoutBurningAnything) {
  PipelineTest test = diamond();
  test.on("first", [](Task& task) {
    return task.attempt() < 20 ? snooze(std::chrono::hours(1)) : succeeded();
  });
  const Report report = test.run();
  EXPECT_EQ(report.status, "succeeded");
  EXPECT_EQ(report.at("first").failures, 0U);
  EXPECT_EQ(report.elapsed, std::chrono::hours(19));
}

TEST(TestKit, GivesUpOnAStepThatSnoozesForEver) {
  PipelineTest test = diamond();
  test.on("first", [](Task&) { return snooze(milliseconds(1)); });
  const Report report = test.run();
  EXPECT_EQ(report.status, "running");
  EXPECT_NE(report.problem, "");
}

TEST(TestKit, SaysWhatIsWrongWithThePipelineOrItsHandlers) {
  EXPECT_NE(PipelineTest("pipeline: p\nsteps:\n  a: { after: b }\n").run().problem, "");
  EXPECT_NE(PipelineTest(kDiamond).run().problem, "");
  EXPECT_NE(diamond().run({.context = "nonsense"}).problem, "");
  EXPECT_EQ(diamond().run().at("nobody").attempts, 0U);
}

}  // namespace
}  // namespace ordo::testkit
