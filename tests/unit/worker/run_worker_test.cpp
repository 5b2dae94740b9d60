// What a worker program does with flags, environment and signals.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "ordo/worker.hpp"
#include "tests/unit/worker/fake_broker.hpp"

namespace ordo {
namespace {

using worker::FakeBroker;

int run_with(Worker& worker, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "test");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return run_worker(static_cast<int>(arguments.size()), argv.data(), worker);
}

TEST(RunWorker, ExplainsItselfAndRefusesWhatItDoesNotKnow) {
  Worker worker;
  worker.on("work", [](Task&) { return succeeded(); });
  EXPECT_EQ(run_with(worker, {"--help"}), 0);
  EXPECT_EQ(run_with(worker, {"--slots", "many"}), 2);
  EXPECT_EQ(run_with(worker, {"--slots"}), 2);
  EXPECT_EQ(run_with(worker, {"--slots=0"}), 2);
  EXPECT_EQ(run_with(worker, {"--colour", "red"}), 2);
  EXPECT_EQ(run_with(worker, {"stray"}), 2);
  EXPECT_EQ(run_with(worker, {"--log-format", "xml"}), 2);
  EXPECT_EQ(run_with(worker, {"--log-level", "loud"}), 2);
  EXPECT_EQ(run_with(worker, {"--broker", "foo"}), 2);
  EXPECT_EQ(run_with(worker, {"--broker", "foo:1", "--name", std::string(129, 'n')}), 2);
  Worker idle;
  EXPECT_EQ(run_with(idle, {}), 2) << "no handler";
}

TEST(RunWorker, TakesFlagsBeforeEnvironmentBeforeOptions) {
  Worker worker({.name = "by-option", .slots = 1});
  setenv("ORDO_SLOTS", "5", 1);
  setenv("ORDO_TAKE_AHEAD", "6", 1);
  setenv("ORDO_BROKERS", "tcp://127.0.0.1:1,127.0.0.1:2", 1);
  // No handler: it ends before it starts.
  EXPECT_EQ(run_with(worker, {"--slots", "7", "--broker", "one:1", "--broker=two:2"}), 2);
  EXPECT_EQ(worker.options().name, "by-option");
  EXPECT_EQ(worker.options().slots, 7U);
  EXPECT_EQ(worker.options().take_ahead, 6U);
  EXPECT_EQ(worker.options().brokers, (std::vector<std::string>{"one:1", "two:2"}));
  EXPECT_EQ(run_with(worker, {}), 2);
  EXPECT_EQ(worker.options().brokers,
            (std::vector<std::string>{"tcp://127.0.0.1:1", "127.0.0.1:2"}));
  EXPECT_EQ(run_with(worker, {"--log-format", "json", "--log-level=error"}), 2);
  EXPECT_EQ(worker.options().log_format, LogFormat::kJson);
  EXPECT_EQ(worker.options().log_level, LogLevel::kError);
  setenv("ORDO_SLOTS", "x", 1);
  EXPECT_EQ(run_with(worker, {}), 2);
  for (const char* const name : {"ORDO_SLOTS", "ORDO_TAKE_AHEAD", "ORDO_BROKERS"}) unsetenv(name);
}

TEST(RunWorker, SaysWhatIsWrongWhereAndWhatItTakes) {
  const auto words_of = [](std::vector<std::string> arguments) {
    Worker worker;
    worker.on("work", [](Task&) { return succeeded(); });
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run_with(worker, std::move(arguments)), 2);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(words_of({"--slots", "x"}),
            "--slots is `x`: give a whole number, 1 to 4096\ntry --help\n");
  EXPECT_EQ(words_of({"--slots", "4097"}),
            "slots (--slots, ORDO_SLOTS) is 4097: give 1 to 4096\ntry --help\n");
  setenv("ORDO_SLOTS", "abc", 1);
  EXPECT_EQ(words_of({}), "ORDO_SLOTS is `abc`: give a whole number, 1 to 4096\ntry --help\n");
  unsetenv("ORDO_SLOTS");
  EXPECT_NE(words_of({"--broker", "foo"}).find("broker `foo` (--broker, ORDO_BROKERS)"),
            std::string::npos);
}

TEST(RunWorker, DrainsOnSigterm) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // no thread of this test may take it
  FakeBroker broker;
  Worker worker;
  worker.on("work", [](Task&) { return succeeded(); });
  auto code = std::async(std::launch::async, [&] {
    return run_with(worker, {"--broker", broker.endpoint(), "--quiet"});
  });
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return !seen.hellos.empty(); }));
  kill(getpid(), SIGTERM);
  EXPECT_EQ(code.get(), 0);
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return seen.goodbyes.size() == 1; }));
}

}  // namespace
}  // namespace ordo
