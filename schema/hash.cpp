#include "schema/hash.hpp"

#include <xxhash.h>

namespace ordo {

std::uint64_t content_hash(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace ordo
