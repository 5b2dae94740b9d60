// A queue's line under `fair_by`, held against a naive model: a value whose turn it was goes behind
// those that have something waiting.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/core/order.hpp"

namespace ordo {
namespace {

/// The obvious way: a list of values, each with its tasks.
class Naive {
 public:
  void push(const std::string& value, const Task* task) {
    for (auto& [name, tasks] : values_) {
      if (name == value) return tasks.push_back(task);
    }
    values_.push_back({value, {task}});
  }
  const Task* pop() {
    if (values_.empty()) return nullptr;
    auto [name, tasks] = std::move(values_.front());
    values_.pop_front();
    const Task* task = tasks.front();
    tasks.pop_front();
    if (!tasks.empty()) values_.push_back({name, std::move(tasks)});
    return task;
  }
  void erase(const Task* task) {
    for (auto& [name, tasks] : values_) std::erase(tasks, task);
    std::erase_if(values_, [](const auto& one) { return one.second.empty(); });
  }

 private:
  std::deque<std::pair<std::string, std::deque<const Task*>>> values_;
};

class Fair : public ::testing::Test {
 protected:
  Fair() { queue_.fair = std::make_unique<FairLines>(); }

  Task* add(const std::string& value) {
    auto task = std::make_unique<Task>(order_, queue_);
    if (!value.empty()) task->share = &queue_.fair->join(value);
    queue_.push(*task);
    tasks_.push_back(std::move(task));
    return tasks_.back().get();
  }
  void drop(const Task* task) {
    std::erase_if(tasks_, [&](const auto& one) { return one.get() == task; });
  }

  Order order_;
  Queue queue_{"q"};
  std::vector<std::unique_ptr<Task>> tasks_;
};

TEST_F(Fair, GoesAsTheNaiveModelSays) {
  const std::vector<std::string> values{"", "a", "b", "c", "d"};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random chance(seed);
    Naive naive;
    for (int i = 0; i < 400; ++i) {
      const auto what = chance.below(10);
      if (what < 5) {
        const auto& value = values[chance.below(values.size())];
        const Task* task = add(value);
        naive.push(value, task);
      } else if (what == 5 && !tasks_.empty()) {  // its order was cancelled
        const Task* gone = tasks_[chance.below(tasks_.size())].get();
        naive.erase(gone);
        drop(gone);
      } else {
        const Task* task = queue_.pop();
        ASSERT_EQ(task, naive.pop()) << "seed " << seed << " after " << i;
        if (task != nullptr) drop(task);
      }
      ASSERT_EQ(queue_.ready, tasks_.size());
    }
    while (const Task* task = queue_.pop()) {
      ASSERT_EQ(task, naive.pop()) << "seed " << seed;
      drop(task);
    }
  }
}

TEST_F(Fair, WhatComesBackToTheFrontIsNext) {
  Task* first = add("a");
  add("b");
  ASSERT_EQ(queue_.pop(), first);
  queue_.push_first(*first);
  EXPECT_EQ(queue_.pop(), first);
}

TEST_F(Fair, PrioritiesComeFirst) {
  add("a");
  Task* urgent = add("a");
  urgent->line.unlink();
  --queue_.ready;
  urgent->priority = 0;
  queue_.push(*urgent);
  EXPECT_EQ(queue_.pop(), urgent);
}

}  // namespace
}  // namespace ordo
