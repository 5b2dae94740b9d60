#include "base/http_server.hpp"

#include <httplib.h>

#include <chrono>
#include <thread>

namespace ordo {
namespace {

// Health and metrics are asked by a few scrapers: four threads answer them while one is slow.
constexpr std::size_t kThreads = 4;
constexpr std::chrono::seconds kPatience{2};
constexpr std::size_t kRequestsPerConnection = 5;

std::string regex_of(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (std::string_view(".+*?()[]{}^$|\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

class HttpServer::Shell {
 public:
  httplib::Server server;
  std::thread thread;
  std::string host;
  int port = 0;
};

HttpServer::HttpServer() : shell_(std::make_unique<Shell>()) {
  auto& server = shell_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_payload_max_length(0);
  server.set_read_timeout(kPatience);
  server.set_write_timeout(kPatience);
  server.set_keep_alive_max_count(kRequestsPerConnection);
  server.set_keep_alive_timeout(1);
  server.set_tcp_nodelay(true);
  // SO_REUSEADDR alone: two processes on one port is a mistake that has to show.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.set_default_headers(
      {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (request.method == "GET" || request.method == "HEAD")
      return httplib::Server::HandlerResponse::Unhandled;
    response.status = 405;
    response.set_header("Allow", "GET, HEAD");
    return httplib::Server::HandlerResponse::Handled;
  });
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::get(const std::string& path, Handler handler) {
  shell_->server.Get(regex_of(path), [answer = std::move(handler)](const httplib::Request&,
                                                                   httplib::Response& response) {
    const HttpAnswer made = answer();
    response.status = made.status;
    response.set_content(made.body, made.type);
  });
}

Result<void> HttpServer::start(const std::string& host, std::uint16_t port) {
  auto& server = shell_->server;
  const int bound =
      port == 0 ? server.bind_to_any_port(host) : (server.bind_to_port(host, port) ? port : -1);
  if (bound <= 0) {
    return fail(Code::kUnavailable, "listen",
                "cannot listen for HTTP on " + host + ":" + std::to_string(port) +
                    ": in use or not allowed");
  }
  shell_->host = host;
  shell_->port = bound;
  shell_->thread = std::thread([&server] { server.listen_after_bind(); });
  // A stop() before the accepting loop runs would be lost.
  while (!server.is_running()) std::this_thread::yield();
  return {};
}

void HttpServer::stop() {
  if (!shell_->thread.joinable()) return;
  shell_->server.stop();
  shell_->thread.join();
}

std::string HttpServer::endpoint() const {
  const bool is_v6 = shell_->host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + shell_->host + "]" : shell_->host) + ":" +
         std::to_string(shell_->port);
}

}  // namespace ordo
