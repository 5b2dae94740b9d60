// Orders that fail are undone: by the SDK's worker, over a real broker and PostgreSQL, and with the
// program `ordo` where somebody has to decide.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/client/program_run.hpp"
#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

using nlohmann::json;
using test::Outcome;
using test::run_program;

constexpr const char* kTrip = R"(
pipeline: trip
version: 1
steps:
  pay:
    compensate: { handler: refund, retry: { attempts: 2, first: 10ms, cap: 10ms } }
  hotel:  { after: pay, compensate: cancel_hotel }
  flight: { after: pay, retry: { attempts: 1 }, compensate: cancel_flight }
  ticket: { after: [hotel, flight] }
)";

class Trips : public EndToEnd {
 protected:
  Trips() {
    EXPECT_TRUE(client->put_pipeline(kTrip));
    worker_.options().brokers = {broker.endpoints().workers};
    worker_.options().name = "w";
    for (const char* step : {"pay", "hotel"}) {
      worker_.on(step, [](Task& task) { return succeeded(task.step() + " of trip"); });
    }
    worker_.on("flight", [](Task& task) -> TaskOutcome {
      if (task.payload() == "lost") return unknown("the airline hung up");
      return succeeded("flight of trip");
    });
    worker_.on("ticket", [](Task&) { return permanent("sold out", "sold_out"); });
    for (const char* handler : {"refund", "cancel_hotel", "cancel_flight"}) {
      worker_.on(handler, [this](Task& task) { return undo(task); });
    }
    EXPECT_TRUE(worker_.start());
  }
  ~Trips() override {
    worker_.stop();
    worker_.wait();
  }

  TaskOutcome undo(Task& task) {
    EXPECT_TRUE(task.is_compensation());
    EXPECT_TRUE(task.effect_key().ends_with("/" + task.step() + "/0/compensate"));
    const auto mine = task.result(task.step());
    EXPECT_TRUE(undone.push(task.step() + (mine ? " " + std::string(*mine) : "") +
                            (task.is_maybe() ? " maybe" : "")));
    if (task.step() == "pay" && !is_bank_up) return permanent("the bank says no");
    return succeeded();
  }

  std::vector<std::string> all_undone() {
    const auto said = undone.take_all(std::chrono::microseconds{0});
    return {said.begin(), said.end()};
  }
  Outcome ordo(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--endpoint", broker.endpoints().clients});
    return run_program({.program = ORDO_PROGRAM, .arguments = std::move(arguments)});
  }

  std::atomic<bool> is_bank_up{true};
  BoundedQueue<std::string> undone{1000};

 private:
  Worker worker_;
};

TEST_F(Trips, ThatFailAreUndoneInReverseOrderWithTheirResults) {
  const OrderId id = submit({.pipeline = "trip", .payload = "ok"});
  EXPECT_EQ(end_of(id), "failed");
  auto said = all_undone();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said.back(), "pay pay of trip");
  std::sort(said.begin(), said.end());
  EXPECT_THAT(said, ::testing::ElementsAre("flight flight of trip", "hotel hotel of trip",
                                           "pay pay of trip"));
  const auto order = client->get(id);
  ASSERT_TRUE(order);
  ASSERT_EQ(order->tasks.size(), 7u);
  EXPECT_TRUE(order->tasks[4].is_compensation);
  EXPECT_EQ(order->tasks[4].state, "succeeded");
}

TEST_F(Trips, ThatAnOperatorGivesUpAreUndoneWithWhatMayHaveBeenDone) {
  const OrderId id = submit({.pipeline = "trip", .payload = "lost"});
  EXPECT_EQ(end_of(id), "parked");
  const Outcome given_up =
      ordo({"compensate", id.to_string(), "--why", "the airline is gone", "--yes"});
  EXPECT_EQ(given_up.code, 0) << given_up.err;
  EXPECT_EQ(end_of(id), "failed");
  auto said = all_undone();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said.back(), "pay pay of trip");
  EXPECT_THAT(said, ::testing::Contains("flight maybe"));
}

TEST_F(Trips, WaitForAnOperatorWhereACompensationCannotWork) {
  is_bank_up = false;
  const OrderId id = submit({.pipeline = "trip", .payload = "ok"});
  ASSERT_EQ(end_of(id), "parked");
  const Outcome why = ordo({"explain", id.to_string()});
  EXPECT_THAT(why.out, ::testing::HasSubstr("refund, which undoes step pay, is parked"));
  const Outcome shown = ordo({"get", id.to_string(), "--output", "json"});
  const auto tasks = json::parse(shown.out)["tasks"];
  const auto parked = std::find_if(tasks.begin(), tasks.end(),
                                   [](const json& task) { return task["state"] == "parked"; });
  ASSERT_NE(parked, tasks.end());
  EXPECT_EQ((*parked)["step"], "pay");
  EXPECT_EQ((*parked)["task_kind"], "compensate");

  const Outcome wrong = ordo({"retry", id.to_string(), "pay", "--why", "the step itself"});
  EXPECT_EQ(wrong.code, 1) << wrong.err;
  EXPECT_THAT(wrong.err, ::testing::HasSubstr("step `pay` is not parked"));
  is_bank_up = true;
  const Outcome again = ordo({"retry", id.to_string(), "--why", "the bank is back"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, ::testing::HasSubstr("~pay"));
  EXPECT_EQ(end_of(id), "failed");
}

TEST_F(Trips, AreToldBeforehandWhatAFailureWouldLeave) {
  const std::string file = ::testing::TempDir() + "trip_half.yaml";
  std::ofstream(file) << "pipeline: half\nsteps:\n  a: {}\n  b: { after: a, compensate: c }\n";
  const Outcome loose = ordo({"pipeline", "check", file});
  EXPECT_EQ(loose.code, 0) << loose.err;
  EXPECT_THAT(loose.err, ::testing::HasSubstr("step `a` is not undone where `b` fails for good"));
  EXPECT_EQ(ordo({"pipeline", "check", "--strict", file}).code, 1);
  const Outcome listed = ordo({"pipeline", "check", "--output", "json", file});
  EXPECT_EQ(json::parse(listed.out)[0]["is_warning"], true) << listed.out;
}

}  // namespace
}  // namespace ordo::testing
