// Calls of a real service over real sockets: what it gets, and what becomes of everything that it
// may do.
#include "worker/executor/http_caller.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <set>

#include "tests/support/process_files.hpp"
#include "tests/support/rough_service.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/executor/attempt.hpp"
#include "worker/executor/signature.hpp"

namespace ordo::executor {
namespace {

using ordo::testing::RoughService;
using ordo::testing::wait_until;
using Kind = TaskOutcome::Kind;
using Then = RoughService::Answer::Then;

/// A step that calls `service`; `more` are keys of the step, `its` of the service.
Config calling(const std::string& url, const std::string& more = {}, const std::string& its = {}) {
  return config_of("services:\n  bank: { url: \"" + url + "\"" + its +
                   " }\nsteps:\n  charge: { service: bank, path: /charge" + more + " }\n");
}

TEST(HttpCaller, SendsTheTaskAndBringsTheAnswer) {
  RoughService bank([](const auto&) {
    return RoughService::answer(200, "paid", {{"Ordo-Context", R"({"paid":true})"}});
  });
  const Executor executor(calling(bank.url() + "/v1"));
  const TaskOutcome outcome =
      attempt(executor, {.pipeline = "shop",
                         .step = "charge",
                         .payload = "{\"cents\":5}",
                         .attempt = 2,
                         .is_maybe = true,
                         .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                         .tracestate = "vendor=1"});
  EXPECT_EQ(outcome.kind, Kind::kSucceeded) << outcome.error;
  EXPECT_EQ(outcome.result, "paid");
  EXPECT_EQ(outcome.context, R"({"paid":true})");
  ASSERT_EQ(bank.count(), 1U);
  const auto request = bank.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/charge");
  const auto& headers = request.headers;
  EXPECT_EQ(headers.at("idempotency-key"), headers.at("ordo-order") + "/charge/0/forward");
  EXPECT_EQ(headers.at("ordo-step"), "charge");
  EXPECT_EQ(headers.at("ordo-attempt"), "2");
  EXPECT_EQ(headers.at("ordo-maybe"), "true");
  EXPECT_EQ(headers.at("content-type"), "application/json");
  EXPECT_EQ(headers.at("traceparent").substr(0, 35), "00-0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(headers.at("tracestate"), "vendor=1");
  EXPECT_EQ(headers.count("expect"), 0U);
  EXPECT_EQ(headers.count("ordo-signature"), 0U);
  EXPECT_NE(request.body.find("\"payload\":{\"cents\":5}"), std::string::npos) << request.body;
}

TEST(HttpCaller, SendsThePayloadAsItIsWhereToldTo) {
  RoughService bank([](const auto&) { return RoughService::answer(204); });
  const Executor raw(calling(bank.url(), ", body: payload, method: PATCH"));
  std::string payload = "\x01two\r\n\r\nthree";
  payload += '\0';
  EXPECT_EQ(attempt(raw, {.payload = payload}).kind, Kind::kSucceeded);
  const Executor get(calling(bank.url(), ", method: GET"));
  EXPECT_EQ(attempt(get, {.payload = payload}).kind, Kind::kSucceeded);
  const Executor large(calling(bank.url(), ", body: payload"));
  EXPECT_EQ(attempt(large, {.payload = std::string(1 << 20, 'x')}).kind, Kind::kSucceeded);
  const auto requests = bank.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].method, "PATCH");
  EXPECT_EQ(requests[0].body, payload);
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/octet-stream");
  EXPECT_EQ(requests[1].method, "GET");
  EXPECT_EQ(requests[1].body, "");
  EXPECT_EQ(requests[1].headers.count("content-type"), 0U);
  EXPECT_EQ(requests[2].body.size(), std::size_t{1} << 20);
}

TEST(HttpCaller, SendsHeadersOfServiceAndStepAndSigns) {
  const std::string folder = ordo::testing::temporary_folder("executor-sign");
  const std::string path = folder + "/key";
  std::ofstream(path) << "0123456789abcdef\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  RoughService bank([](const auto&) { return RoughService::answer(200); });
  const Executor executor(
      calling(bank.url(), ", headers: { X-Two: b }", ", headers: { X-One: a }, sign: " + path));
  EXPECT_EQ(attempt(executor, {.step = "charge", .payload = "1"}).kind, Kind::kSucceeded);
  const auto request = bank.requests().at(0);
  EXPECT_EQ(request.headers.at("x-one"), "a");
  EXPECT_EQ(request.headers.at("x-two"), "b");
  const std::string signature = request.headers.at("ordo-signature");
  const std::int64_t seconds = std::stoll(signature.substr(2));
  EXPECT_EQ(signature,
            sign({seconds, "POST", "/charge", request.headers.at("idempotency-key"), request.body},
                 {"0123456789abcdef"}));
  EXPECT_LT(std::abs(seconds - std::time(nullptr)), 60);
  std::filesystem::remove_all(folder);
}

TEST(HttpCaller, KeepsItsConnection) {
  RoughService bank([](const auto&) { return RoughService::answer(200, "again"); });
  const Executor executor(calling(bank.url()));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt(executor).kind, Kind::kSucceeded);
  std::set<std::size_t> connections;
  for (const auto& request : bank.requests()) connections.insert(request.connection);
  EXPECT_EQ(connections.size(), 1U);
}

TEST(HttpCaller, TriesNothingAgainByItself) {
  // The second request on a kept connection is read, and the connection closed without a word: a
  // client that believes it was never read would send it once more.
  RoughService bank([answered = 0](const auto&) mutable {
    if (++answered == 2) return RoughService::Answer{"", Then::kClose};
    return RoughService::answer(200);
  });
  const Executor executor(calling(bank.url()));
  EXPECT_EQ(attempt(executor).kind, Kind::kSucceeded);
  const TaskOutcome second = attempt(executor);
  EXPECT_EQ(second.kind, Kind::kUnknown) << "it may have acted";
  EXPECT_EQ(second.error, "bank closed the connection without an answer");
  EXPECT_EQ(bank.count(), 2U);
  EXPECT_EQ(attempt(executor).kind, Kind::kSucceeded)
      << "the next call has a connection of its own";
}

TEST(HttpCaller, FollowsNoRedirect) {
  RoughService elsewhere([](const auto&) { return RoughService::answer(200, "caught"); });
  RoughService bank([&](const auto&) {
    return RoughService::answer(307, "", {{"Location", elsewhere.url() + "/"}});
  });
  const TaskOutcome outcome = attempt(Executor(calling(bank.url())));
  EXPECT_EQ(outcome.kind, Kind::kTransient);
  EXPECT_EQ(outcome.error, "bank answered 307 (redirects are not followed)");
  EXPECT_EQ(elsewhere.count(), 0U);
}

TEST(HttpCaller, TakesNoMoreThanItsBound) {
  RoughService bank([](const auto& request) {
    if (request.target == "/headers") {
      return RoughService::answer(
          200, "", {{"X-Long", std::string(60'000, 'x')}, {"X-Longer", std::string(60'000, 'x')}});
    }
    return RoughService::answer(200, std::string(1001, 'x'));
  });
  EXPECT_EQ(attempt(Executor(calling(bank.url(), ", answer_bytes: 1001"))).result.size(), 1001U);
  const TaskOutcome over = attempt(Executor(calling(bank.url(), ", answer_bytes: 1000")));
  EXPECT_EQ(over.kind, Kind::kUnknown);
  EXPECT_EQ(over.error, "bank sent more than 1000 bytes");
  const Executor headers(config_of("services:\n  bank: { url: \"" + bank.url() +
                                   "\" }\nsteps:\n  c: { service: bank, path: /headers }\n"));
  EXPECT_EQ(attempt(headers).error, "bank sent more than 65536 bytes of headers");
}

TEST(HttpCaller, DoesNotKnowWhatBecameOfACallThatIsCutOff) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
  for (const std::string& part : {std::string("HTTP"), std::string("HTTP/1.1 200 OK\r\n"),
                                  std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
                                  std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
                                  chunked, std::string("HTTP/1.1 100 Continue\r\n\r\n"),
                                  std::string("HTTP/1.1 200 OK\r\n\r\nall, or half?")}) {
    RoughService bank([&](const auto&) { return RoughService::Answer{part, Then::kClose}; });
    EXPECT_EQ(attempt(Executor(calling(bank.url()))).kind, Kind::kUnknown) << part;
    EXPECT_EQ(bank.count(), 1U) << part;
  }
  RoughService whole([&](const auto&) {
    return RoughService::Answer{"HTTP/1.1 100 Continue\r\n\r\n" + chunked + "0\r\n\r\n"};
  });
  EXPECT_EQ(attempt(Executor(calling(whole.url()))).result, "half");
}

TEST(HttpCaller, EndsACallAtItsTimeout) {
  for (const Then then : {Then::kHang, Then::kDrip}) {
    RoughService bank([&](const auto&) {
      return RoughService::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", then};
    });
    const TaskOutcome outcome = attempt(Executor(calling(bank.url(), ", timeout: 100ms")));
    EXPECT_EQ(outcome.kind, Kind::kUnknown);
    EXPECT_EQ(outcome.error, "bank did not answer within its timeout");
    EXPECT_TRUE(wait_until(5s, [&] { return bank.given_up() == 1; }));
  }
}

TEST(HttpCaller, KnowsThatNothingWasDoneWhereItFoundNobody) {
  std::string url;
  {
    RoughService gone([](const auto&) { return RoughService::answer(200); });
    url = gone.url();
  }
  const TaskOutcome refused = attempt(Executor(calling(url)));
  EXPECT_EQ(refused.kind, Kind::kTransient);
  EXPECT_NE(refused.error.find("bank could not be called ("), std::string::npos) << refused.error;
  const TaskOutcome nameless =
      attempt(Executor(calling("http://no-such-host.invalid", "", ", connect_timeout: 500ms")));
  EXPECT_EQ(nameless.kind, Kind::kTransient);
  RoughService plain([](const auto&) { return RoughService::answer(200); });
  const TaskOutcome no_tls = attempt(Executor(calling("https" + plain.url().substr(4))));
  EXPECT_EQ(no_tls.kind, Kind::kTransient) << "no handshake, so no request";
}

TEST(HttpCaller, IgnoresTheProxyOfTheEnvironmentAndTakesThatOfTheFile) {
  RoughService proxy([](const auto&) { return RoughService::answer(200, "proxy"); });
  RoughService bank([](const auto&) { return RoughService::answer(200, "bank"); });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  EXPECT_EQ(attempt(Executor(calling(bank.url()))).result, "bank");
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  ::setenv("no_proxy", "*", 1);
  EXPECT_EQ(attempt(Executor(calling(bank.url(), "", ", proxy: \"" + proxy.url() + "\""))).result,
            "proxy");
  ::unsetenv("no_proxy");
}

TEST(HttpCaller, SendsTheKeyOfTheTaskAgainOnTheNextAttempt) {
  RoughService bank([](const auto& request) {
    return RoughService::answer(request.headers.at("ordo-attempt") == "1" ? 503 : 200);
  });
  const Executor executor(calling(bank.url()));
  testkit::TestTask task{.step = "charge", .payload = "1"};
  EXPECT_EQ(attempt(executor, task).kind, Kind::kTransient);
  task.attempt = 2;
  EXPECT_EQ(attempt(executor, task).kind, Kind::kSucceeded);
  const auto requests = bank.requests();
  EXPECT_EQ(requests[0].headers.at("idempotency-key"), requests[1].headers.at("idempotency-key"));
}

TEST(HttpCaller, CountsWhatBecameOfItsCalls) {
  RoughService bank([](const auto& request) {
    return RoughService::answer(request.body.find("\"payload\":200") != std::string::npos ? 200
                                                                                          : 422);
  });
  const Executor executor(calling(bank.url(), "", ", in_flight: 7"));
  attempt(executor, {.payload = "200"});
  attempt(executor, {.payload = "422"});
  attempt(executor, {.payload = "422"});
  const std::string text = executor.metrics();
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != text.npos; };
  const std::string its = R"({kind="service",name="bank")";
  EXPECT_TRUE(has("ordo_executor_calls_total" + its + ",outcome=\"succeeded\"} 1")) << text;
  EXPECT_TRUE(has("ordo_executor_calls_total" + its + ",outcome=\"permanent\"} 2"));
  EXPECT_TRUE(has("ordo_executor_calls_total" + its + ",outcome=\"cancelled\"} 0"));
  EXPECT_TRUE(has("ordo_executor_call_seconds_count" + its + "} 3"));
  EXPECT_TRUE(has("ordo_executor_in_flight" + its + "} 0"));
  EXPECT_TRUE(has("ordo_executor_places" + its + "} 7"));
  EXPECT_TRUE(has("ordo_executor_full_total" + its + "} 0"));
}

}  // namespace
}  // namespace ordo::executor
