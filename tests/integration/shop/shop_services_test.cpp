// The services of the shop as a program: HTTP, faults, ledgers that survive kill -9, callbacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/http_get.hpp"
#include "base/http_server.hpp"
#include "examples/shop/call.hpp"
#include "examples/shop/line_file.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using namespace std::chrono_literals;
using shop::Json;

struct Said {
  int status = 0;  ///< 0: no whole answer
  Json body;
};

class ShopServices : public ::testing::Test {
 protected:
  ShopServices() : folder_(temporary_folder("shop")) {}
  ~ShopServices() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::remove(log());
  }

  void start(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--ledgers", folder_, "--time-scale", "0"});
    std::filesystem::remove(log());
    auto child = ChildProcess::start(
        {.program = program_path("ordo-shop-services"), .arguments = flags, .log = log()});
    ASSERT_TRUE(child) << child.error().message;
    process_ = std::move(*child);
    ASSERT_TRUE(wait_until(20s, [&] {
      const std::string text = read_file(log());
      return text.find('\n') != std::string::npos || !process_->is_running();
    }));
    const Json line = Json::parse(read_file(log()), nullptr, false);
    ASSERT_TRUE(line.is_object()) << read_file(log());
    // Callers of a test's threads read it.
    if (address_ != line["http"]) address_ = line["http"];
  }
  Said post(const std::string& path, const Json& body = Json::object(), const std::string& key = {},
            Millis patience = 5000ms) const {
    HttpBody post{.body = body.is_null() ? "" : body.dump()};
    if (!key.empty()) post.headers.emplace_back("Idempotency-Key", key);
    const auto reply = http_post(address_ + path, post, patience);
    if (!reply) return {};
    return {reply->status, Json::parse(reply->body, nullptr, false)};
  }
  /// Whether so many calls wait for the riders' answer.
  bool are_waiting(int calls) {
    const std::string line = "shop_pending_calls{service=\"riders\"} " + std::to_string(calls);
    const auto reply = http_get(address_ + "/metrics");
    return reply && reply->body.find(line + "\n") != std::string::npos;
  }
  /// A call that reached the riders and got no answer in time.
  void hang_once() {
    std::thread call(
        [&] { EXPECT_EQ(post("/riders/dispatch", {}, "a/d/0/forward", 2s).status, 0); });
    EXPECT_TRUE(wait_until(5s, [&] { return are_waiting(1); }));
    call.join();
  }
  [[nodiscard]] Json get(const std::string& path) const {
    const auto reply = http_get(address_ + path, 5000ms);
    return reply ? Json::parse(reply->body, nullptr, false) : Json();
  }
  [[nodiscard]] Json service(const std::string& name) const {
    return get("/ledger")["services"][name];
  }
  void tell(const Json& fault) const { EXPECT_EQ(post("/fault", fault).status, 200); }
  [[nodiscard]] std::string log() const { return folder_ + ".log"; }
  /// Of a ledger on disk, line by line.
  [[nodiscard]] std::vector<Json> lines(const std::string& name) const {
    std::vector<Json> found;
    const auto all = shop::read_lines(folder_ + '/' + name + ".ledger");
    for (const std::string& line : *all) found.push_back(Json::parse(line));
    return found;
  }

  std::string folder_, address_;
  std::optional<ChildProcess> process_;
};

TEST_F(ShopServices, AnswerOverHttpAsTheirStatusesSay) {
  start({"--no-failures", "--quantity", "1"});
  const Said first = post("/stock/reserve", {{"sku", "x"}}, "a/r/0/forward");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body["left"], 0);
  EXPECT_EQ(first.body["is_repeat"], false);
  EXPECT_EQ(post("/stock/reserve", {{"sku", "x"}}, "a/r/0/forward").body["is_repeat"], true);
  const Said none = post("/stock/reserve", {{"sku", "x"}}, "b/r/0/forward");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(none.body["error"]["reason"], "sold_out");
  EXPECT_EQ(post("/stock/confirm", {}, "a/r/0/forward").status, 409);
  EXPECT_EQ(post("/stock/sell", {}, "a/r/0/forward").status, 404);
  EXPECT_EQ(post("/shop/reserve", {}, "a/r/0/forward").status, 404);
  EXPECT_EQ(post("/stock/reserve", {}).status, 400);
  EXPECT_EQ(post("/stock/reserve", Json::array(), "c/r/0/forward").status, 400);
  EXPECT_EQ(post("/fault", {{"service", "nobody"}, {"mode", "down"}}).status, 404);
  EXPECT_EQ(post("/fault", {{"service", "stock"}, {"mode", "odd"}}).status, 400);
  EXPECT_EQ(http_get(address_ + "/livez")->status, 200);
  EXPECT_THAT(http_get(address_ + "/metrics")->body,
              ::testing::HasSubstr(R"(shop_calls_total{service="stock",outcome="done"} 2)"));
  EXPECT_EQ(process_->stop(), 0);
}

TEST_F(ShopServices, SufferFromWhatTheyAreTold) {
  start({"--no-failures"});
  tell({{"service", "supplier"}, {"mode", "down"}});
  EXPECT_EQ(post("/supplier/issue", {}, "a/i/0/forward").status, 503);
  EXPECT_EQ(post("/stock/reserve", {}, "a/r/0/forward").status, 200);
  EXPECT_EQ(get("/fault")["faults"].size(), 1U);

  tell({{"service", "supplier"}, {"mode", "lose"}});
  EXPECT_EQ(post("/supplier/issue", {}, "a/i/0/forward").status, 0) << "the reply is lost";
  EXPECT_EQ(service("supplier")["done"], 1) << "the effect is not";
  tell({{"service", "supplier"}, {"mode", "none"}});
  EXPECT_EQ(post("/supplier/issue", {}, "a/i/0/forward").body["is_repeat"], true);

  // A fault with an end of its own.
  tell({{"service", "supplier"}, {"mode", "down"}, {"for_ms", 150}});
  EXPECT_EQ(post("/supplier/issue", {}, "b/i/0/forward").status, 503);
  EXPECT_TRUE(
      wait_until(5s, [&] { return post("/supplier/issue", {}, "b/i/0/forward").status == 200; }));
}

TEST_F(ShopServices, HangAloneAndMayHaveTheirEffectAfterTheCallerGaveUp) {
  start({"--no-failures"});
  tell({{"service", "riders"}, {"mode", "hung"}});
  hang_once();
  // More callers than a service keeps waiting: the others do not notice.
  std::vector<std::thread> callers;
  std::atomic<int> busy{0};
  for (int i = 0; i < 160; ++i) {
    callers.emplace_back([&, i] {
      const std::string key = "h" + std::to_string(i) + "/d/0/forward";
      if (post("/riders/dispatch", {}, key, 60s).status == 503) ++busy;
    });
  }
  EXPECT_TRUE(wait_until(30s, [&] { return are_waiting(128) && busy > 0; })) << busy;
  const Steady before = steady_now();
  EXPECT_EQ(post("/ledger/post", {{"amount", 1}}, "a/p/0/forward").status, 200);
  EXPECT_LT(steady_now() - before, Seconds{3});
  EXPECT_EQ(service("riders")["done"], 0);
  tell({{"service", "riders"}, {"mode", "none"}});
  for (auto& caller : callers) caller.join();
  EXPECT_TRUE(wait_until(10s, [&] { return service("riders")["done"] >= 128; }))
      << service("riders") << busy;
}

TEST_F(ShopServices, RefuseALateEffectThatWasUndoneMeanwhile) {
  start({"--no-failures"});
  tell({{"service", "riders"}, {"mode", "hung"}});
  hang_once();
  std::thread undo([&] { post("/riders/recall", {}, "a/d/0/compensate", 20'000ms); });
  tell({{"service", "riders"}, {"mode", "none"}});
  undo.join();
  EXPECT_TRUE(wait_until(10s, [&] {
    const Json riders = service("riders");
    return riders["done"].get<int>() + riders["refused"].get<int>() == 2;
  }));
  EXPECT_EQ(service("riders")["sums"]["open"], 0) << "whichever of the two came first";
}

TEST_F(ShopServices, KeepTheirLedgersThroughKill9) {
  start({"--no-failures"});
  std::atomic<int> sent{0};
  std::atomic<bool> is_over{false};
  std::mutex mutex;
  std::set<std::string> told;  // effects that were answered
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&] {
      while (!is_over) {
        const std::string order = "o" + std::to_string(++sent);
        const std::string key = order + "/r/0/forward";
        // The same key until somebody answers, as a worker does.
        while (!is_over && post("/stock/reserve", {{"sku", "x"}}, key, 500ms).status != 200) {
        }
        if (is_over) return;
        const std::lock_guard lock(mutex);
        told.insert(key);
      }
    });
  }
  const auto told_count = [&] {
    const std::lock_guard lock(mutex);
    return told.size();
  };
  for (int kill = 0; kill < 3; ++kill) {
    const std::size_t before = told_count();
    EXPECT_TRUE(wait_until(30s, [&] { return told_count() > before + 200; }));
    process_->kill9();
    // On the same port, so that callers find it again.
    start({"--no-failures", "--port", address_.substr(address_.rfind(':') + 1)});
  }
  is_over = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(process_->stop(), 0);
  std::map<std::string, int> times;
  for (const Json& line : lines("stock")) ++times[line["key"]];
  for (const auto& [key, count] : times) EXPECT_EQ(count, 1) << key;
  for (const std::string& key : told) EXPECT_TRUE(times.contains(key)) << key;
}

TEST_F(ShopServices, TellWhoPaidUntilItIsTaken) {
  // A shop that takes every callback at the third time.
  HttpServer shop({.requests_per_connection = 1, .body_bytes = 65'536});
  std::mutex mutex;
  std::map<std::string, int> seen, taken;
  shop.route("POST", "/callback", [&](const HttpRequest& request) {
    const Json body = Json::parse(request.body);
    EXPECT_EQ(body["signal"], "paid");
    EXPECT_EQ(body["payload"]["amount"], 9.5);
    EXPECT_EQ(body["payload"]["customer"], "ann");
    EXPECT_EQ(request.header("Idempotency-Key"), body["dedup"]);
    const std::lock_guard lock(mutex);
    const bool is_taken = ++seen[body["order"]] >= 3;
    if (is_taken) ++taken[body["order"]];
    return HttpAnswer{is_taken ? 200 : 503, "text/plain", ""};
  });
  ASSERT_TRUE(shop.start("127.0.0.1", 0));
  const std::vector<std::string> flags{"--no-failures", "--callback-scale", "0.0005", "--callbacks",
                                       shop.endpoint() + "/callback"};
  start(flags);
  constexpr int kOrders = 200;
  for (int i = 0; i < kOrders; ++i) {
    const std::string order = "o" + std::to_string(i);
    const Json body{{"amount", 9.5}, {"pipeline", "digital"}, {"attach", {{"customer", "ann"}}}};
    EXPECT_EQ(post("/payments/pay", body, order + "/pay/0/customer").status, 200);
    if (i != kOrders / 2) continue;
    process_->kill9();  // what was promised is kept
    start(flags);
  }
  ASSERT_TRUE(wait_until(60s, [&] { return get("/ledger")["callbacks"]["scheduled"] == 0; }));
  const Json payments = service("payments")["sums"];
  const std::lock_guard lock(mutex);
  const std::size_t paid = payments["paid"].get<std::size_t>() / 950;
  EXPECT_EQ(payments["open"].get<std::size_t>() + paid, std::size_t{kOrders});
  EXPECT_GT(paid, kOrders * 80U / 100);
  EXPECT_LT(paid, std::size_t{kOrders}) << "some never pay";
  EXPECT_LE(taken.size(), paid) << "some pay and nobody is told";
  EXPECT_GE(taken.size() + 8, paid);
}

TEST_F(ShopServices, EndWithACodeThatSaysWhatIsWrong) {
  const auto code = [&](const std::vector<std::string>& flags) {
    auto child = ChildProcess::start(
        {.program = program_path("ordo-shop-services"), .arguments = flags, .log = log()});
    return child ? child->wait(20s) : std::nullopt;
  };
  EXPECT_EQ(code({}), 2);
  EXPECT_EQ(code({"--ledgers", folder_, "--time-scale", "-1"}), 2);
  EXPECT_EQ(code({"--ledgers", folder_, "--callbacks", "ftp://x"}), 71);
  EXPECT_EQ(code({"--ledgers", "/proc/none"}), 71);
  EXPECT_EQ(code({"--help"}), 0);
  start();
  EXPECT_EQ(code({"--ledgers", folder_ + "2", "--port", address_.substr(address_.rfind(':') + 1)}),
            71);
  std::filesystem::remove_all(folder_ + "2");
}

}  // namespace
}  // namespace ordo::testing
