#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A folder for what the demo leaves in TMPDIR: nothing, in the end.
class DemoProgram : public ::testing::Test {
 protected:
  DemoProgram() {
    std::string pattern = "/tmp/ordo_dt_XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    fs::permissions(pattern, fs::perms{0755});  // PostgreSQL's account passes through
    folder_ = pattern;
  }
  ~DemoProgram() override { fs::remove_all(folder_); }

  ChildProcess start(std::vector<std::string> arguments) {
    const auto program = find_program("ordo-demo");
    EXPECT_TRUE(program) << program.error().message;
    fs::create_directories(folder_ / "tmp");
    fs::permissions(folder_ / "tmp", fs::perms{01777});
    auto child = ChildProcess::start({.program = *program,
                                      .arguments = std::move(arguments),
                                      .log = output_path(),
                                      .environment = {{"TMPDIR", (folder_ / "tmp").string()}}});
    EXPECT_TRUE(child) << child.error().message;
    return std::move(*child);
  }
  [[nodiscard]] std::string output_path() const { return (folder_ / "output").string(); }
  [[nodiscard]] std::string output() const {
    std::ifstream file(output_path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream((folder_ / name).string()) << text;
    return (folder_ / name).string();
  }
  [[nodiscard]] nlohmann::json last_line() const {
    std::string text = output();
    while (text.ends_with('\n')) text.pop_back();
    return nlohmann::json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
  }
  [[nodiscard]] bool is_clean() const { return fs::is_empty(folder_ / "tmp"); }

 private:
  fs::path folder_;
};

TEST_F(DemoProgram, LosesNothingThoughAWorkerIsKilledAndSaysSoInOneLine) {
  // People ten times as fast as usual: what is sent to them is theirs in ten seconds.
  auto demo = start({"--once", "--orders", "400", "--speed", "3000", "--output", "json"});
  ASSERT_EQ(demo.wait(200s), 0) << output();
  const auto line = last_line();
  ASSERT_TRUE(line.is_object()) << output();
  EXPECT_EQ(line["submitted"], 400);
  EXPECT_EQ(line["lost"], 0);
  EXPECT_EQ(line["duplicate_records"], 0);
  EXPECT_EQ(line["violations"], 0);
  EXPECT_EQ(line["unexplained"], 0);
  EXPECT_EQ(line["pipelines"], 8);
  EXPECT_EQ(line["waiting"], 0);
  EXPECT_GE(line["kills"], 1);
  EXPECT_GT(line["outage_s"], 1);
  const int ended = line["succeeded"].get<int>() + line["failed"].get<int>() +
                    line["parked"].get<int>() + line["cancelled"].get<int>();
  EXPECT_GE(ended, 400) << "and those of the shop itself";
  // On a busy machine callbacks come too late more often than on a quiet one.
  EXPECT_GT(line["succeeded"], 150);
  EXPECT_GT(line["explained"], 10);
  EXPECT_GT(line["tasks"], 4000);
  EXPECT_GT(line["attempts"], 3000);
  EXPECT_LT(line["recovery_ms"], 5000);
  for (const char* key : {"seconds", "orders_per_s", "tasks_per_s"}) EXPECT_GT(line[key], 0) << key;
  EXPECT_EQ(output().find('\x1b'), std::string::npos) << "no colours into a file";
  EXPECT_TRUE(is_clean());
}

TEST_F(DemoProgram, TurnsInvoicesIntoOrders) {
  std::string csv =
      "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n";
  for (int line = 0; line < 90; ++line) {
    csv += std::to_string(536365 + line / 3) +
           ",85123A,\"CAF\xC9, \"\"RED\"\"\",6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n";
  }
  auto demo = start(
      {"--once", "--input", file("invoices.csv", csv), "--speed", "3000", "--output", "json"});
  ASSERT_EQ(demo.wait(200s), 0) << output();
  EXPECT_EQ(last_line()["submitted"], 30) << output();
  EXPECT_EQ(last_line()["lost"], 0) << output();
}

TEST_F(DemoProgram, NamesAParkedOrderWhereItStays) {
  auto demo = start({"--serve", "--orders", "60", "--speed", "3000"});
  ASSERT_TRUE(wait_until(200s, [&] { return output().find("stays up") != std::string::npos; }))
      << output();
  EXPECT_THAT(output(), ::testing::ContainsRegex("ordo explain [0-9a-f-]{36}"));
  demo.signal(SIGINT);
  EXPECT_EQ(demo.wait(60s), 0) << output();
  EXPECT_TRUE(is_clean());
}

TEST_F(DemoProgram, EndsWithACodeThatSaysWhatIsWrong) {
  EXPECT_EQ(start({"--orders", "none"}).wait(30s), 2);
  EXPECT_EQ(start({"--input", "/nowhere.csv"}).wait(30s), 2);
  EXPECT_EQ(start({"--once", "--input", file("bad.csv", "a,b\n1,2\n")}).wait(30s), 1);
  EXPECT_THAT(output(), ::testing::HasSubstr("there is no column InvoiceNo"));
}

TEST_F(DemoProgram, LeavesNothingBehindWhenItIsInterrupted) {
  auto demo = start({"--once", "--orders", "100000"});
  ASSERT_TRUE(wait_until(60s, [&] { return output().find("submitting") != std::string::npos; }))
      << output();
  demo.signal(SIGINT);
  EXPECT_EQ(demo.wait(60s), 130) << output();
  EXPECT_TRUE(is_clean());
}

}  // namespace
}  // namespace ordo::testing
