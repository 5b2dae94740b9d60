// The tables of docs/monitor.md: each path asked of a real monitor as nobody, as observer and as
// operator, and compared with what the program registers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "ordo/client.hpp"
#include "tests/integration/broker/keyed_broker.hpp"
#include "tests/integration/monitor/monitor_process.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using Path = std::pair<std::string, std::string>;  // method, path

std::set<Path> matches(const std::string& text, const std::regex& pattern,
                       const std::string& method) {
  std::set<Path> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern);
       it != std::sregex_iterator(); ++it) {
    found.emplace(method, "/api/v1/" + (*it)[1].str());
  }
  return found;
}

std::set<Path> documented() {
  const std::string text = read_file("docs/monitor.md");
  auto all = matches(text, std::regex("\n\\| `GET /api/v1/([^`?]+)`"), "GET");
  all.merge(matches(text, std::regex("\n\\| `POST /api/v1/([^`?]+)`"), "POST"));
  return all;
}

/// The same from the source, with the document's words for what varies.
std::set<Path> registered() {
  std::string text = read_file("monitoring/monitor/monitor.cpp");
  auto all = matches(text, std::regex("\\b(?:read|ask)\\(\\s*\"([^\"]+)\""), "GET");
  all.merge(matches(text, std::regex("\\b(?:act|plain)\\(\\s*\"([^\"]+)\""), "POST"));
  std::set<Path> named;
  for (auto [method, path] : all) {
    for (const char* const word : {"id", "step", "branch", "name"}) {
      std::string upper = word;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      path = std::regex_replace(path, std::regex("\\{" + std::string(word) + "\\}"), upper);
    }
    named.emplace(method, path);
  }
  return named;
}

class MonitorRights : public ::testing::Test {
 protected:
  MonitorRights()
      : monitor({"--brokers", keyed.broker->endpoints().http, "--endpoint",
                 keyed.broker->endpoints().clients, "--key-file", keyed.keys.secret("operator"),
                 "--broker-key", keyed.keys.broker_public()}) {
    client::Client client(keyed.client_options("operator"));
    EXPECT_TRUE(client.put_pipeline("pipeline: one\nversion: 1\nsteps:\n  work: {}\n"));
    const auto receipt = client.submit({.pipeline = "one", .payload = "x"});
    EXPECT_TRUE(receipt);
    order = receipt ? receipt->id.to_string() : "";
  }

  std::string real(std::string path) const {
    path = std::regex_replace(path, std::regex("/ID"), "/" + order);
    path = std::regex_replace(path, std::regex("queues/NAME"), "queues/work");
    path = std::regex_replace(path, std::regex("NAME"), "one");
    path = std::regex_replace(path, std::regex("STEP/BRANCH"), "work/0");
    return path;
  }
  HttpSaid ask(const Path& path, const std::optional<std::string>& token) const {
    return path.first == "GET"
               ? monitor.get(real(path.second), token)
               : monitor.post(real(path.second), {{"verb", "retry"}, {"result", ""}}, token);
  }

  KeyedBroker keyed;
  MonitorProcess monitor;
  std::string order;
};

TEST_F(MonitorRights, TheDocumentNamesEveryPathAndNoOther) {
  EXPECT_EQ(documented(), registered());
  EXPECT_GE(documented().size(), 20u);
}

TEST_F(MonitorRights, EveryPathIsForTheRolesThatTheDocumentNames) {
  for (const Path& path : documented()) {
    const std::string what = path.first + " " + path.second;
    const bool is_action = path.first == "POST";
    for (const auto& token : {std::optional<std::string>(), std::optional(std::string(43, 'x'))}) {
      // So many wrong tokens are slowed down; then it is the same answer.
      int status = 429;
      wait_until(std::chrono::seconds{30},
                 [&] { return (status = ask(path, token).status) != 429; });
      EXPECT_EQ(status, 401) << what;
    }
    const HttpSaid observer = ask(path, MonitorProcess::kObserver);
    EXPECT_EQ(observer.reason() == "forbidden", is_action) << what << observer.body;
    EXPECT_EQ(observer.status == 403, is_action) << what << observer.body;
  }
  // Reads first: the actions change what they see.
  for (const Path& path : documented()) {
    const HttpSaid said = ask(path, MonitorProcess::kOperator);
    const std::string what = path.first + " " + path.second + ": " + said.body;
    EXPECT_NE(said.status, 0) << what;
    EXPECT_NE(said.status, 401) << what;
    EXPECT_NE(said.status, 403) << what;
    EXPECT_NE(said.status, 405) << what;
    EXPECT_NE(said.status, 500) << what;
    EXPECT_NE(said.reason(), "path") << what;
    EXPECT_FALSE(said.json().is_discarded()) << what;
  }
}

TEST_F(MonitorRights, AnActionWantsAReasonAndJson) {
  const std::string path = "/api/v1/queues/work/pause";
  for (const nlohmann::json& why : {nlohmann::json(""), nlohmann::json("  "), nlohmann::json(7),
                                    nlohmann::json(std::string(1001, 'x'))}) {
    const HttpSaid said = monitor.post(path, {{"why", why}});
    EXPECT_EQ(said.status, 400) << why;
    EXPECT_EQ(said.reason(), "why") << why;
  }
  EXPECT_EQ(monitor.post(path, nlohmann::json::array()).reason(), "json");
  EXPECT_EQ(monitor
                .raw("POST " + path + " HTTP/1.1\r\nHost: " + monitor.address() +
                     "\r\nAuthorization: Bearer " + MonitorProcess::kOperator +
                     "\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n{\"why\":\"x\"}")
                .status,
            415);
}

TEST(MonitorKey, AnObserversKeyLooksAndMayNotAct) {
  const KeyedBroker keyed;
  const MonitorProcess monitor(
      {"--brokers", keyed.broker->endpoints().http, "--endpoint", keyed.broker->endpoints().clients,
       "--key-file", keyed.keys.secret("observer"), "--broker-key", keyed.keys.broker_public()});
  EXPECT_EQ(monitor.get("/api/v1/queues").status, 200);
  const HttpSaid said = monitor.post("/api/v1/queues/work/pause");
  EXPECT_EQ(said.status, 403) << said.body;
  EXPECT_EQ(said.reason(), "forbidden");
}

}  // namespace
}  // namespace ordo::testing
