// Where a process listens: "127.0.0.1:7700", "[::1]:7700", "0.0.0.0:0".
//
// Shapes:  a host (numeric, or localhost) and a port; port 0 asks the system for a free one.
// Errors:  kMalformed "address" with what is wrong.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordo/result.hpp"

namespace ordo {

struct Address {
  std::string host;  ///< numeric; an IPv6 one without brackets
  std::uint16_t port = 0;

  /// Reached from this machine only: 127.0.0.0/8 or ::1.
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_v6() const { return host.find(':') != std::string::npos; }
  /// "host:port", with brackets where they are needed.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Address&, const Address&) = default;
};

Result<Address> parse_address(std::string_view text);

}  // namespace ordo
