// A trace from submit to log: kept over a broker's death, handed to each attempt, and named the
// same way by the handler, by the order's history and by the logs of broker and worker.
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

using nlohmann::json;

const std::string kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParentId = "00f067aa0ba902b7";
const std::string kSecret = "the-card-number";

/// What is wrong with a line of a log in JSON; empty: nothing.
std::string problem_of(const std::string& line) {
  const json read = json::parse(line, nullptr, false);
  if (!read.is_object()) return "is no JSON object";
  for (const char* field : {"time", "level", "message"}) {
    if (!read.contains(field) || !read[field].is_string()) return std::string("has no ") + field;
  }
  const std::set<std::string> levels{"debug", "info", "warn", "error"};
  if (!levels.contains(read["level"])) return "has a level that is none";
  if (read.contains("attempt")) {
    if (!read["attempt"].is_number_unsigned() || !read.contains("order")) {
      return "has an attempt, and does not say of what";
    }
  }
  if (read.contains("span_id") && !read.contains("trace_id")) return "has a span without a trace";
  for (const auto& [name, size] : {std::pair("trace_id", 32), std::pair("span_id", 16)}) {
    const std::string digits = read.value(name, std::string(static_cast<std::size_t>(size), '0'));
    if (digits.size() != static_cast<std::size_t>(size) ||
        digits.find_first_not_of("0123456789abcdef") != digits.npos) {
      return std::string(name) + " is none";
    }
  }
  if (line.find(kSecret) != line.npos) return "shows a payload or a result";
  return {};
}

/// The lines of a log, each checked; what is not the log's (endpoints on stdout) left out.
std::vector<json> read_log(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(R"({"clients":)")) continue;
    EXPECT_EQ(problem_of(line), "") << line;
    lines.push_back(json::parse(line, nullptr, false));
  }
  return lines;
}

/// Lines with this message about this order, by attempt.
std::map<unsigned, json> about(const std::vector<json>& lines, const std::string& message,
                               const OrderId& id) {
  std::map<unsigned, json> found;
  for (const json& line : lines) {
    if (line.value("message", "") != message || line.value("order", "") != id.to_string()) continue;
    found[line.value("attempt", 0U)] = line;
  }
  return found;
}

class Traces : public ::testing::Test {
 protected:
  Traces() : broker(database.dsn(), {"--log-format", "json", "--log-level", "debug"}) {
    EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
    client = std::make_unique<client::Client>(
        client::Options{.endpoints = {broker.endpoints().clients}});
    const auto stored = client->put_pipeline(kPipeline);
    EXPECT_TRUE(stored) << stored.error().message;
  }

  /// Fails its first attempt, and the next one that it is given by a throw.
  std::unique_ptr<Worker> start_worker() {
    auto worker = std::make_unique<Worker>(WorkerOptions{
        .brokers = {broker.endpoints().workers},
        .name = "tracer",
        .log_level = LogLevel::kDebug,
        .log_format = LogFormat::kJson,
        .on_log = [this](std::string_view line) { EXPECT_TRUE(log.push(std::string(line))); }});
    worker->on("work", [this](Task& task) {
      EXPECT_TRUE(seen.push({task.attempt(), task.trace()}));
      task.log(LogLevel::kInfo, "at work");
      if (failures-- > 0) return transient("no \"route\"\nto the bank");
      return succeeded(kSecret);
    });
    const auto started = worker->start();
    EXPECT_TRUE(started) << started.error().message;
    return worker;
  }

  std::string end_of(const OrderId& id) {
    const auto waited = client->wait(id, {.timeout = kPatience});
    return waited ? waited->status : waited.error().message;
  }

  static constexpr const char* kPipeline =
      "pipeline: traced\nversion: 1\nsteps:\n  work: { timeout: 60s, retry: { attempts: 5, first: "
      "10ms } }\n";
  struct Begun {
    unsigned attempt;
    std::optional<Trace> trace;
  };
  ShardDatabase database{2};
  BrokerProcess broker;
  std::unique_ptr<client::Client> client;
  std::atomic<int> failures{1};
  BoundedQueue<Begun> seen{1000};
  BoundedQueue<std::string> log{100'000};
};

TEST_F(Traces, GoFromSubmitToEveryAttemptOverABrokersDeath) {
  client::Order order{.pipeline = "traced", .payload = kSecret, .labels = R"({"shop":"berlin"})"};
  order.traceparent = "00-" + kTraceId + "-" + kParentId + "-01";
  order.tracestate = "congo=t61\"\\";
  const auto receipt = client->submit(order);
  ASSERT_TRUE(receipt) << receipt.error().message;
  const OrderId id = receipt->id;
  order.id = id;
  order.traceparent[3] = '5';
  const auto again = client->submit(order);
  ASSERT_TRUE(again) << "another trace is no other content: " << again.error().message;

  broker.kill9_and_restart();
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  const auto worker = start_worker();
  ASSERT_EQ(end_of(id), "succeeded");
  worker->stop();
  EXPECT_EQ(worker->wait(), 0);

  std::map<unsigned, std::string> spans;  // as handlers saw them
  for (const Begun& begun : seen.take_all(std::chrono::microseconds{0})) {
    ASSERT_TRUE(begun.trace);
    EXPECT_EQ(begun.trace->trace_id, kTraceId);
    EXPECT_EQ(begun.trace->parent_id, kParentId);
    EXPECT_EQ(begun.trace->tracestate, "congo=t61\"\\");
    spans[begun.attempt] = begun.trace->span_id;
  }
  ASSERT_EQ(spans.size(), 2u);

  const auto view = client->get(id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->trace_id(), kTraceId);
  EXPECT_EQ(view->labels, R"({"shop":"berlin"})");
  const auto explained = client->explain(id);
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->trace_id, kTraceId);
  std::map<unsigned, std::string> chain, events;
  for (const auto& attempt : explained->chain) chain[attempt.attempt] = attempt.span_id;
  for (const auto& event : view->events) events[event.attempt] = event.span_id;
  EXPECT_EQ(chain, spans);
  EXPECT_EQ(events, spans);
  EXPECT_EQ(explained->chain.front().outcome, "attempt_failed");
  EXPECT_EQ(explained->chain.front().error, "no \"route\"\nto the bank");
  EXPECT_EQ(explained->chain.back().outcome, "succeeded");
  EXPECT_EQ(explained->chain.back().worker, "tracer");

  std::string worker_text;
  for (const auto& line : log.take_all(std::chrono::microseconds{0})) worker_text += line + "\n";
  const auto worker_log = read_log(worker_text);
  const auto broker_log = read_log(broker.log());
  const unsigned first = spans.begin()->first;
  for (const auto& lines : {about(worker_log, "at work", id), about(broker_log, "task ended", id),
                            about(broker_log, "task dispatched", id)}) {
    for (const auto& [attempt, span] : spans) {
      ASSERT_TRUE(lines.contains(attempt));
      EXPECT_EQ(lines.at(attempt).value("span_id", ""), span);
      EXPECT_EQ(lines.at(attempt).value("trace_id", ""), kTraceId);
      EXPECT_EQ(lines.at(attempt).value("step", ""), "work");
      EXPECT_EQ(lines.at(attempt).value("pipeline", ""), "traced");
    }
  }
  for (const auto& lines :
       {about(worker_log, "attempt failed", id), about(broker_log, "task retried", id)}) {
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines.at(first).value("span_id", ""), spans.at(first));
    EXPECT_EQ(lines.at(first).value("worker", ""), "tracer");
    EXPECT_EQ(lines.at(first).value("error", ""), "no \"route\"\nto the bank");
  }
}

TEST_F(Traces, AreNotInvented) {
  const auto worker = start_worker();
  const auto receipt = client->submit({.pipeline = "traced", .payload = kSecret});
  ASSERT_TRUE(receipt);
  ASSERT_EQ(end_of(receipt->id), "succeeded");
  for (const Begun& begun : seen.take_all(std::chrono::microseconds{0})) EXPECT_FALSE(begun.trace);
  const auto view = client->get(receipt->id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->trace_id() + view->labels, "");
  for (const auto& event : view->events) EXPECT_EQ(event.span_id, "");
  const auto lines = about(read_log(broker.log()), "task retried", receipt->id);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines.begin()->second.contains("trace_id"));
}

TEST_F(Traces, AreRefusedWhereTheyAreMalformed) {
  client::Order order{.pipeline = "traced", .payload = "x"};
  order.traceparent = "00-nonsense";
  const auto refused = client->submit(order);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kMalformed);
  EXPECT_EQ(refused.error().reason, "trace");
  order.traceparent.clear();
  order.labels = R"({"tracestate":"mine"})";
  const auto label = client->submit(order);
  ASSERT_FALSE(label);
  EXPECT_EQ(label.error().reason, "trace");
}

TEST(LogChecker, FlagsWhatIsNoLine) {
  const std::string good =
      R"({"time":"T","level":"info","message":"m","order":"o","attempt":1,"trace_id":")" +
      kTraceId + R"(","span_id":")" + kParentId + "\"}";
  EXPECT_EQ(problem_of(good), "");
  EXPECT_EQ(problem_of(good + good), "is no JSON object");
  EXPECT_EQ(problem_of("2026-01-01 info m"), "is no JSON object");
  EXPECT_EQ(problem_of(R"({"level":"info","message":"m"})"), "has no time");
  EXPECT_EQ(problem_of(R"({"time":"T","level":"loud","message":"m"})"), "has a level that is none");
  EXPECT_EQ(problem_of(R"({"time":"T","level":"info","message":"m","attempt":1})"),
            "has an attempt, and does not say of what");
  EXPECT_EQ(problem_of(R"({"time":"T","level":"info","message":"m","span_id":"00"})"),
            "has a span without a trace");
  EXPECT_EQ(problem_of(R"({"time":"T","level":"info","message":"m","trace_id":"00"})"),
            "trace_id is none");
  EXPECT_EQ(problem_of(R"({"time":"T","level":"info","message":"the-card-number"})"),
            "shows a payload or a result");
}

}  // namespace
}  // namespace ordo::testing
