// Each rule twice: on this repository, where it finds nothing, and on a planted violation, which it
// must flag.
#include "tests/tidy/rules.hpp"

#include <gtest/gtest.h>

namespace ordo::tidy {
namespace {

using Rule = Findings (*)(const Tree&);

const Tree& repository() {
  static const Tree kTree = read_tree();
  return kTree;
}

void expect_clean(Rule rule) {
  const Findings findings = rule(repository());
  EXPECT_TRUE(findings.empty()) << describe(findings);
}

// The rule flags `bad` at its path, and has nothing against `good` at the same place.
void expect_flags(Rule rule, const std::string& path, const std::string& bad,
                  const std::string& good) {
  Tree tree;
  tree.files.push_back(make_file(path, bad));
  EXPECT_FALSE(rule(tree).empty()) << "not flagged in " << path << ":\n" << bad;
  tree.files.back() = make_file(path, good);
  const Findings findings = rule(tree);
  EXPECT_TRUE(findings.empty()) << describe(findings);
}

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Floors, HoldInThisRepository) { expect_clean(check_floors); }
TEST(Floors, ACoreMayNotIncludeAShell) {
  expect_flags(check_floors, "broker/core/engine.cpp",
               "#include \"broker/store/memory_store.hpp\"\n",
               "#include \"broker/core/rows.hpp\"\n#include \"broker/store/store.hpp\"\n");
}
TEST(Floors, ACoreMayNotReadTheClock) {
  expect_flags(check_floors, "worker/core/slots.cpp", "#include \"base/clock.hpp\"\n",
               "#include \"base/time.hpp\"\n");
}
TEST(Floors, ACoreMayNotIncludeAnotherCore) {
  expect_flags(check_floors, "client/core/requests.cpp", "#include \"broker/core/rows.hpp\"\n",
               "#include \"schema/messages.hpp\"\n");
}
TEST(Floors, AShellMayNotIncludeItsSibling) {
  expect_flags(check_floors, "broker/net/clients.cpp", "#include \"broker/store/store.hpp\"\n",
               "#include \"broker/core/engine.hpp\"\n");
}
TEST(Floors, SchemaMayNotLookUp) {
  expect_flags(check_floors, "schema/codec.cpp", "#include \"broker/core/rows.hpp\"\n",
               "#include \"base/check.hpp\"\n");
}
TEST(Floors, AFolderWithoutAFloorIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("attic/thing.cpp", "int x;\n"));
  EXPECT_EQ(check_floors(tree).size(), 1U);
  tree.files.back() = make_file("schema/thing.cpp", "int x;\n");
  EXPECT_TRUE(check_floors(tree).empty());
}

TEST(Homes, HoldInThisRepository) { expect_clean(check_homes); }
TEST(Homes, ALibraryOutsideItsHomeIsFlagged) {
  expect_flags(check_homes, "broker/app/loop.cpp", "#include <zmq.hpp>\n", "#include <vector>\n");
  expect_flags(check_homes, "broker/net/clients.cpp", "#include <pqxx/pqxx>\n",
               "#include <zmq.hpp>\n");
  expect_flags(check_homes, "client/core/requests.cpp", "#include <nlohmann/json.hpp>\n",
               "#include <map>\n");
}
TEST(Homes, APublicHeaderMayNotBringALibraryAlong) {
  expect_flags(check_homes, "client/include/ordo/client.hpp", "#include <fmt/core.h>\n",
               "#include <string>\n#include <tl/expected.hpp>\n");
}

TEST(IncludeStyle, HoldsInThisRepository) { expect_clean(check_include_style); }
TEST(IncludeStyle, ARelativeIncludeIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("schema/hash.hpp", ""));
  tree.files.push_back(make_file("schema/hash.cpp", "#include \"hash.hpp\"\n"));
  EXPECT_EQ(check_include_style(tree).size(), 1U);
  tree.files.back() = make_file("schema/hash.cpp", "#include \"schema/hash.hpp\"\n");
  EXPECT_TRUE(check_include_style(tree).empty());
}

TEST(CoreWords, AreAbsentFromTheCores) { expect_clean(check_core_words); }
TEST(CoreWords, EachBannedWordIsFlagged) {
  for (const char* const bad : {"auto t = Clock::now();", "usleep_or(sleep(1));", "std::thread t;",
                                "std::jthread t;", "std::mutex m;", "int r = rand();", "throw 1;",
                                "std::random_device d;", "std::atomic<int> a;"}) {
    expect_flags(
        check_core_words, "broker/core/engine.cpp", bad,
        "// a thread may throw\nauto s = \"mutex ::now(\"; int threads_lost = operand(1);");
  }
}
TEST(CoreWords, ShellsMayUseThem) {
  Tree tree;
  tree.files.push_back(make_file("broker/app/loop.cpp", "std::thread t; throw 1;"));
  EXPECT_TRUE(check_core_words(tree).empty());
}

TEST(CoreIteration, NoCoreWalksAnUnorderedContainer) { expect_clean(check_core_iteration); }
TEST(CoreIteration, AWalkIsFlaggedAlsoWhereTheHeaderDeclares) {
  Tree tree;
  tree.files.push_back(
      make_file("broker/core/a.hpp",
                "std::unordered_map<Key, std::vector<int>> held_;\nstd::map<int, int> rows_;"));
  tree.files.push_back(make_file("broker/core/a.cpp", "for (auto& [k, v] : held_) go(k);"));
  EXPECT_EQ(check_core_iteration(tree).size(), 1U);
  tree.files.back() = make_file("broker/core/a.cpp", "for (auto it = held_.begin(); ;) {}");
  EXPECT_EQ(check_core_iteration(tree).size(), 1U);
  tree.files.back() =
      make_file("broker/core/a.cpp", "for (auto& [k, v] : rows_) go(held_.find(k));");
  EXPECT_TRUE(check_core_iteration(tree).empty());
}

TEST(Leftovers, AreAbsent) { expect_clean(check_leftovers); }
TEST(Leftovers, AreFlagged) {
  expect_flags(check_leftovers, "docs/a.md",
               "a TO"
               "DO here\n",
               "to do this\n");
  expect_flags(check_leftovers, "dev",
               "FIX"
               "ME\n",
               "fixed\n");
  expect_flags(check_leftovers, "docs/a.md",
               "see /ho"
               "me/ann/ordo\n",
               "see docs/home/ann\n");
}

TEST(Sleeps, AreAbsentFromTests) { expect_clean(check_test_sleeps); }
TEST(Sleeps, AreFlaggedInTests) {
  expect_flags(check_test_sleeps, "tests/unit/a_test.cpp", "std::this_thread::sleep_for(1s);",
               "wait_for([&] { return done; });");
}

TEST(Shape, LinesAreShort) { expect_clean(check_line_lengths); }
TEST(Shape, FilesAreShort) { expect_clean(check_file_lengths); }
TEST(Shape, FunctionsAreShort) { expect_clean(check_functions); }
TEST(Shape, ALongLineIsFlaggedByItsColumns) {
  expect_flags(check_line_lengths, "base/a.cpp", std::string(101, 'x') + "\n",
               repeat("é", 100) + "\n");
  expect_flags(check_line_lengths, "monitoring/page/src/a.tsx", std::string(101, 'x') + "\n",
               repeat("é", 100) + "\n");
}
TEST(Shape, ALongFileIsFlagged) {
  expect_flags(check_file_lengths, "base/a.cpp", repeat("int x;\n", 501), repeat("int x;\n", 500));
}
TEST(Shape, ALongFunctionIsFlagged) {
  const auto function = [](int lines) {
    return "namespace a {\nclass B {\n  B() : x_{1}, y_(2) {\n" + repeat("    go();\n", lines - 2) +
           "  }\n};\n}\n";
  };
  expect_flags(check_functions, "base/a.cpp", function(71), function(70));
}
TEST(Shape, ManyParametersAreFlagged) {
  expect_flags(check_functions, "base/a.cpp",
               "int f(int a, int b, M<int, int> c, int d, int e, int g) {}",
               "int f(int a, int b, M<int, int> c, int d = {}, int e = 1) {}");
}

TEST(Headers, OpenWithAComment) { expect_clean(check_header_comments); }
TEST(Headers, ABareOneIsFlagged) {
  expect_flags(check_header_comments, "base/a.hpp", "#pragma once\nint x;\n",
               "// What it is.\n// Threads: plain values.\n#pragma once\nint x;\n");
}

TEST(Readmes, AreInEveryFolder) { expect_clean(check_folder_readmes); }
TEST(Readmes, AMissingOrLongOneIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("base/a.cpp", ""));
  EXPECT_EQ(check_folder_readmes(tree).size(), 1U);
  tree.files.push_back(make_file("base/README.md", repeat("word\n", 26)));
  EXPECT_EQ(check_folder_readmes(tree).size(), 1U);
  tree.files.back() = make_file("base/README.md", repeat("word\n", 25));
  EXPECT_TRUE(check_folder_readmes(tree).empty());
  tree.files.push_back(make_file("base/net/a.cpp", ""));
  EXPECT_EQ(check_folder_readmes(tree).size(), 1U);
  tree.files[1] = make_file("base/README.md", "`net/` holds the sockets\n");
  EXPECT_TRUE(check_folder_readmes(tree).empty());
}

TEST(Documents, LinksLeadSomewhere) { expect_clean(check_links); }
TEST(Documents, ReasonsAreDocumented) { expect_clean(check_reasons); }
TEST(Documents, MetricsAgree) { expect_clean(check_metrics); }
TEST(Documents, SettingsAgree) { expect_clean(check_settings); }
TEST(Documents, ExecutorKeysAgree) { expect_clean(check_executor_keys); }
TEST(Documents, StatesAgree) { expect_clean(check_states); }
TEST(Documents, TheFirstProgramIsTheOnePrinted) { expect_clean(check_first_program); }
TEST(Documents, PrintCommandsThatDevHas) { expect_clean(check_dev_commands); }
TEST(Documents, DecisionsHaveTheirParts) { expect_clean(check_decisions); }

TEST(Documents, ADeadLinkIsFlagged) {
  expect_flags(check_links, "docs/a.md", "[b](../b.md)", "[a](a.md#part) [x](https://example.org)");
}
TEST(Documents, AnUndocumentedReasonIsFlagged) {
  Tree tree;
  tree.files.push_back(
      make_file("broker/core/a.cpp", "return fail(Code::kBusy, \"inbox_full\", m);"));
  tree.files.push_back(make_file("docs/protocol.md", "`other`"));
  EXPECT_EQ(check_reasons(tree).size(), 1U);
  tree.files.back() = make_file("docs/protocol.md", "`inbox_full`");
  EXPECT_TRUE(check_reasons(tree).empty());
}
TEST(Documents, AMetricOnOneSideOnlyIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("monitoring/probe/probe.cpp", "\"ordo_orders_total\""));
  tree.files.push_back(make_file("docs/metrics.md", "`ordo_tasks_total{queue}`"));
  EXPECT_EQ(check_metrics(tree).size(), 2U);
  tree.files.back() = make_file("docs/metrics.md", "`ordo_orders_total{pipeline}`");
  EXPECT_TRUE(check_metrics(tree).empty());
}
TEST(Documents, ASettingOnOneSideOnlyIsFlagged) {
  Tree tree;
  tree.files.push_back(
      make_file("broker/app/config.cpp", "config.whole<std::uint32_t>(\n  \"window-tasks\", x);"));
  tree.files.push_back(make_file("docs/configuration.md", "text\n| `window` | 1 |\n"));
  EXPECT_EQ(check_settings(tree).size(), 2U);
  tree.files.back() = make_file("docs/configuration.md", "text\n| `window-tasks` | 1 |\n");
  EXPECT_TRUE(check_settings(tree).empty());
  tree.files.push_back(make_file("monitoring/monitor/a.cpp", "config.text(\"tokens\", x);"));
  tree.files.push_back(make_file("docs/monitor.md", "text\n| `--token` | 1 |\n"));
  EXPECT_EQ(check_settings(tree).size(), 2U);
}
TEST(Documents, AKeyOfTheExecutorOnOneSideOnlyIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("worker/executor/config.cpp", "{\"url\"sv, \"in_flight\"sv}"));
  tree.files.push_back(make_file("docs/executor.md", "text\n| `url` | 1 |\n| `places` | 1 |\n"));
  EXPECT_EQ(check_executor_keys(tree).size(), 2U);
  tree.files.back() = make_file("docs/executor.md", "text\n| `url` | 1 |\n| `in_flight` | 1 |\n");
  EXPECT_TRUE(check_executor_keys(tree).empty());
}
TEST(Documents, ATransitionThatIsNotDrawnIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("docs/states.md", "\n  ready --> parked: bored\n"));
  EXPECT_GT(check_states(tree).size(), 2U);
}
TEST(Documents, AnotherFirstProgramIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("README.md", "text\n```cpp\nint a;\n```\n"));
  tree.files.push_back(make_file("examples/first/first.cpp", "int b;\n"));
  EXPECT_EQ(check_first_program(tree).size(), 1U);
  tree.files.back() = make_file("examples/first/first.cpp", "int a;\n");
  EXPECT_TRUE(check_first_program(tree).empty());
}
TEST(Documents, ACommandThatDevDoesNotHaveIsFlagged) {
  Tree tree;
  tree.files.push_back(make_file("dev", "  case\n    test) dev_test \"$@\" ;;\n"));
  tree.files.push_back(make_file("docs/a.md", "`./dev tset broker`\n\n    ./dev paint\n"));
  EXPECT_EQ(check_dev_commands(tree).size(), 2U);
  tree.files.back() = make_file("docs/a.md", "`./dev test broker`, `./dev`: ./dev is a script\n");
  EXPECT_TRUE(check_dev_commands(tree).empty());
}
TEST(Documents, ADecisionWithoutItsPartsOrNumberIsFlagged) {
  Tree tree;
  tree.files.push_back(
      make_file("docs/decisions/0002-x.md", "## Context\n## Choice\n## Refused\n"));
  EXPECT_EQ(check_decisions(tree).size(), 2U);
}

}  // namespace
}  // namespace ordo::tidy
