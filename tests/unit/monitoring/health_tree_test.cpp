#include "monitoring/health/tree.hpp"

#include <gtest/gtest.h>

namespace ordo::health {
namespace {

Tree tree_of(std::initializer_list<std::pair<const char*, Colour>> workers) {
  Tree tree;
  for (const auto& [name, colour] : workers) {
    Node node{.type = NodeType::kWorker, .name = name};
    node.verdict.colour = colour;
    tree.nodes.push_back(std::move(node));
  }
  return tree;
}

void edge(Tree& tree, const std::string& from, const std::string& to) {
  tree.edges.push_back({"worker/" + from, "worker/" + to});
}

std::string causes(Tree tree) {
  mark_root_causes(tree);
  std::string names;
  for (const Node& node : tree.nodes) {
    if (node.is_root_cause) names += node.name;
  }
  return names;
}

TEST(HealthTree, ARedNodeThatNeedsNothingRedIsTheCause) {
  using enum Colour;
  Tree tree = tree_of({{"a", kRed}, {"b", kRed}, {"c", kRed}, {"d", kGreen}, {"e", kRed}});
  edge(tree, "a", "b");
  edge(tree, "b", "c");
  edge(tree, "c", "d");
  EXPECT_EQ(causes(tree), "ce");
}

TEST(HealthTree, TheCauseIsSeenThroughNodesThatAreNotRed) {
  using enum Colour;
  Tree tree = tree_of({{"a", kRed}, {"b", kYellow}, {"c", kRed}});
  edge(tree, "a", "b");
  edge(tree, "b", "c");
  EXPECT_EQ(causes(tree), "c");
}

TEST(HealthTree, NodesThatNeedEachOtherAreAllCauses) {
  using enum Colour;
  Tree tree = tree_of({{"a", kRed}, {"b", kRed}});
  edge(tree, "a", "b");
  edge(tree, "b", "a");
  EXPECT_EQ(causes(tree), "ab");
}

TEST(HealthTree, ASystemIsYellowWithMoreThanTwoYellowNodes) {
  using enum Colour;
  EXPECT_EQ(tree_of({{"a", kYellow}, {"b", kYellow}, {"c", kGreen}}).colour(), kGreen);
  EXPECT_EQ(tree_of({{"a", kYellow}, {"b", kYellow}, {"c", kYellow}}).colour(), kYellow);
  EXPECT_EQ(tree_of({{"a", kGreen}, {"b", kRed}}).colour(), kRed);
  EXPECT_EQ(tree_of({{"a", kGreen}, {"b", kUnknown}}).colour(), kGreen);
  EXPECT_EQ(tree_of({{"a", kUnknown}}).colour(), kUnknown);
  EXPECT_EQ(Tree{}.colour(), kUnknown);
}

TEST(HealthTree, WhatIsStaleIsUnknownAndNoCause) {
  using enum Colour;
  Tree tree = tree_of({{"a", kRed}});
  mark_root_causes(tree);
  turn_stale(tree, NodeType::kBroker);
  EXPECT_EQ(tree.nodes[0].verdict.colour, kUnknown);
  EXPECT_EQ(tree.nodes[0].verdict.reason, Reason::kStale);
  EXPECT_FALSE(tree.nodes[0].is_root_cause);
  tree = tree_of({{"a", kRed}});
  turn_stale(tree, NodeType::kWorker);
  EXPECT_EQ(tree.nodes[0].verdict.colour, kRed);
}

}  // namespace
}  // namespace ordo::health
