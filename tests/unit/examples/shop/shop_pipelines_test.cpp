// The eight pipelines of the shop: they parse, have the shape that they are there to show, and
// everything that they name is known to the shop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string>

#include "examples/shop/callback_plan.hpp"
#include "examples/shop/pipeline_scale.hpp"
#include "examples/shop/services.hpp"
#include "examples/shop/shop_steps.hpp"
#include "schema/pipeline.hpp"
#include "tests/support/process_files.hpp"

namespace ordo::shop {
namespace {

constexpr std::array kNames{"digital",   "3c",     "books",   "takeaway",
                            "o2o_flash", "refund", "restore", "maintenance"};
constexpr const char* kFolder = "examples/shop/pipelines/";

Pipeline read(const std::string& name, double scale = 1) {
  std::string text = testing::read_file(kFolder + name + ".yaml");
  if (scale != 1) text = scale_pipeline(text, scale);
  auto pipeline = parse_pipeline(text);
  EXPECT_TRUE(pipeline) << pipeline.error().front().to_string(name);
  return pipeline ? *std::move(pipeline) : Pipeline{};
}

TEST(ShopPipelines, AreTheseEightAndParse) {
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    ++files;
    EXPECT_EQ(read(file.path().stem()).name, file.path().stem());
  }
  EXPECT_EQ(files, kNames.size());
}

TEST(ShopPipelines, NameHandlersThatTheShopHas) {
  for (const char* const name : kNames) {
    for (const Step& step : read(name).steps) {
      if (step.wait.empty() && step.order.empty()) {
        EXPECT_NE(find_step(name, step.handler), nullptr) << name << " " << step.handler;
      }
      for (const std::string& other : {step.compensate, step.fallback}) {
        if (other.empty()) continue;
        EXPECT_NE(find_step(name, other), nullptr) << name << " " << other;
      }
    }
  }
}

TEST(ShopPipelines, UseTheServiceThatTheHandlerCalls) {
  for (const char* const name : kNames) {
    for (const Step& step : read(name).steps) {
      const ShopStep* const entry = find_step(name, step.handler);
      if (entry != nullptr) {
        EXPECT_EQ(step.uses, entry->service) << name << " " << step.name;
      }
    }
  }
}

TEST(ShopPipelines, UndoWithWhatUndoes) {
  for (const char* const name : kNames) {
    for (const Step& step : read(name).steps) {
      const ShopStep* const forward = find_step(name, step.handler);
      const ShopStep* const back = find_step(name, step.compensate);
      // Money goes back by an act of its own: a late payment cannot be forbidden.
      if (forward == nullptr || back == nullptr || back->service == "payments") continue;
      EXPECT_EQ(forward->service, back->service) << name << " " << step.name;
      const Operation* const undo = find_operation_of(back->service, back->operation);
      ASSERT_NE(undo, nullptr) << name << " " << step.compensate;
      EXPECT_EQ(undo->role, Role::kUndoes) << name << " " << step.compensate;
    }
  }
}

TEST(ShopPipelines, WaitForSignalsThatTheWorldSends) {
  for (const char* const name : kNames) {
    for (const Step& step : read(name).steps) {
      if (step.wait.empty() || step.wait == "released") continue;  // the shop's own word
      const bool is_sent =
          std::any_of(operations().begin(), operations().end(), [&](const Operation& o) {
            const Consequence* const what = find_consequence(o.service, o.name);
            return what != nullptr && what->signal == step.wait;
          });
      EXPECT_TRUE(is_sent) << name << " " << step.wait;
    }
  }
}

TEST(ShopPipelines, CoverEveryMechanism) {
  const auto has = [](const char* name, const std::function<bool(const Step&)>& is_so) {
    const Pipeline pipeline = read(name);
    return std::any_of(pipeline.steps.begin(), pipeline.steps.end(), is_so);
  };
  const auto waits = [](const Step& s) { return !s.wait.empty() && !s.late.empty(); };
  const auto undone = [](const Step& s) { return !s.compensate.empty(); };
  const auto joins = [](const Step& s) { return s.after.size() > 1; };
  for (const char* const name : {"digital", "3c", "books", "takeaway", "o2o_flash"}) {
    EXPECT_TRUE(has(name, waits)) << name;
    EXPECT_TRUE(has(name, undone)) << name;
    EXPECT_EQ(read(name).restore, "await_payment") << name;
    EXPECT_TRUE(has(name, [](const Step& s) { return s.async; })) << name;
  }
  for (const char* const name : {"digital", "3c", "takeaway"}) EXPECT_TRUE(has(name, joins));
  EXPECT_TRUE(has("digital", [](const Step& s) { return !s.fallback.empty(); }));
  EXPECT_TRUE(has("books", [](const Step& s) { return s.each == "parcels"; }));
  EXPECT_TRUE(has("books", [](const Step& s) { return s.on_timeout == OnTimeout::kSkip; }));
  EXPECT_TRUE(has("takeaway", [](const Step& s) { return s.delay == Millis{3'600'000}; }));
  EXPECT_TRUE(has("takeaway", [](const Step& s) { return s.fair_by == "shop"; }));
  EXPECT_TRUE(has("o2o_flash", [](const Step& s) { return s.limit_key == "sku"; }));
  EXPECT_TRUE(has("refund", [](const Step& s) { return s.irreversible; }));
  EXPECT_TRUE(has("restore", [](const Step& s) { return s.order == "refund"; }));
  EXPECT_TRUE(has("maintenance", [](const Step& s) { return !s.when.empty(); }));
}

TEST(ShopPipelines, LiveFasterAtAScaleAndKeepTheTimeoutsOfAttempts) {
  const Pipeline slow = read("digital");
  const Pipeline fast = read("digital", 1.0 / 60);
  EXPECT_EQ(fast.deadline, Millis{300'000}) << "what the machine needs stays";
  for (std::size_t i = 0; i < slow.steps.size(); ++i) {
    const bool is_wait = !slow.steps[i].wait.empty();
    EXPECT_EQ(fast.steps[i].timeout, is_wait ? Millis{15'000} : slow.steps[i].timeout);
    EXPECT_EQ(fast.steps[i].retry, slow.steps[i].retry);
  }
  const Pipeline meal = read("takeaway", 1.0 / 300);
  EXPECT_EQ(meal.steps[*meal.find("raise_alarm")].delay, Millis{12'000});
  EXPECT_EQ(meal.steps[*meal.find("await_delivered")].timeout, Millis{48'000});
  EXPECT_EQ(meal.deadline, Millis{300'000});
  const Pipeline flash = read("o2o_flash", 1.0 / 300);
  EXPECT_EQ(flash.steps[*flash.find("await_payment")].timeout, Millis{5'000});
  for (const char* const name : kNames) read(name, 1e-9);
}

}  // namespace
}  // namespace ordo::shop
