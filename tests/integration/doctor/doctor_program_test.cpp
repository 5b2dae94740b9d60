// The program as an operator meets it: exit codes, forms of output, a repair from plan to end; and
// whether document and code say the same.
//
// This folder's cases end with the last one here: it asks which findings the others have planted.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

#include "broker/store/postgres_store.hpp"
#include "tests/integration/client/program_run.hpp"
#include "tests/integration/doctor/patient.hpp"

namespace ordo::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(DoctorStatement, TakesNothingInALiteralForAPlaceholder) {
  const doctor::Statement statement{
      .what = "", .sql = "insert into pipeline select :n, 'it''s a:n, :who', :why, :who"};
  EXPECT_EQ(doctor::settle(statement, {.who = "ann", .why = "it's :n :who", .number = 7}),
            "insert into pipeline select 7, 'it''s a:n, :who', 'it''s :n :who', 'ann'");
}

class DoctorProgram : public Patient {
 protected:
  test::Outcome doctor(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "doctor");
    return test::run_program(
        {.program = ORDO_PROGRAM,
         .arguments = std::move(arguments),
         .environment = {{"ORDO_DATABASE", database->dsn()}, {"USER", "tester"}}});
  }
};

TEST_F(DoctorProgram, SaysWithItsExitCodeWhetherAllIsWell) {
  const auto well = doctor({});
  EXPECT_EQ(well.code, 0) << well.out << well.err;
  EXPECT_THAT(well.out, HasSubstr("0 broken, 0 suspicious, 2 notes"));
  EXPECT_EQ(doctor({"--strict"}).code, 1);
  EXPECT_EQ(doctor({"--overdue", "soon"}).code, 2);
  EXPECT_EQ(doctor({"--repair"}).code, 2) << "it wants --why";
  EXPECT_EQ(doctor({"--no-such-flag"}).code, 2);
  EXPECT_EQ(doctor({"--database", "host=127.0.0.1 port=1"}).code, 69);
}

TEST_F(DoctorProgram, TellsFindingsToPeopleAndPrograms) {
  damage("half", "delete from task where order_id = ID");
  const auto text = doctor({});
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out, HasSubstr("broken  order_stuck  shard "));
  EXPECT_THAT(text.out, HasSubstr(order("half").to_string()));
  const auto told = json::parse(doctor({"--output", "json"}).out);
  EXPECT_EQ(told["healthy"], false);
  const auto& first = told["findings"][0];
  EXPECT_EQ(first["word"], "order_stuck");
  EXPECT_EQ(first["severity"], "broken");
  EXPECT_EQ(first["order"], order("half").to_string());
  EXPECT_EQ(first["repair"].size(), 4U) << "two tasks, an event each";
}

TEST_F(DoctorProgram, RepairsAfterAYes) {
  damage("half", "delete from task where order_id = ID");
  const auto asked = doctor({"--repair", "--why", "they are gone"});
  EXPECT_EQ(asked.code, 1);
  EXPECT_THAT(asked.out, HasSubstr("insert into deferred"));
  EXPECT_THAT(asked.err, HasSubstr("nothing was changed"));
  EXPECT_EQ(words(), std::vector<std::string>{"order_stuck"});
  const auto done = doctor({"--repair", "--yes", "--why", "they are gone"});
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("repaired"));
  EXPECT_EQ(words(), std::vector<std::string>{});
  EXPECT_EQ(end_after_restart("half"), "succeeded");
}

TEST_F(DoctorProgram, SaysWhoMustStopBeforeARepair) {
  damage("half", "delete from task where order_id = ID");
  PostgresStore owner(database->settings(static_cast<ShardNumber>(order("half").shard())));
  ASSERT_TRUE(owner.open());
  const auto refused = doctor({"--repair", "--yes", "--why", "w", "--output", "json"});
  EXPECT_EQ(refused.code, 1);
  const auto told = json::parse(refused.out);
  EXPECT_EQ(told["findings"][0]["repaired"], false);
  EXPECT_THAT(told["findings"][0]["why_not"], HasSubstr("stop the brokers of that shard"));
}

TEST_F(DoctorProgram, ReadsTheBrokersSettings) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "ordo-doctor.conf";
  std::ofstream(path) << "database = " << database->dsn() << "\nshards = 1\nbeat = 1s\n";
  const auto run = test::run_program(
      {.program = ORDO_PROGRAM, .arguments = {"doctor", "--config", path, "-o", "json"}});
  std::filesystem::remove(path);
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_EQ(json::parse(run.out)["shards"].size(), 1U);
}

TEST_F(DoctorProgram, HasEveryFindingInItsDocumentAndEachWasPlanted) {
  std::ifstream file("docs/doctor.md");
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  std::set<std::string> rows;
  static const std::regex kRow("\n\\| `([a-z_]+)` \\| (broken|suspicious|note) \\|");
  for (std::sregex_iterator it(document.begin(), document.end(), kRow), end; it != end; ++it) {
    rows.insert((*it)[1].str() + " " + (*it)[2].str());
  }
  std::set<std::string> kinds;
  std::set<std::string> known;
  for (const auto& kind : doctor::kKinds) {
    kinds.insert(std::string(kind.word) + " " + std::string(to_string(kind.severity)));
    known.insert(std::string(kind.word));
  }
  EXPECT_EQ(rows, kinds);
  const bool is_whole = ::testing::GTEST_FLAG(filter) == "*";
  if (is_whole) {
    EXPECT_EQ(planted(), known);
  }
}

}  // namespace
}  // namespace ordo::testing
