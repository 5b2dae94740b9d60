// kill -9 of broker, worker and PostgreSQL while orders keep coming. After each the system must
// come back by itself, and at the end three independent records must agree, id by id.
//
//   kill_test                       one of each and a few at random
//   kill_test --faults 300          the long form; --seed N repeats a run's order of faults
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "examples/demo/report.hpp"
#include "tests/faults/steady_load.hpp"
#include "tests/support/wait.hpp"

namespace ordo::faults {
namespace {

using namespace std::chrono_literals;

std::size_t g_faults = 16;
std::uint64_t g_seed = 1;

constexpr std::size_t kWorkers = 3;
constexpr double kRate = 150;
// So many acknowledgements after a fault say that the system is back.
constexpr std::uint64_t kBack = 100;
// A lost lease takes 3 s, a takeover with its grace 2 s; a busy machine some more.
constexpr auto kPatience = 40s;

enum Fault { kBroker, kWorker, kPostgres, kBrokerAndPostgres, kEverybody, kFaults };
constexpr const char* kNames[] = {"broker", "worker", "PostgreSQL", "broker and PostgreSQL",
                                  "broker, PostgreSQL and all workers"};

class Kills : public ::testing::Test {
 protected:
  void SetUp() override {
    auto system = demo::System::create({.slots = 32, .time_scale = 0.05, .seed = g_seed});
    ASSERT_TRUE(system) << system.error().message;
    system_ = std::move(*system);
    ASSERT_TRUE(system_->start_broker());
    for (std::size_t i = 0; i < kWorkers; ++i) start_worker(i);
    const auto ready = system_->wait_ready();
    ASSERT_TRUE(ready) << ready.error().message;
  }

  void start_worker(std::size_t place) {
    const auto number = system_->start_worker();
    ASSERT_TRUE(number) << number.error().message;
    alive_[place] = *number;
  }

  void kill_workers(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) system_->worker(alive_[i]).kill9();
    for (std::size_t i = first; i < first + count; ++i) start_worker(i);
  }

  void kill_broker_and(bool also_postgres, bool also_workers) {
    system_->broker().kill9();
    if (also_postgres) {
      const auto back = system_->postgres().kill9_and_restart();
      ASSERT_TRUE(back) << back.error().message;
    }
    if (also_workers) kill_workers(0, kWorkers);
    const auto started = system_->restart_broker(0);
    ASSERT_TRUE(started) << started.error().message;
  }

  void inflict(Fault fault, Random& random) {
    switch (fault) {
      case kBroker: return kill_broker_and(false, false);
      case kWorker: return kill_workers(random.below(kWorkers), 1);
      case kBrokerAndPostgres: return kill_broker_and(true, false);
      case kEverybody: return kill_broker_and(true, true);
      case kPostgres:
      case kFaults: break;
    }
    const auto back = system_->postgres().kill9_and_restart();
    ASSERT_TRUE(back) << back.error().message;
  }

  std::unique_ptr<demo::System> system_;
  std::size_t alive_[kWorkers] = {};
};

TEST_F(Kills, LoseNothingAndRecordNothingTwice) {
  SteadyLoad load(*system_, kRate, g_seed);
  Random random(g_seed);
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return load.acked() > kBack; }));
  for (std::size_t i = 0; i < g_faults; ++i) {
    const auto fault = static_cast<Fault>(i < kFaults ? i : random.below(kFaults));
    const std::uint64_t before = load.acked();
    const Steady began = steady_now();
    ASSERT_NO_FATAL_FAILURE(inflict(fault, random));
    ASSERT_TRUE(testing::wait_until(kPatience, [&] { return load.acked() > before + kBack; }))
        << "not back after the kill of " << kNames[fault] << "; seed " << g_seed;
    const auto took = std::chrono::duration_cast<Millis>(steady_now() - began);
    std::cout << kNames[fault] << " killed; " << kBack << " more acknowledged after "
              << took.count() << " ms\n";
  }
  load.stop();
  const demo::Verdict verdict = settle_and_check(*system_);
  EXPECT_TRUE(verdict.is_clean()) << demo::findings_of(verdict) << "repeat with --seed " << g_seed;
  std::cout << load.counts().acked << " acknowledged, " << load.counts().unknown << " unknown, "
            << load.counts().refused << " refused, " << verdict.lost.count << " lost, "
            << verdict.duplicate_records.count << " recorded twice, " << verdict.repeated_effects
            << " effects repeated\n";
  EXPECT_EQ(load.counts().refused, 0U) << load.counts().last_refusal;
  const auto stopped = system_->stop();
  EXPECT_TRUE(stopped) << stopped.error().message;
}

}  // namespace
}  // namespace ordo::faults

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--faults") ordo::faults::g_faults = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--seed") ordo::faults::g_seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  return RUN_ALL_TESTS();
}
