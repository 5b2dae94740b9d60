// What the end-to-end cases share: a broker on a database of its own, a client, pipelines, and a
// worker whose handlers do what the payload says, so that a case reads as a story.
//
// Shapes:  the payload is a word: "ok", "no" (permanent), "never" (transient for ever), "once"
//          (transient at the first attempt), "slow" (until its gate opens or it is cancelled),
//          "big:N" (a result of N bytes).
// Threads: handlers run on the worker's; what they note goes through a queue.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "base/bounded_queue.hpp"
#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

inline constexpr auto kPatience = 30s;

inline constexpr const char* kOne =
    "pipeline: one\nversion: 1\nsteps:\n  work: { timeout: 60s, retry: { attempts: 2, first: 10ms "
    "} }\n";
inline constexpr const char* kDiamond = R"(
pipeline: diamond
version: 1
steps:
  first: { timeout: 60s, retry: { attempts: 2, first: 10ms } }
  left:  { after: first, timeout: 60s }
  right: { after: first, timeout: 60s }
  last:  { after: [left, right], timeout: 60s }
)";

class EndToEnd : public ::testing::Test {
 protected:
  EndToEnd() : broker(database.dsn()) {
    EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
    client = connect();
    for (const char* text : {kOne, kDiamond}) {
      const auto stored = client->put_pipeline(text);
      EXPECT_TRUE(stored) << stored.error().message;
    }
  }

  [[nodiscard]] std::unique_ptr<client::Client> connect() const {
    return std::make_unique<client::Client>(
        client::Options{.endpoints = {broker.endpoints().clients}});
  }

  /// A worker that runs all steps of the pipelines above.
  std::unique_ptr<Worker> start_worker(const std::string& name = "w", std::uint32_t slots = 4) {
    auto worker = std::make_unique<Worker>(WorkerOptions{
        .brokers = {broker.endpoints().workers}, .name = name, .slots = slots, .take_ahead = 0});
    for (const char* step : {"work", "first", "left", "right", "last"}) {
      worker->on(step, [this](Task& task) { return handle(task); });
    }
    const auto started = worker->start();
    EXPECT_TRUE(started) << started.error().message;
    return worker;
  }

  TaskOutcome handle(Task& task) {
    EXPECT_TRUE(begun.push(task.order().to_string() + "/" + task.step()));
    const std::string_view word = task.payload();
    // Only first steps misbehave, so that a pipeline goes on once they are through.
    const bool is_first = task.step() == "work" || task.step() == "first";
    if (is_first && word == "no") return permanent("it says no", "refused");
    if (is_first && word == "never") return transient("it is away");
    if (is_first && word == "once" && task.attempt() == 1)
      return transient("it is away for a moment");
    if (is_first && word == "slow") return wait_for_gate(task);
    if (word.starts_with("big:")) return succeeded(std::string(number_of(word.substr(4)), 'r'));
    return succeeded(task.step() + " done", R"({"last":")" + task.step() + "\"}");
  }

  TaskOutcome wait_for_gate(const Task& task) {
    while (!gate) {
      if (task.cancellation().wait_for(5ms))
        return transient("stopped: " + task.cancellation().reason());
    }
    return succeeded("slow done");
  }

  static std::size_t number_of(std::string_view digits) {
    std::size_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
  }

  OrderId submit(client::Order order) {
    const auto receipt = client->submit(std::move(order));
    EXPECT_TRUE(receipt) << receipt.error().message;
    return receipt ? receipt->id : OrderId{};
  }
  /// The status at which it ended or parked; what went wrong where it did not.
  std::string end_of(const OrderId& id) {
    const auto waited = client->wait(id, {.timeout = kPatience});
    if (!waited) return waited.error().message;
    return waited->timed_out ? "timed out" : waited->status;
  }
  std::string status_of(const OrderId& id) {
    const auto order = client->get(id);
    return order ? order->status : order.error().message;
  }
  /// Whether a handler has begun `step` of `id`; keeps what it finds.
  bool has_begun(const OrderId& id, const std::string& step) {
    for (auto& line : begun.take_all(std::chrono::microseconds{0}))
      order_of_begin.push_back(std::move(line));
    return std::find(order_of_begin.begin(), order_of_begin.end(), id.to_string() + "/" + step) !=
           order_of_begin.end();
  }

  static client::Operator operator_of_test() {
    return client::Operator{.who = "tester", .why = "because the test says so"};
  }

  ShardDatabase database{2};
  BrokerProcess broker;
  std::unique_ptr<client::Client> client;
  std::atomic<bool> gate{false};  ///< open: "slow" handlers go on
  BoundedQueue<std::string> begun{100'000};
  std::vector<std::string> order_of_begin;
};

}  // namespace ordo::testing
