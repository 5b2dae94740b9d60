#include "client/parked/parked_tasks.hpp"

#include <gtest/gtest.h>

#include "client/parked/signature.hpp"

namespace ordo::parked {
namespace {

TEST(ErrorSignature, NumbersAreOneKindOfError) {
  EXPECT_EQ(error_signature("timeout after 31 ms"), "timeout after # ms");
  EXPECT_EQ(error_signature("timeout after 31ms"), error_signature("timeout after 4700ms"));
  EXPECT_EQ(error_signature("order 018f6f4e-7a3b-7c00-8abc-def012345678 is gone"),
            "order # is gone");
  EXPECT_EQ(error_signature("018F6F4E-7A3B-7C00-8ABC-DEF012345678"), "#");
  EXPECT_EQ(error_signature("at 0x7ffe12ab"), "at #");
  EXPECT_EQ(error_signature("commit 3f2a9c1 refused"), "commit # refused");
  EXPECT_EQ(error_signature("connect 10.0.0.7:5432 refused"), "connect # refused");
  EXPECT_EQ(error_signature("2026-03-04T05:06:07.890Z late"), "#T#Z late");
  EXPECT_EQ(error_signature("worker-17 lost"), "worker-# lost");
}

TEST(ErrorSignature, WordsStay) {
  for (const char* const text : {"", "card declined", "facade added", "deadbeef cafe", "a - b: c",
                                 "déjà vu 🙂", "018f6f4e-is no uuid"}) {
    const std::string expected = std::string(text) == "018f6f4e-is no uuid" ? "#-is no uuid" : text;
    EXPECT_EQ(error_signature(text), expected);
  }
  EXPECT_NE(error_signature("timeout"), error_signature("refused"));
}

TEST(ErrorSignature, IsBoundedText) {
  EXPECT_LE(error_signature(std::string(5000, 'x')).size(), 300u);
  EXPECT_EQ(error_signature(std::string("a\xff") + "b"),
            "a\xEF\xBF\xBD"
            "b");
}

client::OrderView order(int number, const std::string& step, const std::string& error) {
  client::OrderView view;
  view.id = OrderId::make(1'700'000'000'000 + number, 0, 1);
  view.pipeline = "books";
  view.accepted_at_ms = 1'700'000'000'000 + number;
  client::TaskView parked;
  parked.step = step;
  parked.state = "parked";
  parked.reason = "exhausted";
  parked.error = error;
  client::TaskView done;
  done.step = "pack";
  done.state = "succeeded";
  view.tasks = {done, parked};
  return view;
}

std::vector<ParkedTask> tasks_of(const std::vector<client::OrderView>& orders) {
  std::vector<ParkedTask> all;
  for (const auto& one : orders) {
    for (auto& task : parked_tasks_of(one)) all.push_back(std::move(task));
  }
  return all;
}

TEST(ParkedGroups, CountByStepAndKindOfError) {
  const auto tasks = tasks_of({order(1, "pay", "timeout after 31 ms"), order(2, "send", ""),
                               order(3, "pay", "timeout after 47 ms"), order(4, "pay", "refused")});
  const auto groups = groups_of(tasks);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].oldest.error, "timeout after # ms");
  EXPECT_EQ(groups[0].count, 2u);
  EXPECT_EQ(groups[0].oldest.accepted_at_ms, 1'700'000'000'001);
  EXPECT_EQ(groups[0].oldest.task.id, OrderId::make(1'700'000'000'001, 0, 1));
  EXPECT_EQ(groups[0].oldest.pipeline, "books");
  // Without a text the reason tells.
  EXPECT_TRUE(groups[1].oldest.error == "exhausted" || groups[2].oldest.error == "exhausted");
}

TEST(ParkedGroups, AFilterNamesThemTheSameWay) {
  const auto tasks = tasks_of({order(1, "pay", "timeout after 31 ms")});
  EXPECT_TRUE((ParkedFilter{}.matches(tasks[0])));
  EXPECT_TRUE((ParkedFilter{"books", "pay", "timeout after # ms"}.matches(tasks[0])));
  EXPECT_FALSE((ParkedFilter{"books", "pay", "timeout after 31 ms"}.matches(tasks[0])));
  EXPECT_FALSE((ParkedFilter{"music", "", ""}.matches(tasks[0])));
  EXPECT_FALSE((ParkedFilter{"", "send", ""}.matches(tasks[0])));
  EXPECT_FALSE((ParkedFilter{"", "", "timeout"}.matches(tasks[0])));
  EXPECT_TRUE((ParkedFilter{"", "", "timeout", true}.matches(tasks[0])));
  EXPECT_FALSE((ParkedFilter{"", "", "refused", true}.matches(tasks[0])));
}

}  // namespace
}  // namespace ordo::parked
