#include "worker/net/status_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace ordo::worker {
namespace {

constexpr std::size_t kConnections = 16;
constexpr std::size_t kRequestBytes = 4096;
constexpr Seconds kPatience{2};
constexpr int kBacklog = 64;

std::string_view words_of(int status) {
  switch (status) {
    case 200: return "200 OK";
    case 400: return "400 Bad Request";
    case 404: return "404 Not Found";
    case 405: return "405 Method Not Allowed\r\nAllow: GET, HEAD";
    case 503: return "503 Service Unavailable";
    default: return "500 Internal Server Error";
  }
}

StatusPage refusal(int status) { return {status, "text/plain; charset=utf-8", ""}; }

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Connection {
  Descriptor socket;
  Steady until;
  std::string request;
  std::string answer;  ///< empty: the request is not whole yet
  std::size_t sent = 0;
};

struct Bound {
  Descriptor socket;
  std::uint16_t port = 0;
};

/// Listens; an empty descriptor where the system refuses.
Bound listen_at(const Address& address) {
  sockaddr_storage place{};
  socklen_t size = 0;
  if (address.is_v6()) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(place);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    if (::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) != 1) return {};
    size = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(place);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    if (::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) != 1) return {};
    size = sizeof v4;
  }
  Bound bound{Descriptor(::socket(place.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
              0};
  const int yes = 1;
  const int fd = bound.socket.get();
  auto* const where = reinterpret_cast<sockaddr*>(&place);
  // SO_REUSEADDR alone: two processes on one port is a mistake that has to show.
  const bool is_there = fd >= 0 &&
                        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                        ::bind(fd, where, size) == 0 && ::listen(fd, kBacklog) == 0 &&
                        ::getsockname(fd, where, &size) == 0;
  if (!is_there) return {};
  // The port stands at the same place for both families.
  bound.port = ntohs(reinterpret_cast<sockaddr_in&>(place).sin_port);
  return bound;
}

}  // namespace

class StatusPort::Server {
 public:
  Server(Bound bound, const Address& address, Pages pages)
      : listener_(std::move(bound.socket)),
        bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        endpoint_("http://" + Address{address.host, bound.port}.to_string()),
        pages_(std::move(pages)),
        thread_([this](const std::stop_token& stop) { serve(stop); }) {
    ORDO_CHECK(bell_.get() >= 0);
  }
  ~Server() {
    thread_.request_stop();
    const std::uint64_t one = 1;
    static_cast<void>(!::write(bell_.get(), &one, sizeof one));
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      wait();
      const Steady now = steady_now();
      for (Connection& connection : connections_) tend(connection);
      std::erase_if(connections_, [&](const Connection& connection) {
        return connection.socket.get() < 0 || now >= connection.until;
      });
      accept(now);
    }
  }

  /// Until somebody comes, sends or can be sent to, or the next one has been patient enough.
  void wait() {
    items_.clear();
    items_.push_back({bell_.get(), POLLIN, 0});
    const bool has_room = connections_.size() < kConnections;
    items_.push_back({has_room ? listener_.get() : -1, POLLIN, 0});
    Steady next = Steady::max();
    for (const Connection& each : connections_) {
      items_.push_back(
          {each.socket.get(), static_cast<short>(each.answer.empty() ? POLLIN : POLLOUT), 0});
      next = std::min(next, each.until);
    }
    int patience_ms = -1;
    if (next != Steady::max()) {
      const auto left = std::chrono::ceil<Millis>(next - steady_now());
      patience_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    ::poll(items_.data(), items_.size(), patience_ms);
  }

  void accept(Steady now) {
    while (connections_.size() < kConnections) {
      Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.get() < 0) return;
      connections_.push_back({std::move(socket), now + kPatience, {}, {}, 0});
    }
  }

  /// Reads and writes what can be; a connection that is done loses its socket.
  void tend(Connection& it) {
    if (it.answer.empty() && !read(it)) it.socket = Descriptor();
    if (it.answer.empty()) return;
    const auto sent = ::send(it.socket.get(), it.answer.data() + it.sent,
                             it.answer.size() - it.sent, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent > 0) it.sent += static_cast<std::size_t>(sent);
    if (sent > 0 && it.sent < it.answer.size()) return;
    ::shutdown(it.socket.get(), SHUT_WR);
    it.socket = Descriptor();
  }

  /// False where the peer has gone.
  bool read(Connection& it) {
    std::array<char, kRequestBytes> room{};
    const auto got = ::recv(it.socket.get(), room.data(), room.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    it.request.append(room.data(), static_cast<std::size_t>(got));
    const bool is_whole = it.request.find("\r\n\r\n") != std::string::npos;
    if (is_whole) {
      it.answer = answer(it.request);
    } else if (it.request.size() > kRequestBytes) {
      it.answer = written(refusal(400), false);
    }
    return true;
  }

  [[nodiscard]] std::string answer(std::string_view request) const {
    // METHOD path HTTP/1.x
    const std::string_view line = request.substr(0, request.find("\r\n"));
    const auto first = line.find(' ');
    const auto second = line.rfind(' ');
    const bool is_http =
        first != line.npos && second > first && line.substr(second + 1).starts_with("HTTP/1.");
    if (!is_http) return written(refusal(400), false);
    const std::string_view method = line.substr(0, first);
    if (method != "GET" && method != "HEAD") return written(refusal(405), false);
    std::string_view path = line.substr(first + 1, second - first - 1);
    path = path.substr(0, path.find('?'));
    const auto page = pages_.find(path);
    if (page == pages_.end()) return written(refusal(404), method == "HEAD");
    return written(page->second(), method == "HEAD");
  }

  static std::string written(const StatusPage& page, bool is_head) {
    std::string text = "HTTP/1.1 ";
    text.append(words_of(page.status)).append("\r\nContent-Type: ").append(page.type);
    text.append("\r\nContent-Length: ").append(std::to_string(page.body.size()));
    text.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff");
    text.append("\r\nConnection: close\r\n\r\n");
    if (!is_head) text.append(page.body);
    return text;
  }

  Descriptor listener_;
  Descriptor bell_;
  std::string endpoint_;
  const Pages pages_;
  std::vector<Connection> connections_;
  std::vector<pollfd> items_;
  std::jthread thread_;  // last: it starts when all of the above stands
};

StatusPort::StatusPort(std::unique_ptr<Server> server) : server_(std::move(server)) {}
StatusPort::~StatusPort() = default;

Result<std::unique_ptr<StatusPort>> StatusPort::open(const Address& address, Pages pages) {
  Bound bound = listen_at(address);
  if (bound.socket.get() < 0) {
    return fail(Code::kUnavailable, "listen",
                "cannot listen for HTTP on " + address.to_string() + ": in use or not allowed");
  }
  return std::unique_ptr<StatusPort>(
      new StatusPort(std::make_unique<Server>(std::move(bound), address, std::move(pages))));
}

const std::string& StatusPort::endpoint() const { return server_->endpoint(); }

}  // namespace ordo::worker
