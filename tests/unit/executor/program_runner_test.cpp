// Real programs: what they get, and that nothing of them is left whatever they do.
#include "worker/executor/program_runner.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/executor/attempt.hpp"

namespace ordo::executor {
namespace {

using ordo::testing::read_file;
using ordo::testing::wait_until;
using Kind = TaskOutcome::Kind;

class Programs : public ::testing::Test {
 public:
  ~Programs() override { std::filesystem::remove_all(folder_); }

 protected:
  Programs() : folder_(ordo::testing::temporary_folder("executor-programs")) {}

  /// A program of /bin/sh; its path.
  std::string script(const std::string& text) {
    std::string path = folder_ + "/program";
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    ::chmod(path.c_str(), 0700);
    return path;
  }
  /// What becomes of a task whose step runs it.
  TaskOutcome run(const std::string& text, const std::string& more = {},
                  const testkit::TestTask& task = {}) {
    return attempt(
        Executor(config_of("steps:\n  label: { run: [\"" + script(text) + "\", one, \"\"" +
                           "], folder: \"" + folder_ + "\"" + more + " }\n")),
        task);
  }
  [[nodiscard]] std::string said(const std::string& name) const {
    return read_file(folder_ + "/" + name);
  }
  /// Whether the process whose number stands in a file is gone.
  [[nodiscard]] bool is_gone(const std::string& name) const {
    const std::string number = said(name);
    return !number.empty() && ordo::testing::has_ended(std::stoi(number));
  }

  const std::string folder_;
};

TEST_F(Programs, GetThePayloadAndGiveTheResult) {
  const TaskOutcome outcome = run("cat; printf ' %s %s' \"$1\" \"$#\"", "", {.payload = "parcel"});
  EXPECT_EQ(outcome.kind, Kind::kSucceeded) << outcome.error;
  EXPECT_EQ(outcome.result, "parcel one 2");
}

TEST_F(Programs, GetMoreThanAPipeHolds) {
  std::string large(1 << 20, 'x');
  EXPECT_EQ(run("wc -c", "", {.payload = large}).result.substr(0, 7), "1048576");
  EXPECT_EQ(run("exit 0", "", {.payload = large}).kind, Kind::kSucceeded)
      << "it need not read what it does not want";
}

TEST_F(Programs, HaveAnEnvironmentOfTheirOwnAndNoneOfOurDescriptors) {
  ::setenv("SECRET_OF_OURS", "x", 1);
  const int leaky = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  const TaskOutcome outcome = run("env; pwd; ls /proc/self/fd | tr '\\n' ' '", ", env: { TZ: UTC }",
                                  {.pipeline = "shop", .step = "label", .is_maybe = true});
  ::close(leaky);
  ::unsetenv("SECRET_OF_OURS");
  const std::string& text = outcome.result;
  for (const char* const wanted :
       {"PATH=/usr/local/bin:/usr/bin:/bin\n", "LANG=C.UTF-8\n", "TZ=UTC\n", "ORDO_PIPELINE=shop\n",
        "ORDO_STEP=label\n", "ORDO_BRANCH=0\n", "ORDO_KIND=forward\n", "ORDO_ATTEMPT=1\n",
        "ORDO_MAYBE=true\n", "/label/0/forward\n"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "in\n" << text;
  }
  EXPECT_EQ(text.find("SECRET_OF_OURS"), std::string::npos);
  EXPECT_NE(text.find(folder_ + "\n"), std::string::npos);
  // ls has one of its own to read the folder with.
  EXPECT_TRUE(text.ends_with("\n0 1 2 3 ")) << text;
}

TEST_F(Programs, HaveSignalsAsProgramsExpectThem) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const TaskOutcome outcome = run("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\n\\t'");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(outcome.result, "SigBlk:0000000000000000SigIgn:0000000000000000");
}

TEST_F(Programs, EndAsTheirExitCodeSays) {
  EXPECT_EQ(run("echo no paper >&2; exit 75").kind, Kind::kTransient);
  EXPECT_NE(run("echo no paper >&2; exit 75").error.find("75: no paper"), std::string::npos);
  EXPECT_EQ(run("exit 65").reason, "exit_65");
  EXPECT_EQ(run("exit 3", ", exits: { 3: snooze }, snooze: 9s").delay, 9s);
  EXPECT_EQ(run("kill -9 $$").kind, Kind::kUnknown);
  const TaskOutcome envelope =
      run("echo '{\"result\":1,\"context\":{\"a\":2}}'", ", answer: envelope");
  EXPECT_EQ(envelope.context, R"({"a":2})");
  std::string chatty = "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1";
  EXPECT_TRUE(run(chatty).error.ends_with("line 2999")) << "the end of what it said";
}

TEST_F(Programs, AreEndedAtTheirTimeoutWithAllThatTheyStarted) {
  const TaskOutcome outcome =
      run("sleep 1000 & echo $! > child; echo $$ > self; wait", ", timeout: 300ms");
  EXPECT_EQ(outcome.kind, Kind::kUnknown);
  EXPECT_NE(outcome.error.find("took too long"), std::string::npos) << outcome.error;
  EXPECT_TRUE(wait_until(5s, [&] { return is_gone("self") && is_gone("child"); }));
}

TEST_F(Programs, AreKilledWhereTheyIgnoreThat) {
  const Steady began = steady_now();
  const TaskOutcome outcome =
      run("trap 'echo heard > term' TERM; echo $$ > self; while :; do sleep 1000 & wait; done",
          ", timeout: 300ms, stop_grace: 200ms");
  EXPECT_EQ(outcome.kind, Kind::kUnknown);
  EXPECT_EQ(said("term"), "heard\n");
  EXPECT_TRUE(is_gone("self"));
  EXPECT_GE(steady_now() - began, 500ms);
  EXPECT_LT(steady_now() - began, 30s);
}

TEST_F(Programs, MayEndWellInTheirGraceAndStillCountAsTooLate) {
  const TaskOutcome outcome =
      run("trap 'echo done > undone; exit 0' TERM; sleep 1000 & wait", ", timeout: 300ms");
  EXPECT_EQ(outcome.kind, Kind::kUnknown);
  EXPECT_EQ(said("undone"), "done\n");
}

TEST_F(Programs, LeaveNothingBehindWhenTheyEnd) {
  // The child holds stdout open: waiting for its end would take for ever.
  const TaskOutcome outcome = run("sleep 1000 & echo $! > child; echo ok");
  EXPECT_EQ(outcome.result, "ok\n");
  EXPECT_TRUE(wait_until(5s, [&] { return is_gone("child"); }));
}

TEST_F(Programs, AreEndedWhenTheyFlood) {
  const TaskOutcome outcome =
      run("echo $$ > self; while :; do echo flood; done", ", answer_bytes: 8KiB");
  EXPECT_EQ(outcome.kind, Kind::kUnknown);
  EXPECT_NE(outcome.error.find("wrote more than 8192 bytes"), std::string::npos) << outcome.error;
  EXPECT_TRUE(is_gone("self"));
  EXPECT_EQ(run("head -c 8192 /dev/zero", ", answer_bytes: 8KiB").result.size(), 8192U);
}

TEST_F(Programs, ThatCannotBeStartedHaveDoneNothing) {
  const std::string path = script("exit 0");
  const Executor executor(config_of("steps:\n  label: { run: [\"" + path + "\"] }\n"));
  std::filesystem::remove(path);
  const TaskOutcome gone = attempt(executor);
  EXPECT_EQ(gone.kind, Kind::kTransient);
  EXPECT_NE(gone.error.find("No such file"), std::string::npos) << gone.error;
  std::ofstream(path) << "no program\n";
  ::chmod(path.c_str(), 0700);
  EXPECT_NE(attempt(executor).error.find("Exec format"), std::string::npos);
}

}  // namespace
}  // namespace ordo::executor
