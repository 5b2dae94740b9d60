// The worker's pages over real sockets: what is answered, what is refused, who is not waited for.
#include "worker/net/status_port.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/http_get.hpp"

namespace ordo::worker {
namespace {

/// A plain connection to a port of loopback.
class Peer {
 public:
  explicit Peer(const std::string& endpoint) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Peer() { ::close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(const std::string& bytes) {
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Everything until the other side closes.
  std::string read_all() {
    std::string all;
    char room[1024];
    for (ssize_t got = 0; (got = ::recv(socket_, room, sizeof room, 0)) > 0;) {
      all.append(room, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  int socket_;
};

class StatusPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = StatusPort::open(
        {"127.0.0.1", 0}, {{"/metrics",
                            [] {
                              return StatusPage{200, "text/plain", long_text()};
                            }},
                           {"/readyz", [] {
                              return StatusPage{503, "application/json", "{\"status\":\"no\"}"};
                            }}});
    ASSERT_TRUE(opened) << opened.error().message;
    port_ = *std::move(opened);
  }
  /// More than a socket takes at once.
  static std::string long_text() { return std::string(8u << 20, 'm'); }
  std::string ask(const std::string& request) {
    Peer peer(port_->endpoint());
    peer.send(request);
    return peer.read_all();
  }
  std::unique_ptr<StatusPort> port_;
};

TEST_F(StatusPortTest, AnswersWithStatusTypeAndWholeBody) {
  const auto metrics = http_get(port_->endpoint() + "/metrics");
  ASSERT_TRUE(metrics) << metrics.error().message;
  EXPECT_EQ(metrics->status, 200);
  EXPECT_EQ(metrics->type, "text/plain");
  EXPECT_EQ(metrics->body, long_text());
  const auto ready = http_get(port_->endpoint() + "/readyz?of=whom");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(ready->body, "{\"status\":\"no\"}");
}

TEST_F(StatusPortTest, RefusesWhatIsNotAGetOfAPage) {
  EXPECT_EQ(http_get(port_->endpoint() + "/nothing")->status, 404);
  EXPECT_EQ(http_get(port_->endpoint() + "/readyz/more")->status, 404);
  EXPECT_TRUE(ask("POST /readyz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(ask("hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET /readyz\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask(std::string(5000, 'x')).starts_with("HTTP/1.1 400 "));
  const std::string head = ask("HEAD /readyz HTTP/1.1\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 15\r\n"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "no body: " << head;
}

TEST_F(StatusPortTest, TakesARequestInPieces) {
  Peer peer(port_->endpoint());
  for (const char c : std::string("GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n")) peer.send({c});
  EXPECT_TRUE(peer.read_all().starts_with("HTTP/1.1 503 "));
}

TEST_F(StatusPortTest, ClosesWhoIsSilentAndServesTheNext) {
  // As many as there is room for: the one after them is served when the first are given up.
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 16; ++i) silent.push_back(std::make_unique<Peer>(port_->endpoint()));
  silent.front()->send("GET /rea");
  const auto ready = http_get(port_->endpoint() + "/readyz", Millis{10'000});
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(silent.front()->read_all(), "");
}

TEST_F(StatusPortTest, SaysWhatItCannotListenTo) {
  const std::string& endpoint = port_->endpoint();
  const auto port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
  const auto taken = StatusPort::open({"127.0.0.1", port}, {});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().reason, "listen");
  EXPECT_NE(taken.error().message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

}  // namespace
}  // namespace ordo::worker
