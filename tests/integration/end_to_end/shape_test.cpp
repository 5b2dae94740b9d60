// What shapes an order's way (when, each, fallback, optional, async) and the breaker of a
// dependency: by the SDK's worker, over a real broker and PostgreSQL.
#include <algorithm>

#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

constexpr const char* kParcels = R"(
pipeline: parcels
version: 1
steps:
  check:  {}
  review: { after: check, when: "amount > 100" }
  pick:   { after: review, each: parcels }
  pack:   { after: pick, each: parcels, retry: { attempts: 1 }, fallback: pack_by_hand }
  stamp:  { after: pack, optional: true }
  done:   { after: stamp }
  notify: { after: check, class: async }
)";

class Shapes : public EndToEnd {
 protected:
  Shapes() {
    const auto stored = client->put_pipeline(kParcels);
    EXPECT_TRUE(stored) << stored.error().message;
    worker_.options().brokers = {broker.endpoints().workers};
    worker_.options().name = "w";
    for (const char* step : {"check", "review", "pick", "done"}) {
      worker_.on(step, [this](Task& task) { return ran(task, ""); });
    }
    worker_.on("pack", [this](Task& task) -> TaskOutcome {
      if (task.element() == "\"large\"") return transient("it does not fit into the machine");
      return ran(task, "");
    });
    worker_.on("pack_by_hand", [this](Task& task) { return ran(task, "by hand"); });
    worker_.on("stamp", [](Task&) { return permanent("no stamps left", "stamps"); });
    worker_.on("notify", [this](Task& task) -> TaskOutcome {
      if (!gate) return snooze(20ms);
      return ran(task, "");
    });
    EXPECT_TRUE(worker_.start());
  }
  ~Shapes() override {
    worker_.stop();
    worker_.wait();
  }

  TaskOutcome ran(Task& task, const std::string& how) {
    std::string line = task.step();
    if (!task.element().empty()) line += " " + std::string(task.element());
    EXPECT_TRUE(runs.push(line + (how.empty() ? "" : " " + how)));
    return succeeded();
  }
  std::vector<std::string> all_runs() {
    const auto said = runs.take_all(std::chrono::microseconds{0});
    std::vector<std::string> lines(said.begin(), said.end());
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  /// The states of a step's tasks, by branch.
  std::vector<std::string> states_of(const OrderId& id, const std::string& step) {
    std::vector<std::string> states;
    const auto order = client->get(id);
    EXPECT_TRUE(order) << order.error().message;
    for (const auto& task : order->tasks) {
      if (task.step == step && !task.is_compensation) states.push_back(task.state);
    }
    return states;
  }

  BoundedQueue<std::string> runs{1000};

 private:
  Worker worker_;
};

using ::testing::ElementsAre;

TEST_F(Shapes, ByConditionListFallbackAndWhatMayBeLeftOut) {
  const OrderId id = submit({.pipeline = "parcels",
                             .payload = "ok",
                             .context = R"({"amount":50,"parcels":["small","large"]})"});
  EXPECT_EQ(end_of(id), "succeeded");
  EXPECT_THAT(all_runs(), ElementsAre("check", "done", "pack \"large\" by hand", "pack \"small\"",
                                      "pick \"large\"", "pick \"small\""));
  EXPECT_THAT(states_of(id, "review"), ElementsAre("skipped"));
  EXPECT_THAT(states_of(id, "pack"), ElementsAre("succeeded", "succeeded"));
  EXPECT_THAT(states_of(id, "stamp"), ElementsAre("skipped"));
  // What hangs off the order goes on behind its end.
  gate = true;
  EXPECT_TRUE(wait_until(
      kPatience, [&] { return states_of(id, "notify") == std::vector<std::string>{"succeeded"}; }));
  EXPECT_EQ(status_of(id), "succeeded");
}

TEST_F(Shapes, ByAListWithoutElementsAndAConditionThatHolds) {
  gate = true;
  const OrderId id =
      submit({.pipeline = "parcels", .payload = "ok", .context = R"({"amount":500,"parcels":[]})"});
  EXPECT_EQ(end_of(id), "succeeded");
  EXPECT_TRUE(wait_until(
      kPatience, [&] { return states_of(id, "notify") == std::vector<std::string>{"succeeded"}; }));
  EXPECT_THAT(all_runs(), ElementsAre("check", "done", "notify", "review"));
}

TEST_F(Shapes, ByNoListAtAllFailTheOrder) {
  gate = true;
  const OrderId id = submit(
      {.pipeline = "parcels", .payload = "ok", .context = R"({"amount":5,"parcels":"two"})"});
  EXPECT_EQ(end_of(id), "failed");
  const auto order = client->get(id);
  ASSERT_TRUE(order) << order.error().message;
  const auto failed = std::find_if(order->events.begin(), order->events.end(),
                                   [](const auto& event) { return event.kind == "failed"; });
  ASSERT_NE(failed, order->events.end());
  EXPECT_EQ(failed->step, "pick");
  EXPECT_THAT(failed->note, ::testing::HasSubstr("each"));
}

constexpr const char* kCalls = R"(
pipeline: calls
version: 1
steps:
  call: { uses: supplier, retry: { attempts: 3, first: 10ms, cap: 10ms } }
)";

class Outages : public EndToEnd {
 protected:
  /// How many of these have a task in that state.
  std::size_t count(const std::vector<OrderId>& ids, const std::string& state) {
    return static_cast<std::size_t>(std::count_if(ids.begin(), ids.end(), [&](const OrderId& id) {
      const auto order = client->get(id);
      return order && order->tasks.front().state == state;
    }));
  }
  std::size_t held_of(const std::vector<OrderId>& ids) { return count(ids, "held"); }
  std::size_t parked_of(const std::vector<OrderId>& ids) { return count(ids, "parked"); }
};

TEST_F(Outages, HoldTheTasksOfADependencyAndNobodyElses) {
  ASSERT_TRUE(client->put_pipeline(kCalls));
  std::atomic<bool> is_up{false};
  Worker caller;
  caller.options().brokers = {broker.endpoints().workers};
  caller.options().name = "caller";
  caller.options().slots = 8;
  caller.on("call", [&](Task&) -> TaskOutcome {
    if (!is_up) return transient("nobody answers");
    return succeeded();
  });
  ASSERT_TRUE(caller.start());
  const auto worker = start_worker();

  // Enough calls fail for the breaker to open …
  std::vector<OrderId> first;
  for (int i = 0; i < 10; ++i) first.push_back(submit({.pipeline = "calls", .payload = "x"}));
  EXPECT_TRUE(wait_until(kPatience, [&] { return held_of(first) > 0 || parked_of(first) == 10; }));
  // … and what comes then waits without an attempt, while others go through.
  std::vector<OrderId> later;
  for (int i = 0; i < 20; ++i) later.push_back(submit({.pipeline = "calls", .payload = "x"}));
  EXPECT_EQ(end_of(submit({.pipeline = "one", .payload = "ok"})), "succeeded");
  EXPECT_TRUE(wait_until(kPatience, [&] { return held_of(later) > 0; }));
  const auto why = client->explain(later.back());
  ASSERT_TRUE(why) << why.error().message;
  EXPECT_THAT(why->sentence, ::testing::HasSubstr("the breaker of `supplier`"));
  is_up = true;
  for (const auto& id : later) {
    EXPECT_EQ(end_of(id), "succeeded");
    const auto order = client->get(id);
    ASSERT_TRUE(order);
    EXPECT_LE(order->tasks.front().failures, 1u) << "only a probe may burn an attempt";
  }
  caller.stop();
  caller.wait();
}

}  // namespace
}  // namespace ordo::testing
