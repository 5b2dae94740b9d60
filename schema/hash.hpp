// Content hashes: what tells two submits of one id apart (submit_hash), names a pipeline version
// and stands for a refused result.
//
// Source: XXH3, 64 bits (libxxhash). Not for secrets: a forger can make collisions, an accident
//         cannot.
#pragma once

#include <cstdint>
#include <string_view>

namespace ordo {

/// `seed` chains parts: content_hash(b, content_hash(a)).
std::uint64_t content_hash(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace ordo
