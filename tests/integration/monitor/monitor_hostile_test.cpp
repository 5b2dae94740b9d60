// What strangers may send to ordo-monitor, and what starts it wrongly: it answers, and goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "tests/integration/monitor/monitor_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using ::testing::HasSubstr;
using std::chrono_literals::operator""s;

class MonitorHostile : public ::testing::Test {
 protected:
  /// Brokers that nobody is: what is asked here needs none.
  MonitorHostile() : monitor({"--brokers", "127.0.0.1:1", "--endpoint", "127.0.0.1:1"}) {}
  ~MonitorHostile() override {
    EXPECT_EQ(monitor.get("/api/v1/me").status, 200);
    EXPECT_EQ(monitor.process().stop(), 0) << monitor.log();
  }
  HttpSaid get(const std::string& path, const std::string& headers) {
    return monitor.raw("GET " + path + " HTTP/1.1\r\n" + headers + "\r\n");
  }
  std::string host() const { return "Host: " + monitor.address() + "\r\n"; }
  static std::string bearer() {
    return "Authorization: Bearer " + MonitorProcess::kOperator + "\r\n";
  }
  MonitorProcess monitor;
};

TEST_F(MonitorHostile, OnlyItsOwnNamesAreAnswered) {
  const std::string port = monitor.address().substr(monitor.address().find(':'));
  for (const std::string& name : std::vector<std::string>{"127.0.0.1" + port, "localhost" + port,
                                                          "LOCALHOST", "[::1]" + port}) {
    EXPECT_EQ(get("/api/v1/me", "Host: " + name + "\r\n" + bearer()).status, 200) << name;
  }
  for (const std::string& name :
       std::vector<std::string>{"evil.example" + port, "127.0.0.1.evil.example", "", "::1"}) {
    const HttpSaid said = get("/api/v1/me", "Host: " + name + "\r\n" + bearer());
    EXPECT_EQ(said.status, 403) << name;
    EXPECT_EQ(said.reason(), "host") << name;
  }
  EXPECT_EQ(get("/", "Host: evil.example\r\n").status, 403);
  EXPECT_EQ(get("/metrics", bearer()).status, 403);
}

TEST_F(MonitorHostile, NoFileBesideThePageIsServed) {
  for (const char* const path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd",
        "/%00", "/.", "/tokens", "/api/../tokens", "/%ff%fe", "/a%0d%0aX-Evil:%20yes"}) {
    const HttpSaid said = get(path, host());
    EXPECT_TRUE(said.status == 404 || said.status == 400 || said.status == 401)
        << path << " " << said.status;
    EXPECT_THAT(said.head, ::testing::Not(HasSubstr("X-Evil")));
    EXPECT_THAT(said.body, ::testing::Not(HasSubstr("root:")));
  }
}

TEST_F(MonitorHostile, HugeHeadersPathsAndBodiesAreSentAway) {
  EXPECT_EQ(get("/api/v1/me", host() + "X: " + std::string(1u << 20, 'x') + "\r\n").status, 400);
  EXPECT_EQ(get("/" + std::string(100'000, 'a'), host()).status, 414);
  const std::string post = "POST /api/v1/queues/a/pause HTTP/1.1\r\n" + host() + bearer() +
                           "Content-Type: application/json\r\n";
  const std::string most(64u << 10, ' ');
  EXPECT_EQ(monitor.raw(post + "Content-Length: 65536\r\n\r\n" + most).reason(), "json");
  EXPECT_EQ(monitor.raw(post + "Content-Length: 65537\r\n\r\n" + most + " ").status, 413);
  EXPECT_EQ(monitor.raw(post + "Content-Length: 999999999999\r\n\r\n").status, 413);
  EXPECT_EQ(monitor.raw(post + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n").status,
            411);
  EXPECT_EQ(monitor.raw("rubbish\r\n\r\n").status, 400);
}

TEST_F(MonitorHostile, DeepAndBrokenJsonIsRefused) {
  const std::string path = "/api/v1/bulk";
  const auto post = [&](const std::string& body) {
    return monitor.raw("POST " + path + " HTTP/1.1\r\n" + host() + bearer() +
                       "Content-Type: application/json; charset=utf-8\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_EQ(post(std::string(60'000, '[')).status, 400);
  EXPECT_EQ(post(std::string(30'000, '[') + std::string(30'000, ']')).status, 400);
  EXPECT_EQ(post("{\"why\":\"\xff\"}").status, 400);
  EXPECT_EQ(post("{\"why\":\"a\\u0000b\"}").status, 400);
  EXPECT_EQ(post("").status, 400);
}

TEST_F(MonitorHostile, GuessersWaitAndWhoIsKnownDoesNot) {
  int slowed = 0;
  for (int i = 0; i < 30; ++i) {
    const HttpSaid said = monitor.get("/api/v1/me", std::string(43, 'g'));
    slowed += said.status == 429 ? 1 : 0;
    EXPECT_EQ(said.head.find("Retry-After") != std::string::npos, said.status == 429);
    EXPECT_TRUE(said.status == 401 || said.status == 429) << said.status;
  }
  EXPECT_EQ(slowed, 10);
  EXPECT_EQ(monitor.get("/api/v1/me").status, 200);
  EXPECT_EQ(monitor.get("/api/v1/me", std::nullopt).status, 401);
}

TEST_F(MonitorHostile, ThePageComesWithItsPolicyAndIsKept) {
  const HttpSaid page = get("/", host() + "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(page.status, 200);
  for (const char* const header :
       {"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
        "'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
        "'none'\r\n",
        "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n"}) {
    EXPECT_THAT(page.head, HasSubstr(header));
  }
  const std::size_t at = page.head.find("ETag: ") + 6;
  const std::string tag = page.head.substr(at, page.head.find("\r\n", at) - at);
  const HttpSaid again = get("/", host() + "If-None-Match: " + tag + "\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  EXPECT_THAT(monitor.get("/api/v1/me").head, HasSubstr("Cache-Control: no-store\r\n"));
}

TEST_F(MonitorHostile, WhoHangsDoesNotKeepOthersOut) {
  // More silent connections than threads: each is given up after a moment.
  std::vector<int> sockets;
  for (int i = 0; i < 40; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const std::string to = monitor.address();
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(to.substr(to.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    sockets.push_back(socket);
  }
  EXPECT_TRUE(wait_until(20s, [&] { return monitor.get("/livez", std::nullopt).status == 200; }));
  for (const int socket : sockets) ::close(socket);
}

TEST_F(MonitorHostile, TheColoursAreAnsweredWhileTheDeskWaits) {
  // Each of these waits its two seconds for a broker that is not there.
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 30; ++i) {
    waiting.push_back(
        std::async(std::launch::async, [&] { return monitor.get("/api/v1/queues").status; }));
  }
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(monitor.get("/api/v1/health").status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  for (auto& one : waiting) EXPECT_EQ(one.get(), 503);
}

TEST(MonitorProgram, SaysWhatIsWrongAndEnds) {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string none = folder / "ordo-no-such-file";
  struct Case {
    std::vector<std::string> arguments;
    int code;
    const char* said;
  };
  for (const Case& one :
       {Case{{"--help"}, 0, "Examples:"}, Case{{"--version"}, 0, "ordo-monitor "},
        Case{{}, 2, "tokens is missing"}, Case{{"--tokens", none}, 71, "cannot read token file"},
        Case{{"--tokens", none, "--listen-http", "0.0.0.0:0"}, 2, "open-http"},
        Case{{"--tokens", none, "--brokers", "https://a"}, 2, "http://host:port"},
        Case{{"--tokens", none, "--broker-key", none}, 2, "key_file"},
        Case{{"--unknown"}, 2, "--unknown"}, Case{{"token", "--name", "a"}, 2, "--file"},
        Case{{"token", "--name", "a", "--role", "boss", "--file", none}, 2, "boss"},
        Case{{"token", "--name", "a b", "--file", none}, 2, "a name is"}}) {
    const auto [code, said] = run_monitor(one.arguments);
    EXPECT_EQ(code, one.code) << said;
    EXPECT_THAT(said, HasSubstr(one.said));
  }
  EXPECT_FALSE(std::filesystem::exists(none));
}

}  // namespace
}  // namespace ordo::testing
