#include "tests/support/rough_service.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

namespace ordo::testing {
namespace {

constexpr std::size_t kPiece = 4096;
constexpr int kDripMs = 5;

void send_all(int fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t put = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return;
    sent += static_cast<std::size_t>(put);
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The request at the head of `bytes`, which goes; nullopt while it is not all there.
std::optional<RoughService::Request> take_request(std::string& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return std::nullopt;
  RoughService::Request request;
  std::size_t at = bytes.find("\r\n");
  const std::string first = bytes.substr(0, at);
  const std::size_t blank = first.find(' ');
  request.method = first.substr(0, blank);
  request.target = first.substr(blank + 1, first.rfind(' ') - blank - 1);
  while (at < end) {
    const std::size_t next = bytes.find("\r\n", at + 2);
    const std::string line = bytes.substr(at + 2, next - at - 2);
    const std::size_t colon = line.find(':');
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers[lower(line.substr(0, colon))] = line.substr(value);
    at = next;
  }
  const auto length = request.headers.find("content-length");
  const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
  if (bytes.size() < end + 4 + size) return std::nullopt;
  request.body = bytes.substr(end + 4, size);
  bytes.erase(0, end + 4 + size);
  return request;
}

}  // namespace

RoughService::Answer RoughService::answer(int status, const std::string& body,
                                          const Headers& headers) {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " As Told\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return {std::move(bytes), Answer::Then::kKeep};
}

RoughService::RoughService(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 64;
  if (::bind(listener_, general, size) != 0 || ::listen(listener_, kBacklog) != 0 ||
      ::getsockname(listener_, general, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

RoughService::~RoughService() {
  must_stop_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  threads_.clear();
}

std::string RoughService::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<RoughService::Request> RoughService::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void RoughService::accept_all() {
  for (std::size_t connection = 1; !must_stop_; ++connection) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd, connection] { serve(fd, connection); });
  }
}

void RoughService::serve(int fd, std::size_t connection) {
  std::string bytes;
  std::array<char, kPiece> piece;
  while (true) {
    auto request = take_request(bytes);
    if (request) {
      request->connection = connection;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(*request);
      }
      Answer said;
      {
        const std::lock_guard lock(script_mutex_);
        said = script_(*request);
      }
      send_all(fd, said.bytes);
      if (said.then == Answer::Then::kKeep) continue;
      follow(fd, said.then);
      break;
    }
    const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
  const std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  ::close(fd);
}

void RoughService::follow(int fd, Answer::Then then) {
  if (then == Answer::Then::kClose) return;
  const bool drips = then == Answer::Then::kDrip;
  pollfd look{fd, POLLIN, 0};
  while (::poll(&look, 1, drips ? kDripMs : -1) == 0) send_all(fd, "x");
  // Whatever can be read now is its end.
  if (!must_stop_) ++given_up_;
}

}  // namespace ordo::testing
