#include "base/http_server.hpp"

#include <httplib.h>

#include <charconv>
#include <chrono>
#include <exception>
#include <thread>

namespace ordo {
namespace {

constexpr std::chrono::seconds kPatience{2};

using Handled = httplib::Server::HandlerResponse;

HttpRequest request_of(const httplib::Request& from) {
  HttpRequest request;
  request.method = from.method == "HEAD" ? "GET" : from.method;
  request.path = from.path;
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  request.header = [&from](const std::string& name) { return from.get_header_value(name); };
  return request;
}

/// A body as it is. httplib would compress some itself, with Brotli as slowly as that can: so it is
/// given those that are compressed already, and those for who takes Brotli, by a provider.
void fill(httplib::Response& response, HttpAnswer&& answer, const std::string& accepted) {
  response.status = answer.status;
  bool is_as_it_is = answer.is_cut || accepted.find("br") != std::string::npos;
  for (const auto& [name, value] : answer.headers) {
    is_as_it_is = is_as_it_is || name == "Content-Encoding";
    response.headers.erase(name);
    response.set_header(name, value);
  }
  if (!is_as_it_is || answer.body.empty()) {
    if (answer.type.empty()) return;
    return response.set_content(std::move(answer.body), answer.type);
  }
  const auto body = std::make_shared<const std::string>(std::move(answer.body));
  response.set_content_provider(
      body->size(), answer.type,
      [body, is_cut = answer.is_cut](std::size_t offset, std::size_t length,
                                     httplib::DataSink& sink) {
        return !is_cut && sink.write(body->data() + offset, length);
      });
}

/// What is wrong with a body that has not been read; 0: nothing. httplib bounds neither bodies in
/// chunks nor those that it unpacks.
int check_body(const httplib::Request& request, std::size_t most) {
  if (request.has_header("Transfer-Encoding") ||
      request.get_header_value_count("Content-Length") != 1) {
    return 411;
  }
  if (request.has_header("Content-Encoding")) return 415;
  const std::string text = request.get_header_value("Content-Length");
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return 400;
  return error != std::errc{} || bytes > most ? 413 : 0;
}

}  // namespace

class HttpServer::Shell {
 public:
  struct Route {
    std::string method;
    HttpRoute path;
    RequestHandler handler;
  };

  explicit Shell(Options given) : options(given) {}

  /// Everything but the body: what is wrong, or nothing. Fills `request`, says which route it is.
  std::optional<HttpAnswer> admit(const httplib::Request& from, HttpRequest& request,
                                  const Route*& route) const;
  Handled before_routing(const httplib::Request& from, httplib::Response& response) const;
  void with_body(const httplib::Request& from, httplib::Response& response) const;
  HttpAnswer run(const Route& route, const HttpRequest& request) const;
  HttpAnswer refuse(int status) const {
    return refusal ? refusal(status) : HttpAnswer{status, "", ""};
  }

  const Options options;
  std::vector<Route> routes;
  Gate gate;
  Refusal refusal;
  httplib::Server server;
  std::thread thread;
  std::string host;
  int port = 0;
};

std::optional<HttpAnswer> HttpServer::Shell::admit(const httplib::Request& from,
                                                   HttpRequest& request,
                                                   const Route*& route) const {
  std::string allowed;
  for (const Route& one : routes) {
    auto parameters = one.path.match(request.path);
    if (!parameters) continue;
    if (one.method == request.method) {
      route = &one;
      request.parameters = *std::move(parameters);
      break;
    }
    allowed += (allowed.empty() ? "" : ", ") + one.method + (one.method == "GET" ? ", HEAD" : "");
  }
  // Who is not let in does not learn which paths there are.
  if (gate) {
    if (auto stopped = gate(request)) return stopped;
  }
  if (route != nullptr && request.method == "POST") {
    if (const int status = check_body(from, options.body_bytes)) return refuse(status);
  }
  if (route != nullptr) return std::nullopt;
  const bool is_plain = request.method == "GET";
  if (allowed.empty() && (is_plain || options.body_bytes > 0)) return refuse(404);
  HttpAnswer answer = refuse(405);
  answer.headers.emplace_back("Allow", allowed.empty() ? "GET, HEAD" : allowed);
  return answer;
}

HttpAnswer HttpServer::Shell::run(const Route& route, const HttpRequest& request) const {
  try {
    return route.handler(request);
  } catch (const std::exception&) {
    return refuse(500);
  }
}

Handled HttpServer::Shell::before_routing(const httplib::Request& from,
                                          httplib::Response& response) const {
  // A few bytes of header could ask for thousands of copies of an answer.
  const_cast<httplib::Request&>(from).ranges.clear();
  HttpRequest request = request_of(from);
  const Route* route = nullptr;
  auto answer = admit(from, request, route);
  if (!answer && request.method == "POST") return Handled::Unhandled;
  if (!answer) answer = run(*route, request);
  fill(response, *std::move(answer), from.get_header_value("Accept-Encoding"));
  return Handled::Handled;
}

void HttpServer::Shell::with_body(const httplib::Request& from, httplib::Response& response) const {
  HttpRequest request = request_of(from);
  for (const Route& route : routes) {
    auto parameters = route.path.match(request.path);
    if (route.method != "POST" || !parameters) continue;
    request.parameters = *std::move(parameters);
    request.body = from.body;
    return fill(response, run(route, request), from.get_header_value("Accept-Encoding"));
  }
  fill(response, refuse(404), {});
}

HttpServer::HttpServer() : HttpServer(Options{}) {}

HttpServer::HttpServer(Options options) : shell_(std::make_unique<Shell>(options)) {
  auto& server = shell_->server;
  server.new_task_queue = [threads = options.threads] { return new httplib::ThreadPool(threads); };
  server.set_payload_max_length(options.body_bytes);
  server.set_read_timeout(kPatience);
  server.set_write_timeout(kPatience);
  server.set_keep_alive_max_count(options.requests_per_connection);
  server.set_keep_alive_timeout(1);
  server.set_tcp_nodelay(true);
  // SO_REUSEADDR alone: two processes on one port is a mistake that has to show.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.set_default_headers(
      {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
  const Shell* const shell = shell_.get();
  server.set_pre_routing_handler([shell](const auto& request, auto& response) {
    return shell->before_routing(request, response);
  });
  server.Post(".*", [shell](const httplib::Request& request, httplib::Response& response) {
    shell->with_body(request, response);
  });
  // What httplib itself refuses has no body yet.
  server.set_error_handler([shell](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty() && response.content_length_ == 0) {
      fill(response, shell->refuse(response.status), {});
    }
  });
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::get(const std::string& path, Handler handler) {
  route("GET", path, [answer = std::move(handler)](const HttpRequest&) { return answer(); });
}

void HttpServer::route(const std::string& method, const std::string& pattern,
                       RequestHandler handler) {
  shell_->routes.push_back({method, HttpRoute(pattern), std::move(handler)});
}

void HttpServer::set_gate(Gate gate) { shell_->gate = std::move(gate); }
void HttpServer::set_refusal(Refusal refusal) { shell_->refusal = std::move(refusal); }

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
