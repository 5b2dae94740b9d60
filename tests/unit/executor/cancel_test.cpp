// Attempts that are over before their call is: revoked, timed out, drained; and dependencies that
// are full. A worker with a small broker, real services and programs.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/clock.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/rough_service.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/executor/attempt.hpp"
#include "tests/unit/worker/fake_broker.hpp"

namespace ordo::executor {
namespace {

using ordo::testing::RoughService;
using ordo::testing::wait_until;
using worker::FakeBroker;

wire::Offer offer_of(std::uint64_t number, const std::string& handler) {
  wire::Offer offer;
  offer.key.order = OrderId::make(1'700'000'000'000, 0, number);
  offer.fence = {1, 1, 1};
  offer.pipeline = "test";
  offer.step = offer.handler = offer.queue = handler;
  offer.timeout_ms = 60'000;
  return offer;
}

/// A worker that runs a configuration for a broker of a few lines.
struct Calling {
  explicit Calling(const std::string& text, std::uint32_t slots = 8)
      : executor(config_of(text)), worker({.brokers = {broker.endpoint()}, .slots = slots}) {
    executor.add_to(worker);
    worker.options().drain_timeout = 1s;  // what hangs is cut after three quarters of it
    const auto started = worker.start();
    EXPECT_TRUE(started) << started.error().message;
  }
  [[nodiscard]] bool has_metric(const std::string& line) const {
    return executor.metrics().find(line + "\n") != std::string::npos;
  }
  [[nodiscard]] std::vector<wire::TaskResult> results() { return broker.seen().results; }

  FakeBroker broker;
  Executor executor;
  Worker worker;
};

RoughService::Answer hang(const RoughService::Request&) {
  return {"", RoughService::Answer::Then::kHang};
}

std::string hanging(const RoughService& bank, const std::string& more = {}) {
  return "services:\n  bank: { url: \"" + bank.url() + "\"" + more +
         " }\nsteps:\n  charge: { service: bank }\n  label: { run: [/bin/cat] }\n";
}

TEST(Cancelled, CallsEndAtOnceWhenTheirTaskIsRevoked) {
  // The second call is on a kept connection: there no timer of connecting wakes who waits.
  RoughService bank([calls = 0](const auto& request) mutable {
    return ++calls == 1 ? RoughService::answer(200) : hang(request);
  });
  Calling calling(hanging(bank));
  calling.broker.offer({offer_of(1, "charge")});
  ASSERT_TRUE(wait_until(10s, [&] { return calling.results().size() == 1; }));
  const wire::Offer offer = offer_of(2, "charge");
  calling.broker.offer({offer});
  ASSERT_TRUE(wait_until(
      10s, [&] { return bank.count() == 2; }, 1ms));
  EXPECT_TRUE(calling.has_metric(R"(ordo_executor_in_flight{kind="service",name="bank"} 1)"));
  EXPECT_EQ(bank.given_up(), 0U);
  const Steady began = steady_now();
  calling.broker.send(wire::Revokes{{{offer.key, offer.fence, "superseded"}}});
  EXPECT_TRUE(wait_until(
      10s, [&] { return bank.given_up() == 1; }, 1ms));
  // Far less than the second after which a wait looks round by itself.
  EXPECT_LT(steady_now() - began, 600ms);
  EXPECT_TRUE(wait_until(10s, [&] {
    return calling.has_metric(
        R"(ordo_executor_calls_total{kind="service",name="bank",outcome="cancelled"} 1)");
  }));
}

TEST(Cancelled, CallsEndAtTheTimeoutOfTheAttempt) {
  RoughService bank(hang);
  Calling calling(hanging(bank));
  wire::Offer offer = offer_of(1, "charge");
  offer.timeout_ms = 200;
  calling.broker.offer({offer});
  EXPECT_TRUE(wait_until(10s, [&] { return bank.given_up() == 1; }));
  ASSERT_TRUE(wait_until(10s, [&] { return calling.results().size() == 1; }));
  EXPECT_EQ(calling.results()[0].outcome, static_cast<std::uint8_t>(Outcome::kUnknown));
  EXPECT_EQ(calling.results()[0].error, "the call of bank was ended: timeout");
}

TEST(Cancelled, CallsEndWhenTheWorkerHasDrainedLongEnough) {
  RoughService bank(hang);
  Calling calling(hanging(bank));
  calling.broker.offer({offer_of(1, "charge")});
  ASSERT_TRUE(wait_until(10s, [&] { return bank.count() == 1; }));
  calling.worker.stop();
  EXPECT_EQ(calling.worker.wait(), 0) << "the call was ended, so nothing was left";
  // Its peers notice in their own time.
  EXPECT_TRUE(wait_until(10s, [&] { return bank.given_up() == 1; }));
  ASSERT_TRUE(wait_until(10s, [&] { return calling.results().size() == 1; }));
  EXPECT_EQ(calling.results()[0].outcome, static_cast<std::uint8_t>(Outcome::kUnknown));
}

TEST(Cancelled, ProgramsEndWithTheirChildren) {
  const std::string folder = ordo::testing::temporary_folder("executor-cancel");
  Calling calling(
      "steps:\n  label: { run: [/bin/sh, -c, \"sleep 1000 & echo $! > child; wait\"], folder: \"" +
      folder + "\" }\n");
  const wire::Offer offer = offer_of(1, "label");
  calling.broker.offer({offer});
  const auto child = [&] { return ordo::testing::read_file(folder + "/child"); };
  ASSERT_TRUE(wait_until(10s, [&] { return child().ends_with("\n"); }));
  const pid_t pid = std::stoi(child());
  EXPECT_FALSE(ordo::testing::has_ended(pid));
  calling.broker.send(wire::Revokes{{{offer.key, offer.fence, "superseded"}}});
  EXPECT_TRUE(wait_until(10s, [&] { return ordo::testing::has_ended(pid); }));
  std::filesystem::remove_all(folder);
}

TEST(Bulkheads, LetAHungServiceTakeItsPlacesAndNoSlotMore) {
  RoughService bank(hang);
  Calling calling(hanging(bank, ", in_flight: 2"), 4);
  std::vector<wire::Offer> offers;
  for (std::uint64_t i = 1; i <= 4; ++i) offers.push_back(offer_of(i, "charge"));
  calling.broker.offer(offers);
  ASSERT_TRUE(wait_until(10s, [&] { return calling.results().size() == 2; }));
  for (const auto& result : calling.results()) {
    EXPECT_EQ(result.outcome, static_cast<std::uint8_t>(Outcome::kSnooze));
    EXPECT_GE(result.delay_ms, 200U);
  }
  EXPECT_TRUE(calling.has_metric(R"(ordo_executor_full_total{kind="service",name="bank"} 2)"));
  // Other work goes on meanwhile.
  wire::Offer other = offer_of(9, "label");
  other.payload = "parcel";
  calling.broker.offer({other});
  ASSERT_TRUE(wait_until(10s, [&] { return calling.results().size() == 3; }));
  EXPECT_EQ(calling.results()[2].result, "parcel");
  EXPECT_TRUE(wait_until(10s, [&] { return bank.count() == 2; }));
}

}  // namespace
}  // namespace ordo::executor
