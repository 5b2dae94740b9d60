#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "base/http_get.hpp"
#include "base/http_server.hpp"

namespace ordo {
namespace {

/// Sends raw bytes and gives the first line of the answer.
std::string first_line(const std::string& endpoint, const std::string& request) {
  const int port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    char byte = 0;
    while (::recv(socket, &byte, 1, 0) == 1 && byte != '\r') answer += byte;
  }
  ::close(socket);
  return answer;
}

class Http : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.get("/livez", [] { return HttpAnswer{200, "application/json", "{}"}; });
    server_.get("/readyz", [] { return HttpAnswer{503, "application/json", "{\"ready\":false}"}; });
    server_.get("/broken", []() -> HttpAnswer { throw std::runtime_error("boom"); });
    ASSERT_TRUE(server_.start("127.0.0.1", 0));
  }
  HttpServer server_;
};

TEST_F(Http, AnswersOnAFreePortWithStatusAndBody) {
  const auto live = http_get(server_.endpoint() + "/livez");
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ(live->status, 200);
  EXPECT_EQ(live->body, "{}");
  EXPECT_EQ(live->type, "application/json");
  const auto ready = http_get(server_.endpoint() + "/readyz");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(ready->body, "{\"ready\":false}");
}

TEST_F(Http, RefusesWhatIsNotAPlainGetOfAKnownPath) {
  EXPECT_EQ(http_get(server_.endpoint() + "/nothing")->status, 404);
  EXPECT_EQ(http_get(server_.endpoint() + "/livez/more")->status, 404);
  EXPECT_EQ(http_get(server_.endpoint() + "/broken")->status, 500);
  const auto refused = [this](const std::string& request) {
    return first_line(server_.endpoint(), request);
  };
  EXPECT_EQ(refused("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(refused("DELETE /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(refused("rubbish\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
}

TEST_F(Http, StopsEvenWithAnIdleConnection) {
  const int port = std::stoi(server_.endpoint().substr(server_.endpoint().rfind(':') + 1));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  server_.stop();
  ::close(socket);
  EXPECT_FALSE(http_get("http://127.0.0.1:" + std::to_string(port) + "/livez", Millis{200}));
}

TEST_F(Http, SaysThatAPortIsTaken) {
  HttpServer second;
  const int port = std::stoi(server_.endpoint().substr(server_.endpoint().rfind(':') + 1));
  const auto started = second.start("127.0.0.1", static_cast<std::uint16_t>(port));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, "listen");
}

TEST(HttpGet, ExplainsABadAddress) {
  EXPECT_EQ(http_get("ftp://x/").error().reason, "url");
  EXPECT_EQ(http_get("http://").error().reason, "url");
}

}  // namespace
}  // namespace ordo
