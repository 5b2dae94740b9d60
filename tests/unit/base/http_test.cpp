#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
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

/// Sends raw bytes and gives all that comes back.
std::string answer_to(const std::string& endpoint, const std::string& request) {
  const int port = std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    char buffer[4096];
    ssize_t size = 0;
    while ((size = ::recv(socket, buffer, sizeof(buffer), 0)) > 0) {
      answer.append(buffer, static_cast<std::size_t>(size));
    }
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

TEST(HttpRoute, NamesStandForWholeSegments) {
  const HttpRoute route("/orders/{id}/tasks/{step}");
  const auto found = route.match("/orders/7/tasks/pay");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (HttpRoute::Parameters{{"id", "7"}, {"step", "pay"}}));
  for (const char* const path : {"", "/", "orders/7/tasks/pay", "/orders//tasks/pay",
                                 "/orders/7/tasks/", "/orders/7/tasks/pay/", "/orders/7/tasks",
                                 "/orders/7/8/tasks/pay", "//orders/7/tasks/pay"}) {
    EXPECT_FALSE(route.match(path)) << path;
  }
  EXPECT_TRUE(HttpRoute("/").match("/"));
  EXPECT_FALSE(HttpRoute("/").match("//"));
  // A brace in a request is no name.
  EXPECT_FALSE(HttpRoute("/a").match("/{a}"));
}

class HttpPost : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.set_gate([](const HttpRequest& request) -> std::optional<HttpAnswer> {
      if (request.header("x-key") == "open") return std::nullopt;
      return HttpAnswer{401, "text/plain", "closed"};
    });
    server_.set_refusal([](int status) {
      return HttpAnswer{status, "text/plain", "refused " + std::to_string(status)};
    });
    server_.route("POST", "/things/{name}", [](const HttpRequest& request) {
      return HttpAnswer{
          200,
          "text/plain",
          request.parameters.at("name") + "|" + request.query.at("q") + "|" + request.body,
          {{"X-More", "yes"}}};
    });
    server_.route("GET", "/large", [](const HttpRequest&) {
      return HttpAnswer{200, "text/plain", std::string(1000, 'x')};
    });
    ASSERT_TRUE(server_.start("127.0.0.1", 0));
  }
  std::string ask(const std::string& head, const std::string& body = {}) {
    return answer_to(server_.endpoint(), head + "\r\nHost: a\r\n\r\n" + body);
  }
  static int status_of(const std::string& answer) {
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  HttpServer server_{{.threads = 2, .requests_per_connection = 1, .body_bytes = 16}};
};

TEST_F(HttpPost, ABodyParametersAndTheQueryArrive) {
  const std::string answer =
      ask("POST /things/a%20b?q=1%262 HTTP/1.1\r\nX-Key: open\r\nContent-Length: 4", "body");
  EXPECT_EQ(status_of(answer), 200) << answer;
  EXPECT_NE(answer.find("\r\nX-More: yes\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("a b|1&2|body")) << answer;
}

TEST_F(HttpPost, TheGateStandsBeforePathsAndBodies) {
  EXPECT_EQ(status_of(ask("POST /things/a HTTP/1.1\r\nContent-Length: 99999")), 401);
  EXPECT_EQ(status_of(ask("GET /nothing HTTP/1.1")), 401);
  EXPECT_EQ(status_of(ask("GET /nothing HTTP/1.1\r\nX-Key: open")), 404);
  EXPECT_EQ(status_of(ask("PUT /things/a HTTP/1.1\r\nX-Key: open")), 405);
  const std::string wrong_method = ask("GET /things/a HTTP/1.1\r\nX-Key: open");
  EXPECT_EQ(status_of(wrong_method), 405);
  EXPECT_NE(wrong_method.find("\r\nAllow: POST\r\n"), std::string::npos) << wrong_method;
  EXPECT_TRUE(wrong_method.ends_with("refused 405"));
}

TEST_F(HttpPost, ABodyIsSmallOfAKnownLengthAndNotPacked) {
  const std::string start = "POST /things/a?q= HTTP/1.1\r\nX-Key: open\r\n";
  EXPECT_EQ(status_of(ask(start + "Content-Length: 16", std::string(16, 'x'))), 200);
  EXPECT_EQ(status_of(ask(start + "Content-Length: 17", std::string(17, 'x'))), 413);
  EXPECT_EQ(status_of(ask(start + "Content-Length: 99999999999999999999")), 413);
  EXPECT_EQ(status_of(ask(start + "Content-Length: -1")), 400);
  EXPECT_EQ(status_of(ask(start + "X: y")), 411);
  EXPECT_EQ(status_of(ask(start + "Content-Length: 1\r\nContent-Length: 16", "x")), 411);
  EXPECT_EQ(status_of(ask(start + "Transfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n")), 411);
  EXPECT_EQ(status_of(ask(start + "Content-Encoding: gzip\r\nContent-Length: 1", "x")), 415);
}

TEST_F(HttpPost, WhatFollowsARefusedBodyIsNoRequest) {
  const std::string answer = ask("POST /things/a HTTP/1.1\r\nContent-Length: 40",
                                 "GET /large HTTP/1.1\r\nX-Key: open\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(answer), 401);
  EXPECT_EQ(answer.find("xxx"), std::string::npos) << answer;
}

TEST_F(HttpPost, RangesAreNotServed) {
  const std::string answer =
      ask("GET /large HTTP/1.1\r\nX-Key: open\r\nRange: bytes=0-,0-,0-,0-,0-");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_LT(answer.size(), 1500u);
}

TEST_F(HttpPost, WhoTakesBrotliGetsItUnpacked) {
  const std::string packed = ask("GET /large HTTP/1.1\r\nX-Key: open\r\nAccept-Encoding: gzip");
  EXPECT_NE(packed.find("Content-Encoding: gzip"), std::string::npos);
  const std::string plain = ask("GET /large HTTP/1.1\r\nX-Key: open\r\nAccept-Encoding: gzip, br");
  EXPECT_EQ(plain.find("Content-Encoding"), std::string::npos) << plain;
  EXPECT_TRUE(plain.ends_with("xxx"));
}

TEST(HttpGet, PostsABodyWithItsHeaders) {
  HttpServer server({.requests_per_connection = 1, .body_bytes = 16});
  server.route("POST", "/echo", [](const HttpRequest& request) {
    return HttpAnswer{201, "text/plain", request.header("X-Key") + request.body};
  });
  ASSERT_TRUE(server.start("127.0.0.1", 0));
  const auto reply =
      http_post(server.endpoint() + "/echo", {"body", "text/plain", {{"X-Key", "k"}}});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "kbody");
  EXPECT_EQ(http_post(server.endpoint() + "/echo", {std::string(17, 'x')})->status, 413);
}

TEST(HttpGet, HearsNothingOfAnAnswerThatIsCut) {
  HttpServer server;
  server.get("/cut", [] {
    HttpAnswer answer{200, "text/plain", "secret"};
    answer.is_cut = true;
    return answer;
  });
  ASSERT_TRUE(server.start("127.0.0.1", 0));
  const auto reply = http_get(server.endpoint() + "/cut");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().reason, "http");
  const std::string raw =
      answer_to(server.endpoint(), "GET /cut HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(raw.find("secret"), std::string::npos) << raw;
}

TEST(HttpGet, ExplainsABadAddress) {
  EXPECT_EQ(http_get("ftp://x/").error().reason, "url");
  EXPECT_EQ(http_get("http://").error().reason, "url");
}

}  // namespace
}  // namespace ordo
