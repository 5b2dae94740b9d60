#include "tests/integration/broker/raw_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace ordo::testing {
namespace {

constexpr std::uint8_t kMore = 1, kLong = 2, kCommand = 4;
// Far more than anything takes on one machine.
constexpr Millis kPatience{10'000};

std::string big_endian(std::size_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xFFU);
  }
  return out;
}

std::string frame(std::uint8_t flags, std::string_view body) {
  const bool is_long = body.size() > 255;
  std::string out(1, static_cast<char>(is_long ? flags | kLong : flags));
  return out + big_endian(body.size(), is_long ? 8 : 1) + std::string(body);
}

}  // namespace

RawPeer::RawPeer(const std::string& endpoint) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const auto address = parse_address(endpoint.substr(6));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address->port);
  ::inet_pton(AF_INET, address->host.c_str(), &to.sin_addr);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::runtime_error("cannot connect to " + endpoint);
  }
}

RawPeer::~RawPeer() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::is_closed_within(Millis patience) {
  const Steady until = steady_now() + patience;
  std::array<char, 65'536> rest{};
  while (steady_now() < until) {
    pollfd item{fd_, POLLIN, 0};
    if (::poll(&item, 1, 10) <= 0) continue;
    if (::recv(fd_, rest.data(), rest.size(), 0) <= 0) return true;
  }
  return false;
}

bool RawPeer::read(std::string& bytes, std::size_t size, Millis patience) {
  const Steady until = steady_now() + patience;
  bytes.clear();
  while (bytes.size() < size && steady_now() < until) {
    pollfd item{fd_, POLLIN, 0};
    if (::poll(&item, 1, 10) <= 0) continue;
    std::string part(size - bytes.size(), '\0');
    const ssize_t got = ::recv(fd_, part.data(), part.size(), 0);
    if (got <= 0) return false;
    bytes += part.substr(0, static_cast<std::size_t>(got));
  }
  return bytes.size() == size;
}

std::string RawPeer::next_message(Millis patience) {
  std::string head, size, body;
  while (read(head, 1, patience)) {
    const auto flags = static_cast<std::uint8_t>(head[0]);
    if (!read(size, (flags & kLong) != 0 ? 8 : 1, patience)) return {};
    std::size_t length = 0;
    for (const char c : size) length = length << 8U | static_cast<std::uint8_t>(c);
    if (!read(body, length, patience)) return {};
    if ((flags & kCommand) == 0) return body;
  }
  return {};
}

bool RawPeer::shake_hands(const Properties& properties) {
  std::string theirs;
  if (!send(greeting("NULL")) || !read(theirs, 64, kPatience)) return false;
  std::string data;
  Properties all{{"Socket-Type", "DEALER"}};
  all.insert(all.end(), properties.begin(), properties.end());
  for (const auto& [name, value] : all) {
    data += big_endian(name.size(), 1) + name + big_endian(value.size(), 4) + value;
  }
  if (!send(command("READY", data))) return false;
  std::string head;
  if (!read(head, 2, kPatience) || (head[0] & kCommand) == 0) return false;
  return read(theirs, static_cast<std::uint8_t>(head[1]), kPatience) &&
         theirs.substr(1, 5) == "READY";
}

std::string RawPeer::greeting(std::string_view mechanism) {
  std::string out("\xff\0\0\0\0\0\0\0\0\x7f\x03\0", 12);
  out += mechanism;
  out.resize(64, '\0');
  return out;
}

std::string RawPeer::message(std::string_view body, bool has_more) {
  return frame(has_more ? kMore : 0, body);
}

std::string RawPeer::command(std::string_view name, std::string_view data) {
  return frame(kCommand, big_endian(name.size(), 1) + std::string(name) + std::string(data));
}

}  // namespace ordo::testing
