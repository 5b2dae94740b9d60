// Parked tasks run again: the canaries first, the rest at a rate, and the first that fails again
// stops it. Through the library and through `ordo redrive`.
#include "client/parked/redrive.hpp"

#include <nlohmann/json.hpp>

#include "tests/integration/client/program_run.hpp"
#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

using parked::ParkedTask;
using parked::RedriveReport;
using test::Outcome;
using test::run_program;

/// The service behind step `work` is away until it is back; what is "never" fails all the same.
class Redrives : public EndToEnd {
 protected:
  Redrives() {
    worker_.options().brokers = {broker.endpoints().workers};
    worker_.options().name = "w";
    worker_.on("work", [this](Task& task) {
      if (!is_back || task.payload() == "never") return transient("no answer after 31 ms");
      return succeeded("done");
    });
    EXPECT_TRUE(worker_.start());
  }
  ~Redrives() override {
    worker_.stop();
    worker_.wait();
  }

  /// Orders that are parked, in this order.
  void park(const std::vector<std::string>& payloads) {
    std::vector<OrderId> ids;
    for (const auto& payload : payloads)
      ids.push_back(submit({.pipeline = "one", .payload = payload}));
    for (const auto& id : ids) ASSERT_EQ(end_of(id), "parked");
  }
  std::vector<ParkedTask> all_parked() {
    const auto look = parked::look_for_parked(*client, [](const auto&) { return false; });
    EXPECT_TRUE(look) << look.error().message;
    return look ? look->tasks : std::vector<ParkedTask>{};
  }
  RedriveReport redrive(std::size_t canary, double per_second) {
    return parked::Redrive(
               *client,
               {.canary = canary, .per_second = per_second, .settle = kPatience, .must_stop = {}},
               operator_of_test())
        .run(all_parked());
  }
  Outcome ordo(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--endpoint", broker.endpoints().clients});
    return run_program({.program = ORDO_PROGRAM, .arguments = std::move(arguments)});
  }

  std::atomic<bool> is_back{false};

 private:
  Worker worker_;
};

TEST_F(Redrives, StopAtACanaryThatFailsAgain) {
  park({"a", "b", "c", "d", "e"});
  const auto report = redrive(1, 1000);
  EXPECT_EQ(report.matched, 5u);
  EXPECT_EQ(report.sent, 1u);
  EXPECT_EQ(report.left(), 4u);
  ASSERT_TRUE(report.repeat);
  EXPECT_EQ(report.repeat->task.step, "work");
  EXPECT_THAT(report.stopped, ::testing::HasSubstr("failed again"));
  EXPECT_FALSE(report.is_clean());
}

TEST_F(Redrives, GoThroughOnceTheServiceIsBack) {
  park({"a", "b", "c", "d", "e"});
  is_back = true;
  const auto report = redrive(2, 1000);
  EXPECT_EQ(report.sent, 5u);
  EXPECT_EQ(report.succeeded, 5u);
  EXPECT_TRUE(report.is_clean()) << report.stopped;
  EXPECT_TRUE(all_parked().empty());
}

TEST_F(Redrives, StopInTheMiddleWhereOneFailsAgain) {
  std::vector<std::string> payloads(40, "ok");
  payloads[2] = "never";
  park(payloads);
  is_back = true;
  const auto report = redrive(1, 10);
  ASSERT_TRUE(report.repeat) << report.stopped;
  EXPECT_GE(report.sent, 3u);
  EXPECT_GT(report.left(), 0u);
  EXPECT_GE(all_parked().size(), report.left());
}

TEST_F(Redrives, CountWhatSomebodyElseHasTakenMeanwhile) {
  park({"a", "b", "c"});
  const auto tasks = all_parked();
  is_back = true;
  ASSERT_TRUE(client->retry(tasks[1].task, operator_of_test()));
  ASSERT_EQ(end_of(tasks[1].task.id), "succeeded");
  parked::Redrive redrive(*client,
                          {.canary = 0, .per_second = 1000, .settle = kPatience, .must_stop = {}},
                          operator_of_test());
  const auto report = redrive.run(tasks);
  EXPECT_EQ(report.refused, 1u);
  ASSERT_EQ(report.refusals.size(), 1u);
  EXPECT_EQ(report.refusals[0].task.id, tasks[1].task.id);
  EXPECT_EQ(report.succeeded, 2u);
}

TEST_F(Redrives, FromTheCommandLineSayWhatTheyWouldDoAndDoIt) {
  park({"a", "b", "c"});
  const std::vector<std::string> words{"redrive", "--step",  "work",     "--error", "after # ms",
                                       "--why",   "back up", "--output", "json",    "--yes"};
  auto rehearsal = words;
  rehearsal.emplace_back("--dry-run");
  const Outcome would = ordo(rehearsal);
  EXPECT_EQ(would.code, 0) << would.err;
  EXPECT_EQ(nlohmann::json::parse(would.out)["matched"], 3);
  EXPECT_EQ(all_parked().size(), 3u);

  const Outcome again = ordo(words);
  EXPECT_EQ(again.code, 1) << again.err;
  const auto said = nlohmann::json::parse(again.out);
  EXPECT_EQ(said["sent"], 1);
  EXPECT_EQ(said["left"], 2);
  EXPECT_EQ(said["failed_again"]["step"], "work");

  // The one that was tried again has an attempt left: it parks before the service is back.
  ASSERT_TRUE(wait_until(kPatience, [&] { return all_parked().size() == 3; }));
  is_back = true;
  const Outcome done = ordo(words);
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_EQ(nlohmann::json::parse(done.out)["succeeded"], 3);

  const Outcome none = ordo(words);
  EXPECT_EQ(none.code, 4) << none.out;
  EXPECT_THAT(none.err, ::testing::HasSubstr("no parked task matches"));
}

TEST_F(Redrives, WithABadRateAreRefusedByName) {
  for (const char* const rate : {"0", "fast", "1001/s", "10/m", "nan"}) {
    const Outcome refused = ordo({"redrive", "--rate", rate, "--why", "x"});
    EXPECT_EQ(refused.code, 2) << rate;
    EXPECT_THAT(refused.err, ::testing::HasSubstr("0.01/s to 1000/s")) << rate;
  }
}

}  // namespace
}  // namespace ordo::testing
