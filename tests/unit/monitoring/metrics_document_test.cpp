// docs/metrics.md is made from the code: its tables stand between two marks each, and this test
// fails where one of them differs. With ORDO_REWRITE=1 it writes them down.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/process_metrics.hpp"
#include "client/net/families.hpp"
#include "monitoring/probe/catalogue.hpp"
#include "worker/app/families.hpp"
#include "worker/executor/families.hpp"

namespace ordo {
namespace {

constexpr const char* kPath = "docs/metrics.md";
constexpr const char* kEnd = "<!-- end -->\n";

struct Table {
  std::string_view name;
  std::span<const ListedMetric> rows;
};
const std::vector<Table>& tables() {
  static const std::vector<Table> kTables{{"orders and tasks", metrics::kOrdersAndTasks},
                                          {"queues and workers", metrics::kQueuesAndWorkers},
                                          {"shards and database", metrics::kShardsAndDatabase},
                                          {"health", metrics::kHealth},
                                          {"sockets and loop", metrics::kSocketsAndLoop},
                                          {"worker", metrics::kWorkerAll},
                                          {"ordo-worker", metrics::kExecutorAll},
                                          {"client", metrics::kClientAll},
                                          {"process", metrics::kProcess}};
  return kTables;
}

std::string_view word_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: return "histogram";
  }
  return "";
}

std::string_view word_of(MetricTier tier) {
  switch (tier) {
    case MetricTier::kCore: return "core";
    case MetricTier::kOperational: return "operational";
    case MetricTier::kDiagnostic: return "diagnostic";
  }
  return "";
}

std::string mark(std::string_view name) {
  return "<!-- made from the code: " + std::string(name) + " -->\n";
}

std::string text_of(const Table& table) {
  std::ostringstream out;
  out << "| metric | kind | tier | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto tier : {MetricTier::kCore, MetricTier::kOperational, MetricTier::kDiagnostic}) {
    for (const ListedMetric& row : table.rows) {
      if (row.tier != tier) continue;
      out << "| `" << row.family->name;
      if (!row.family->labels.empty()) out << "{" << row.family->labels << "}";
      out << "` | " << word_of(row.family->type) << " | " << word_of(tier) << " | "
          << row.family->help << " |\n";
    }
  }
  return out.str();
}

/// The page with its tables as they should be; nullopt where a mark is missing.
std::optional<std::string> made(std::string page) {
  for (const Table& table : tables()) {
    const std::string head = mark(table.name);
    const auto from = page.find(head);
    if (from == std::string::npos) return std::nullopt;
    const auto end = page.find(kEnd, from);
    if (end == std::string::npos) return std::nullopt;
    page.replace(from + head.size(), end - from - head.size(), text_of(table));
  }
  return page;
}

std::string page() {
  std::ifstream file(kPath);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(MetricsDocument, IsMadeFromTheCode) {
  const std::string is = page();
  const auto should = made(is);
  ASSERT_TRUE(should) << kPath << " lacks a mark";
  if (std::getenv("ORDO_REWRITE") != nullptr) {
    std::ofstream(kPath, std::ios::trunc) << *should;
    return;
  }
  EXPECT_EQ(is, *should) << "ORDO_REWRITE=1 test_metrics_document writes it down";
}

TEST(MetricsDocument, FlagsARowThatDiffers) {
  std::string spoilt = page();
  const auto at = spoilt.find("Attempts handed to workers.");
  ASSERT_NE(at, std::string::npos);
  spoilt.replace(at, 8, "Attempt?");
  EXPECT_NE(made(spoilt), spoilt);
  EXPECT_EQ(made("no marks"), std::nullopt);
}

TEST(MetricsDocument, ListsEachFamilyOnceWithANameOfPrometheusKind) {
  std::set<std::string_view> seen;
  for (const Table& table : tables()) {
    for (const ListedMetric& row : table.rows) {
      const MetricFamily& family = *row.family;
      EXPECT_TRUE(seen.insert(family.name).second) << family.name;
      EXPECT_TRUE(family.name.starts_with("ordo_") || table.name == "process") << family.name;
      EXPECT_EQ(family.name.ends_with("_total"), family.type == MetricType::kCounter)
          << family.name;
      EXPECT_EQ(family.bounds.empty(), family.type != MetricType::kHistogram) << family.name;
      EXPECT_TRUE(std::is_sorted(family.bounds.begin(), family.bounds.end())) << family.name;
      EXPECT_TRUE(family.help.ends_with('.')) << family.name;
    }
  }
}

}  // namespace
}  // namespace ordo
