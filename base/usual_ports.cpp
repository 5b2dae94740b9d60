#include "base/usual_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ordo {
namespace {

/// A socket that is bound to it (0: to any); -1 where it is taken.
int bound_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // As the broker does it: what is left of closed connections takes no port.
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what bind() takes
  const bool is_bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (is_bound) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

bool can_listen(std::uint16_t port) {
  const int fd = bound_to(port);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

std::uint16_t free_port() {
  const int fd = bound_to(0);
  if (fd < 0) return 0;
  sockaddr_in address{};
  socklen_t size = sizeof address;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what getsockname() takes
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::optional<std::uint16_t> taken_usual_port() {
  for (const std::uint16_t port : kUsualPorts) {
    if (!can_listen(port)) return port;
  }
  return std::nullopt;
}

}  // namespace ordo
