#include "tests/integration/store/renaming_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace ordo::testing {
namespace {

constexpr int kPollMs = 20;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// BackendKeyData: 'K', length 12, process number, secret. The number gets another last byte.
void rename(std::string& bytes) {
  static const std::string kHead("K\0\0\0\x0c", 5);
  const auto place = bytes.find(kHead);
  if (place == std::string::npos || place + 9 > bytes.size()) return;
  bytes[place + 8] = static_cast<char>(bytes[place + 8] ^ 1);
}

/// Passes on what has come; false when the sender is gone.
bool pass(int from, int to, bool is_answer) {
  std::string buffer(65536, '\0');
  const auto got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  buffer.resize(static_cast<std::size_t>(got));
  if (is_answer) rename(buffer);
  return ::send(to, buffer.data(), buffer.size(), MSG_NOSIGNAL) == got;
}

}  // namespace

RenamingProxy::RenamingProxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  ::bind(listener_, plain, size);
  ::listen(listener_, 8);
  ::getsockname(listener_, plain, &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RenamingProxy::~RenamingProxy() {
  is_over_ = true;
  thread_.join();
  ::close(listener_);
}

void RenamingProxy::serve() {
  while (!is_over_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) continue;
    const int client = ::accept(listener_, nullptr, nullptr);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(server_port_);
    bool is_good = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    while (is_good && !is_over_) {
      pollfd both[]{{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(both, 2, kPollMs) <= 0) continue;
      if (both[0].revents != 0) is_good = pass(client, server, false);
      if (is_good && both[1].revents != 0) is_good = pass(server, client, true);
    }
    ::close(client);
    ::close(server);
  }
}

}  // namespace ordo::testing
