#include "base/address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace ordo {
namespace {

bool is_numeric(const std::string& host) {
  in6_addr bytes{};
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

tl::unexpected<Error> wrong(std::string_view text, std::string_view what) {
  return fail(
      Code::kMalformed, "address",
      "`" + std::string(text) + "` " + std::string(what) + ": write 127.0.0.1:7700 or [::1]:7700");
}

}  // namespace

bool Address::is_loopback() const { return host.rfind("127.", 0) == 0 || host == "::1"; }

std::string Address::to_string() const {
  return (is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return wrong(text, "has no port");
  Address address;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (has_brackets) host = host.substr(1, host.size() - 2);
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  if (!is_numeric(address.host) || address.is_v6() != has_brackets) {
    return wrong(text, "names no numeric address");
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return wrong(text, "has a port that is not 0 to 65535");
  }
  return address;
}

}  // namespace ordo
