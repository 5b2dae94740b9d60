// What errors have in common: "timeout after 31 ms" and "timeout after 47 ms" are one error.
//
// Rule:    UUIDs, numbers, hexadecimal numbers (0x…, or six and more hexadecimal digits with a
//          decimal one among them) and the digits inside words become `#`; numbers joined by
//          `-`, `.`, `:` or `,` become one.
// Bounds:  at most 300 bytes, cut between two characters.
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace ordo::parked {

std::string error_signature(std::string_view error);

}  // namespace ordo::parked
