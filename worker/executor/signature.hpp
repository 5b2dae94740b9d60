// Signs calls, so that a service knows that they come from ordo and that nobody changed or kept
// them for later.
//
// Shapes:  `t=SECONDS,v1=HEX`, a v1 for each key. Signed are the lines `v1`, the seconds, the
//          method, the path with its query, the effect key, and then the body.
// Threads: pure functions.
// Source:  RFC 2104 (HMAC), RFC 6234 (SHA-256).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ordo::executor {

struct Signed {
  std::int64_t seconds = 0;  ///< since 1970
  std::string_view method, path, key, body;
};

/// The header's value. At least one key.
std::string sign(const Signed& call, const std::vector<std::string>& keys);

/// 64 hex digits, in lower case.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace ordo::executor
