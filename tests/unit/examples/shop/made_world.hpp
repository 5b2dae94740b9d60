// A run that never was: orders of a small pipeline with everything in order, for tests to break.
//
// Shapes:  pipeline "3c" of its own: stock_reserve (undone by stock_release) → ledger_post →
//          fee_counter, async. Times are in milliseconds from 0, a step a second.
// Threads: values.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "examples/shop/verify/verify.hpp"

namespace ordo::shop {

inline constexpr const char* kMadePipeline = R"(pipeline: 3c
steps:
  stock_reserve: { compensate: stock_release, retry: { attempts: 5, first: 1s, cap: 60s } }
  ledger_post: { after: stock_reserve, compensate: ledger_reverse }
  fee_counter: { after: ledger_post, class: async }
)";

inline World empty_world() {
  World world{.now_ms = 1'000'000, .horizon_ms = 60'000};
  auto pipeline = parse_pipeline(kMadePipeline);
  EXPECT_TRUE(pipeline);
  world.pipelines["7"] = *std::move(pipeline);
  world.acked.emplace();
  for (const char* const name : {"stock", "payments", "ledger", "counters"}) world.ledgers[name];
  return world;
}

inline Entry& note(World& world, const std::string& service, const std::string& key,
                   const std::string& operation) {
  const auto name = split_key(key);
  auto& entry = world.ledgers[service].emplace_back();
  entry.key = key;
  entry.operation = operation;
  if (name) {
    entry.order = name->order;
    entry.reference = name->order + '/' + name->branch;
    if (name->kind == "compensate") {
      entry.undoes = key.substr(0, key.rfind('/')) + "/forward";
    }
  }
  return entry;
}

inline EventFact& happened(World& world, const std::string& order, int step,
                           const std::string& kind) {
  return world.events.emplace_back(EventFact{.order = order,
                                             .step = step,
                                             .kind = kind,
                                             .attempt = 1,
                                             .at_ms = 1000 * (step + 1),
                                             .ms = 10});
}

/// An order that has paid 5 and succeeded, with all that it did.
inline void add_succeeded(World& world, const std::string& id) {
  world.orders.push_back({id, "7", "succeeded", 0});
  world.acked->insert(id);
  for (int step = 0; step < 3; ++step) happened(world, id, step, "succeeded");
  Entry& held = note(world, "stock", id + "/stock_reserve/0/forward", "reserve");
  held.item = "phone";
  held.quantity = 1;
  held.opened = world.ledgers["stock"].size() == 1 ? 10 : 0;
  note(world, "payments", id + "/pay/0/customer", "charge").cents = 500;
  note(world, "ledger", id + "/ledger_post/0/forward", "post").cents = 500;
  note(world, "counters", id + "/fee_counter/0/forward", "add").quantity = 1;
}

/// An order that failed behind its reservation, which was undone; nobody has paid.
inline void add_failed(World& world, const std::string& id) {
  world.orders.push_back({id, "7", "failed", 0});
  world.acked->insert(id);
  happened(world, id, 0, "succeeded");
  happened(world, id, 1, "failed");
  happened(world, id, 0, "succeeded").task_kind = 1;
  Entry& held = note(world, "stock", id + "/stock_reserve/0/forward", "reserve");
  held.item = "phone";
  held.quantity = 1;
  Entry& released = note(world, "stock", id + "/stock_reserve/0/compensate", "release");
  released.item = "phone";
  released.quantity = 1;
}

inline World made_world() {
  World world = empty_world();
  add_succeeded(world, "a");
  add_succeeded(world, "b");
  add_failed(world, "c");
  world.gauges = {{"ordo_waiters", 0}};
  return world;
}

/// The rules that found something, with their counts: "I2=1 I7=2".
inline std::string found(const World& world) {
  std::string all;
  for (const Finding& finding : verify(world)) {
    if (finding.count == 0) continue;
    all += (all.empty() ? "" : " ") + finding.rule + '=' + std::to_string(finding.count);
  }
  return all;
}

/// The first sentence that a rule says.
inline std::string said(const World& world, const std::string& rule) {
  for (const Finding& finding : verify(world)) {
    if (finding.rule == rule && finding.count > 0) return finding.examples.front();
  }
  return "";
}

}  // namespace ordo::shop
