// ordo-worker as users start it: orders run through an HTTP service and a program, whatever is
// killed meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/http_get.hpp"
#include "ordo/client.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/rough_service.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using namespace std::chrono_literals;
using Then = RoughService::Answer::Then;

constexpr auto kPatience = 30s;

constexpr const char* kPipeline = R"(
pipeline: shop
version: 1
steps:
  charge: { timeout: 20s, retry: { attempts: 3, first: 10ms } }
  label:  { after: charge, timeout: 20s, retry: { attempts: 2, first: 10ms } }
)";

constexpr const char* kUndone = R"(
pipeline: undone
version: 1
steps:
  charge: { timeout: 20s, compensate: refund }
  label:  { after: charge, timeout: 20s }
)";

class ExecutorWithBroker : public ::testing::Test {
 public:
  ~ExecutorWithBroker() override { std::filesystem::remove_all(folder_); }

 protected:
  ExecutorWithBroker() : folder_(temporary_folder("executor")), broker_(database_.dsn()) {
    EXPECT_TRUE(broker_.wait_until_ready()) << broker_.log();
    client_ = std::make_unique<client::Client>(
        client::Options{.endpoints = {broker_.endpoints().clients}});
    const auto put = client_->put_pipeline(kPipeline);
    EXPECT_TRUE(put) << put.error().message;
    static_cast<void>(file("key", "0123456789abcdef0123456789abcdef\n"));
  }

  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    ::chmod((folder_ + "/" + name).c_str(), 0600);
    return folder_ + "/" + name;
  }
  /// A service at `bank`, and /bin/sh with `script`.
  [[nodiscard]] std::string config(const RoughService& bank,
                                   const std::string& script = "cat") const {
    return file("config.yaml", "services:\n  bank: { url: \"" + bank.url() +
                                   "/v1\", sign: " + folder_ + "/key }\nsteps:\n" +
                                   "  charge: { service: bank, path: /charge }\n" +
                                   "  refund: { service: bank, path: /refund }\n" +
                                   "  label: { run: [/bin/sh, -c, '" + script +
                                   "'], body: envelope, folder: " + folder_ + " }\n");
  }
  [[nodiscard]] ChildProcess start(const std::string& config) const {
    auto started = ChildProcess::start(
        {.program = program_path("ordo-worker"),
         .arguments = {"--config", config, "--broker", broker_.endpoints().workers,
                       "--drain-timeout", "10000", "--listen-http", "127.0.0.1:0"},
         .log = folder_ + "/log"});
    if (!started) give_up(started.error().message, {});
    return *std::move(started);
  }
  [[nodiscard]] std::string log() const { return read_file(folder_ + "/log"); }
  [[nodiscard]] std::string get(const std::string& path) const {
    const std::string text = log();
    const std::size_t at = text.rfind("http://127.0.0.1:");
    if (at == text.npos) return {};
    const auto reply = http_get(text.substr(at, text.find_first_of(" \n\"", at) - at) + path);
    return reply ? reply->body : std::string();
  }

  OrderId submit(const std::string& payload) {
    const auto receipt = client_->submit({.pipeline = "shop", .payload = payload});
    EXPECT_TRUE(receipt) << receipt.error().message;
    return receipt ? receipt->id : OrderId{};
  }
  std::string end_of(const OrderId& id) {
    const auto waited = client_->wait(id, {.timeout = kPatience});
    return waited ? waited->status : waited.error().message;
  }

  const std::string folder_;
  ShardDatabase database_{2};
  BrokerProcess broker_;
  std::unique_ptr<client::Client> client_;
};

TEST_F(ExecutorWithBroker, RunsAnOrderThroughAServiceAndAProgram) {
  RoughService bank([](const auto&) {
    return RoughService::answer(200, R"({"receipt":7})", {{"Ordo-Context", R"({"paid":true})"}});
  });
  auto worker = start(config(bank));
  const OrderId id = submit(R"({"cents":100})");
  ASSERT_EQ(end_of(id), "succeeded") << log();
  const auto order = client_->get(id);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).result, R"({"receipt":7})");
  // The program had what the service said.
  const auto envelope = nlohmann::json::parse(order->tasks.at(1).result, nullptr, false);
  ASSERT_TRUE(envelope.is_object()) << order->tasks.at(1).result;
  EXPECT_EQ(envelope["key"], id.to_string() + "/label/0/forward");
  EXPECT_EQ(envelope["payload"]["cents"], 100);
  EXPECT_EQ(envelope["context"]["paid"], true);
  EXPECT_EQ(envelope["results"][0]["result"]["receipt"], 7);
  const std::string metrics = get("/metrics");
  for (const char* const line :
       {R"(ordo_executor_calls_total{kind="service",name="bank",outcome="succeeded"} 1)",
        R"(ordo_executor_calls_total{kind="program",name="label",outcome="succeeded"} 1)",
        R"(ordo_worker_attempts_total{handler="charge",outcome="succeeded"} 1)"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
  }
  EXPECT_NE(get("/readyz").find("\"ready\""), std::string::npos);
  EXPECT_EQ(worker.stop(), 0);
}

TEST_F(ExecutorWithBroker, SignsAsThePythonOfTheDocumentChecks) {
  RoughService bank([](const auto&) { return RoughService::answer(200); });
  auto worker = start(config(bank));
  ASSERT_EQ(end_of(submit("\"é\"")), "succeeded") << log();
  const auto request = bank.requests().at(0);
  const nlohmann::json call{{"method", request.method},
                            {"path", request.target},
                            {"headers", request.headers},
                            {"body", request.body}};
  const std::string page = read_file("docs/executor.md");
  const std::string fence = "```python\n";
  const std::size_t from = page.find(fence);
  ASSERT_NE(from, std::string::npos);
  const std::size_t start = from + fence.size();
  const std::string program = page.substr(start, page.find("```", start) - start) + R"(
import json, sys
call = json.load(open(sys.argv[1]))
key = open(sys.argv[2], "rb").read().strip()
body = call["body"].encode()
def says(key=key, body=body, method=call["method"], now=None):
    return verify(key, method, call["path"], call["headers"], body, now)
late = time.time() + 600
print(says(), says(body=body + b" "), says(key=b"other"), says(method="PUT"), says(now=late))
)";
  const auto said =
      output_of("/usr/bin/python3",
                {file("verify.py", program), file("call.json", call.dump()), folder_ + "/key"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(*said, "True False False False False\n");
}

TEST_F(ExecutorWithBroker, ShowsTheSameKeyAgainAfterItWasKilledInTheMiddleOfACall) {
  RoughService bank([calls = 0](const auto&) mutable {
    return ++calls == 1 ? RoughService::Answer{"", Then::kHang} : RoughService::answer(200);
  });
  const std::string path = config(bank);
  auto first = start(path);
  const OrderId id = submit("1");
  ASSERT_TRUE(wait_until(kPatience, [&] { return bank.count() == 1; })) << log();
  first.kill9();
  auto second = start(path);
  ASSERT_EQ(end_of(id), "succeeded") << log();
  const auto requests = bank.requests();
  ASSERT_EQ(requests.size(), 2U);
  const std::string key = id.to_string() + "/charge/0/forward";
  EXPECT_EQ(requests[0].headers.at("idempotency-key"), key);
  EXPECT_EQ(requests[1].headers.at("idempotency-key"), key);
  EXPECT_EQ(requests[0].headers.at("ordo-maybe"), "false");
  EXPECT_EQ(requests[1].headers.at("ordo-maybe"), "true");
  EXPECT_EQ(requests[1].headers.at("ordo-attempt"), "2");
  EXPECT_EQ(second.stop(), 0);
}

TEST_F(ExecutorWithBroker, SaysMaybeAfterACallThatWasCutOff) {
  RoughService bank([calls = 0](const auto&) mutable {
    if (++calls == 1) return RoughService::Answer{"HTTP/1.1 200 OK\r\n", Then::kClose};
    return RoughService::answer(calls == 2 ? 503 : 200);
  });
  auto worker = start(config(bank));
  ASSERT_EQ(end_of(submit("1")), "succeeded") << log();
  const auto requests = bank.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].headers.at("ordo-maybe"), "false");
  EXPECT_EQ(requests[1].headers.at("ordo-maybe"), "true");
}

TEST_F(ExecutorWithBroker, SnoozesAndFailsAsTheServiceSays) {
  RoughService bank([calls = 0](const auto& request) mutable {
    if (request.body.find("\"payload\":422") != std::string::npos) {
      return RoughService::answer(422, "no such card", {{"Ordo-Reason", "card_declined"}});
    }
    return ++calls < 3 ? RoughService::answer(202, "", {{"Retry-After", "1"}})
                       : RoughService::answer(200);
  });
  auto worker = start(config(bank));
  const OrderId later = submit("1");
  const OrderId never = submit("422");
  EXPECT_EQ(end_of(never), "failed") << log();
  EXPECT_EQ(end_of(later), "succeeded") << log();
  const auto order = client_->get(never);
  ASSERT_TRUE(order);
  const bool says_why = std::any_of(
      order->events.begin(), order->events.end(),
      [](const auto& event) { return event.note.find("card_declined") != std::string::npos; });
  EXPECT_TRUE(says_why);
}

TEST_F(ExecutorWithBroker, UndoesAStepByItsOwnCallAndKey) {
  RoughService bank([](const auto&) { return RoughService::answer(200, R"({"receipt":7})"); });
  auto worker = start(config(bank, "exit 65"));
  const auto put = client_->put_pipeline(kUndone);
  ASSERT_TRUE(put) << put.error().message;
  const auto receipt = client_->submit({.pipeline = "undone", .payload = "1"});
  ASSERT_TRUE(receipt);
  ASSERT_EQ(end_of(receipt->id), "failed") << log();
  const auto requests = bank.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].target, "/v1/charge");
  EXPECT_EQ(requests[1].target, "/v1/refund");
  const std::string step = receipt->id.to_string() + "/charge/0/";
  EXPECT_EQ(requests[0].headers.at("idempotency-key"), step + "forward");
  EXPECT_EQ(requests[1].headers.at("idempotency-key"), step + "compensate");
  const auto envelope = nlohmann::json::parse(requests[1].body);
  EXPECT_EQ(envelope["kind"], "compensate");
  EXPECT_NE(requests[1].body.find("\"receipt\":7"), std::string::npos) << requests[1].body;
}

TEST_F(ExecutorWithBroker, FinishesItsCallWhenItDrains) {
  std::atomic<bool> is_open{false};
  RoughService bank([&](const auto&) {
    wait_until(kPatience, [&] { return is_open.load(); });
    return RoughService::answer(200, "late");
  });
  auto worker = start(config(bank));
  const OrderId running = submit("1");
  ASSERT_TRUE(wait_until(kPatience, [&] { return bank.count() == 1; })) << log();
  worker.signal(SIGTERM);
  ASSERT_TRUE(wait_until(kPatience, [&] {
    return get("/readyz").find("draining") != std::string::npos;
  })) << log();
  const OrderId after = submit("2");
  is_open = true;
  const auto code = worker.wait(kPatience);
  ASSERT_TRUE(code);
  EXPECT_EQ(*code, 0) << log();
  EXPECT_EQ(bank.count(), 1U) << "what came after it stays for others";
  const auto order = client_->get(running);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).state, "succeeded");
  auto next = start(config(bank));
  EXPECT_EQ(end_of(running), "succeeded") << log();
  EXPECT_EQ(end_of(after), "succeeded") << log();
  EXPECT_EQ(bank.count(), 2U) << "nothing was done twice";
}

TEST_F(ExecutorWithBroker, TakesItsProgramsAlongWhenItIsKilled) {
  RoughService bank([](const auto&) { return RoughService::answer(200); });
  auto worker = start(config(bank, "echo $$ > pid; exec sleep 1000"));
  submit("1");
  const auto pid = [&] { return read_file(folder_ + "/pid"); };
  ASSERT_TRUE(wait_until(kPatience, [&] { return pid().ends_with("\n"); })) << log();
  const pid_t program = std::stoi(pid());
  EXPECT_FALSE(has_ended(program));
  worker.kill9();
  EXPECT_TRUE(wait_until(10s, [&] { return has_ended(program); }));
}

/// What a run that ends by itself says, and its exit code.
struct Ended {
  int code = -1;
  std::string text;
};

Ended run(const std::string& folder, std::vector<std::string> arguments) {
  const std::string log = folder + "/said";
  std::filesystem::remove(log);
  auto started = ChildProcess::start(
      {.program = program_path("ordo-worker"), .arguments = std::move(arguments), .log = log});
  if (!started) give_up(started.error().message, {});
  const auto code = started->wait(kPatience);
  return {code.value_or(-1), read_file(log)};
}

TEST(ExecutorProgram, SaysWhatIsWrongWithItsConfiguration) {
  const std::string folder = temporary_folder("executor-check");
  const std::string good = folder + "/good.yaml";
  const std::string bad = folder + "/bad.yaml";
  std::ofstream(good) << "steps:\n  label: { run: [/bin/cat] }\n";
  std::ofstream(bad) << "steps:\n  label: { run: [cat] }\n  charge: { service: bank }\n";
  EXPECT_EQ(run(folder, {"check", good}).text, good + ": 1 steps, 0 services: well\n");
  EXPECT_EQ(run(folder, {"check", good}).code, 0);
  const Ended checked = run(folder, {"check", bad});
  EXPECT_EQ(checked.code, 2);
  EXPECT_EQ(checked.text, bad + ":2:18: `run` is `cat`, which is not a program that this account " +
                              "can use here: give the whole path, from /\n" + bad +
                              ":3:22: there is no service `bank`: name one of those under " +
                              "`services`\n");
  const Ended started = run(folder, {"--config", bad});
  EXPECT_EQ(started.code, 2);
  EXPECT_EQ(std::count(started.text.begin(), started.text.end(), '\n'), 1) << started.text;
  EXPECT_NE(started.text.find("(and 1 more: `ordo-worker check FILE`"), std::string::npos);
  for (const auto& [arguments, says] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{}, "no configuration"},
           {{"check"}, "takes one file"},
           {{"check", "/no/such"}, "/no/such: it cannot be read"},
           {{"--config"}, "needs a file"},
           {{"--config", good, "--slots", "0"}, "slots"},
           {{"--config", good, "--colour", "red"}, "unknown option `--colour`"}}) {
    const Ended ended = run(folder, arguments);
    EXPECT_EQ(ended.code, 2) << says;
    EXPECT_NE(ended.text.find(says), std::string::npos) << ended.text;
  }
  const Ended help = run(folder, {"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.text, ::testing::AllOf(::testing::HasSubstr("ordo-worker check FILE"),
                                          ::testing::HasSubstr("--slots N")));
  std::filesystem::remove_all(folder);
}

TEST(ExecutorProgram, TheExampleIsWell) {
  const std::string folder = temporary_folder("executor-example");
  // Its paths are those of a pod; here they lie elsewhere.
  std::string text = read_file("examples/executor/shop.yaml");
  ASSERT_FALSE(text.empty());
  for (const char* const name : {"bank-token", "bank-hmac"}) {
    const std::string path = folder + "/" + name;
    std::ofstream(path) << "0123456789abcdef0123456789abcdef\n";
    ::chmod(path.c_str(), 0600);
  }
  const std::string there = "/run/secrets/ordo/";
  for (std::size_t at = 0; (at = text.find(there, at)) != text.npos;) {
    text.replace(at, there.size(), folder + "/");
  }
  std::ofstream(folder + "/shop.yaml") << text;
  const Ended checked = run(folder, {"check", folder + "/shop.yaml"});
  EXPECT_EQ(checked.code, 0) << checked.text;
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ordo::testing
