#include "monitoring/health/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitoring/health/tree_json.hpp"

namespace ordo::health {
namespace {

using ::testing::HasSubstr;
using enum Colour;

const Wall kNow = wall_from_ms(1'790'000'000'000);

Node node(NodeType type, const std::string& name, Colour colour, Reason reason = Reason::kNone) {
  Node node{.type = type, .app = "a", .name = name};
  node.verdict.colour = colour;
  node.verdict.reason = reason;
  return node;
}

/// A broker that owns what `shards` says, and needs all of it.
Source source(const std::string& name, std::vector<Node> others, bool is_reachable = true) {
  Source source{.url = "http://" + name + ":7780", .is_reachable = is_reachable};
  Tree tree{.system = "ordo", .at = kNow};
  tree.nodes.push_back(node(NodeType::kBroker, name, kGreen));
  for (Node& other : others) {
    tree.edges.push_back({"broker/" + name, other.id()});
    tree.nodes.push_back(std::move(other));
  }
  source.last = std::move(tree);
  if (!is_reachable) {
    source.error = "cannot connect";
    source.age = Millis{42'500};
    source.since = kNow - Millis{42'500};
  }
  return source;
}

const Node& find(const Tree& tree, const std::string& id) {
  for (const Node& one : tree.nodes) {
    if (one.id() == id) return one;
  }
  ADD_FAILURE() << "no node " << id;
  return tree.nodes.at(0);
}

Node shard(const std::string& name, Colour colour, Reason reason = Reason::kNone) {
  return node(NodeType::kShard, name, colour, reason);
}

TEST(HealthMerge, TheWorstWordCounts) {
  const Tree tree = merge({source("a", {node(NodeType::kQueue, "pay", kGreen)}),
                           source("b", {node(NodeType::kQueue, "pay", kRed, Reason::kTooOld)}),
                           source("c", {node(NodeType::kQueue, "pay", kYellow)})},
                          "ordo", kNow);
  EXPECT_EQ(tree.nodes.size(), 4u);
  EXPECT_EQ(find(tree, "queue/pay").verdict.reason, Reason::kTooOld);
  EXPECT_EQ(tree.edges.size(), 3u);
  EXPECT_EQ(tree.colour(), kRed);
}

TEST(HealthMerge, AClosedShardCountsOnlyWhereNoBrokerOwnsIt) {
  const auto standby =
      source("b", {shard("0", kRed, Reason::kClosed), shard("1", kRed, Reason::kClosed)});
  const Tree tree = merge({source("a", {shard("0", kGreen)}), standby}, "ordo", kNow);
  EXPECT_EQ(find(tree, "shard/0").verdict.colour, kGreen);
  EXPECT_EQ(find(tree, "shard/1").verdict.reason, Reason::kClosed);
  EXPECT_TRUE(find(tree, "shard/1").is_root_cause);
  // An owner's own trouble is never covered by who stands by.
  const Tree sick =
      merge({standby, source("a", {shard("0", kYellow, Reason::kProbeSlow)})}, "ordo", kNow);
  EXPECT_EQ(find(sick, "shard/0").verdict.reason, Reason::kProbeSlow);
}

TEST(HealthMerge, ABrokerThatCannotBeAskedIsTheCauseAndWhatItAloneSaidIsStale) {
  const Tree tree =
      merge({source("a", {shard("0", kGreen), node(NodeType::kWorker, "w", kRed)}, false),
             source("b", {shard("1", kGreen), node(NodeType::kWorker, "w", kGreen)})},
            "ordo", kNow);
  const Node& broker = find(tree, "broker/a");
  EXPECT_EQ(broker.verdict.colour, kRed);
  EXPECT_EQ(broker.verdict.reason, Reason::kUnreachable);
  EXPECT_TRUE(broker.is_root_cause);
  EXPECT_THAT(broker.verdict.text, HasSubstr("42 s ago"));
  EXPECT_THAT(broker.verdict.text, HasSubstr("cannot connect"));
  EXPECT_EQ(broker.since, kNow - Millis{42'500});
  EXPECT_EQ(find(tree, "shard/0").verdict.colour, kUnknown);
  EXPECT_EQ(find(tree, "shard/0").verdict.reason, Reason::kStale);
  EXPECT_THAT(find(tree, "shard/0").verdict.text, HasSubstr("42 s ago"));
  EXPECT_EQ(find(tree, "shard/1").verdict.colour, kGreen);
  // Somebody else still sees the worker.
  EXPECT_EQ(find(tree, "worker/w").verdict.colour, kGreen);
}

TEST(HealthMerge, AShardOfAFrozenOwnerIsStaleAlthoughTheOthersCallItClosed) {
  const Tree tree = merge(
      {source("a", {shard("0", kGreen)}, false), source("b", {shard("0", kRed, Reason::kClosed)})},
      "ordo", kNow);
  EXPECT_EQ(find(tree, "shard/0").verdict.reason, Reason::kStale);
  EXPECT_TRUE(find(tree, "broker/a").is_root_cause);
  EXPECT_FALSE(find(tree, "broker/b").is_root_cause);
  // Taken over: the new owner's word.
  const Tree after = merge(
      {source("a", {shard("0", kGreen)}, false), source("b", {shard("0", kGreen)})}, "ordo", kNow);
  EXPECT_EQ(find(after, "shard/0").verdict.colour, kGreen);
}

TEST(HealthMerge, WhatIsRedBelowAnUnreachableBrokerIsTheCause) {
  const Node worker = node(NodeType::kWorker, "w", kRed, Reason::kSilent);
  const Tree tree = merge({source("a", {worker}, false), source("b", {worker})}, "ordo", kNow);
  EXPECT_FALSE(find(tree, "broker/a").is_root_cause);
  EXPECT_TRUE(find(tree, "worker/w").is_root_cause);
}

TEST(HealthMerge, TwoBrokersOfOneNameStayTwo) {
  Source twin = source("a", {shard("1", kGreen)}, false);
  twin.url = "http://127.0.0.1:7781";
  const Tree tree = merge({source("a", {shard("0", kGreen)}), twin}, "ordo", kNow);
  EXPECT_EQ(find(tree, "broker/a").verdict.colour, kGreen);
  EXPECT_EQ(find(tree, "broker/a (127.0.0.1:7781)").verdict.colour, kRed);
  EXPECT_THAT(tree.edges, ::testing::Contains(Edge{"broker/a (127.0.0.1:7781)", "shard/1"}));
}

TEST(HealthMerge, ABrokerThatHasNeverAnsweredIsNeverGreen) {
  Source absent{.url = "http://c:7780", .is_asked = false};
  Tree tree = merge({absent}, "c:7780", kNow);
  EXPECT_EQ(tree.colour(), kUnknown);
  absent.is_asked = true;
  absent.error = "cannot connect";
  tree = merge({absent}, "c:7780", kNow);
  EXPECT_EQ(find(tree, "broker/c:7780").verdict.reason, Reason::kUnreachable);
  EXPECT_EQ(tree.colour(), kRed);
  // With others of one system it is one of theirs.
  const auto all = merge_all({source("a", {}), absent}, kNow);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].system, "ordo");
  EXPECT_EQ(all[0].colour(), kRed);
}

TEST(HealthMerge, SystemsComeWorstFirst) {
  Source well = source("a", {});
  well.last->system = "well";
  Source unknown = source("b", {});
  unknown.last->system = "dark";
  unknown.last->nodes[0].verdict.colour = kUnknown;
  Source ill = source("c", {shard("0", kRed, Reason::kProbeFailed)});
  ill.last->system = "ill";
  std::string order;
  for (const Tree& tree : merge_all({well, unknown, ill}, kNow)) order += tree.system + " ";
  EXPECT_EQ(order, "ill dark well ");
}

TEST(HealthMerge, AgesReadAsPeopleSayThem) {
  EXPECT_EQ(age_text(Millis{-5}), "0 s");
  EXPECT_EQ(age_text(Seconds{119}), "119 s");
  EXPECT_EQ(age_text(Seconds{3600}), "60 min");
  EXPECT_EQ(age_text(Seconds{86'400}), "24 h");
  EXPECT_EQ(age_text(Seconds{3 * 86'400}), "3 d");
}

TEST(HealthJson, ATreeComesBackAsItWas) {
  Tree tree = *source("a", {shard("0", kRed, Reason::kProbeFailed)}).last;
  tree.nodes[1].verdict.text = "It \"fails\".";
  tree.nodes[1].verdict.unit = "seconds";
  tree.nodes[1].verdict.value = 1.5;
  tree.nodes[1].since = kNow;
  mark_root_causes(tree);
  const auto read = parse_tree(to_json(tree).dump());
  ASSERT_TRUE(read) << read.error().message;
  Tree marked = *read;
  mark_root_causes(marked);
  EXPECT_EQ(to_json(marked), to_json(tree));
}

TEST(HealthJson, WordsOfANewerBrokerAreNotGreen) {
  const auto read = parse_tree(R"({"system":"s","nodes":[{"node":"x","type":"planet",
    "status":"purple","reason":"eclipsed","text":"why","since_ms":"soon"}],"edges":7})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->nodes.at(0).verdict.colour, kUnknown);
  EXPECT_EQ(read->nodes.at(0).verdict.text, "why");
}

TEST(HealthJson, WhatIsNoTreeIsRefused) {
  for (const char* const text :
       {"", "[]", "{}", "{\"system\":\"s\",\"nodes\":[1]}", "{\"system\":\"s\",\"nodes\":[{}]}",
        "{\"system\":\"s\",\"edges\":[1]}", "<html>"}) {
    EXPECT_FALSE(parse_tree(text)) << text;
  }
}

}  // namespace
}  // namespace ordo::health
