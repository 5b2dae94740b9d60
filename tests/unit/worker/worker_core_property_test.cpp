// Random brokers, networks and handlers against the core: whatever comes in whatever order, its
// promises hold.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/random.hpp"
#include "tests/unit/worker/core_harness.hpp"

namespace ordo::worker {
namespace {

constexpr std::uint64_t kSeeds = 400;
constexpr int kEvents = 400;
constexpr std::uint64_t kTasks = 12;

/// One random life of a worker, checked after every event.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed), harness_(settings_of(2, 3)) {}

  void live() {
    for (int i = 0; i < kEvents && !harness_.core.counts().has_left; ++i) {
      happen();
      check();
    }
  }

  /// From here on the broker is well: everything that is ours must be recorded.
  void calm_down() {
    if (harness_.core.counts().has_left) return;
    for (const auto& [run, what] : running_) ended_.push_back({run, true, {}});
    running_.clear();
    harness_.step(event::Ended{std::exchange(ended_, {})});
    after();
    harness_.welcome();
    after();
    for (int i = 0; i < 80 && !is_empty(); ++i) {
      const auto results = std::exchange(unanswered_, {});
      for (const auto& result : results) harness_.record(result.key, result.fence);
      after();
      harness_.pass(Millis{500});
      after();
      harness_.beat();
      after();
      end_all();
    }
    EXPECT_TRUE(is_empty()) << harness_.core.counts().open << " open, "
                            << harness_.core.counts().results << " results, "
                            << harness_.core.counts().fenced << " fenced";
  }

 private:
  using Attempt = std::pair<TaskKey, Fence>;

  [[nodiscard]] bool is_empty() const {
    const WorkerCounts counts = harness_.core.counts();
    return counts.has_left || (counts.open == 0 && counts.results == 0 && counts.fenced == 0);
  }
  TaskKey any_task() {
    return task(random_.below(kTasks), static_cast<ShardNumber>(random_.below(2)));
  }
  Fence any_fence() {
    return {1 + static_cast<std::uint32_t>(random_.below(20) == 0),
            1 + static_cast<std::uint32_t>(random_.below(4)),
            1 + static_cast<std::uint32_t>(random_.below(4))};
  }

  void happen() {
    switch (random_.below(12)) {
      case 0: harness_.step(event::Connected{0}); break;
      case 1: harness_.step(event::Disconnected{0}); break;
      case 2: harness_.receive(wire::SayHello{"test"}); break;
      case 3:
      case 4:
      case 5: harness_.offer(any_task(), any_fence(), random_.below(3'000)); break;
      case 6: harness_.revoke(any_task(), any_fence()); break;
      case 7: harness_.regrant(any_task(), any_fence(), any_fence()); break;
      case 8: harness_.record(any_task(), any_fence(), random_.chance(0.3) ? 4 : 0); break;
      case 9: end_some(); break;
      case 10: harness_.pass(Millis{static_cast<std::int64_t>(random_.below(1'500))}); break;
      default: say_welcome(); break;
    }
    after();
  }
  void say_welcome() {
    wire::Welcome welcome;
    welcome.session = harness_.session;
    harness_.receive(welcome);
  }
  void end_some() {
    std::vector<RunEnded> ended;
    for (const auto& [run, attempt] : running_) {
      if (random_.chance(0.4)) ended.push_back({run, random_.chance(0.8), {}});
    }
    for (const RunEnded& each : ended) running_.erase(each.run);
    harness_.step(event::Ended{std::move(ended)});
  }
  void end_all() {
    std::vector<RunEnded> ended;
    for (const auto& [run, attempt] : running_) ended.push_back({run, true, {}});
    running_.clear();
    harness_.step(event::Ended{std::move(ended)});
    after();
  }

  /// What the shell does with the effects, and what must hold of them.
  void after() {
    for (const StartRun& start : harness_.effects.starts) {
      const Attempt attempt{start.offer.key, start.offer.fence};
      EXPECT_TRUE(begun_.insert(attempt).second) << "an attempt was begun twice";
      EXPECT_TRUE(running_.emplace(start.run, attempt).second) << "a run's number was used twice";
      const auto shard = start.offer.key.order.shard();
      const std::pair term{start.offer.fence.timeline, start.offer.fence.epoch};
      EXPECT_GE(term, highest_[shard]) << "an offer of an earlier epoch was taken";
      highest_[shard] = std::max(highest_[shard], term);
    }
    for (const CancelRun& cancel : harness_.effects.cancels) {
      EXPECT_TRUE(running_.contains(cancel.run)) << "a run was cancelled that is not there";
    }
    for (const wire::TaskResult& result : harness_.results()) unanswered_.push_back(result);
    for (const auto& hello : harness_.sent<wire::WorkerHello>()) {
      std::set<Attempt> listed;
      for (const auto& held : hello.held) {
        EXPECT_TRUE(listed.insert({held.key, held.fence}).second) << "listed twice";
      }
    }
    harness_.effects.clear();
  }

  void check() {
    const WorkerCounts counts = harness_.core.counts();
    EXPECT_LE(counts.open, 2 * 5 + limits::kFrameOffers);
    const auto deadline = harness_.core.next_deadline();
    if (!deadline) return;
    EXPECT_GT(*deadline, harness_.clock) << "a deadline that is due after its step spins";
  }

  Random random_;
  Harness harness_;
  std::map<RunId, Attempt> running_;
  std::set<Attempt> begun_;
  std::map<unsigned, std::pair<std::uint32_t, std::uint32_t>> highest_;
  std::vector<RunEnded> ended_;
  std::vector<wire::TaskResult> unanswered_;
};

TEST(WorkerCoreProperties, HoldInEveryRandomLife) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.live();
    life.calm_down();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace ordo::worker
