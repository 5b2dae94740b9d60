#include "schema/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "schema/limits.hpp"

namespace ordo {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

/// What may follow a lead byte: how long the character is, and the bounds of its second byte.
struct Lead {
  std::size_t size = 0;  ///< 0: no lead byte
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

Lead lead_of(std::uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {2};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};  // no overlong forms
  if (byte == 0xed) return {3, 0x80, 0x9f};  // no surrogates
  if (byte >= 0xe1 && byte <= 0xef) return {3};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4};
  if (byte == 0xf4) return {4, 0x80, 0x8f};  // up to U+10FFFF
  return {0};
}

/// Bytes of the character at `at`; 0 where there is none.
std::size_t character_size(std::string_view bytes, std::size_t at) {
  const std::uint8_t first = byte_at(bytes, at);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const Lead lead = lead_of(first);
  if (lead.size == 0 || bytes.size() - at < lead.size) return 0;
  const std::uint8_t second = byte_at(bytes, at + 1);
  if (second < lead.low || second > lead.high) return 0;
  for (std::size_t i = 2; i < lead.size; ++i) {
    if ((byte_at(bytes, at + i) & 0xc0) != 0x80) return 0;
  }
  return lead.size;
}

/// Eight bytes, none of them NUL or above 0x7f.
bool is_plain(const char* eight) {
  std::uint64_t word = 0;
  std::memcpy(&word, eight, sizeof word);
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL;
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  return ((word | (word - kOnes)) & kHigh) == 0;
}

}  // namespace

std::size_t text_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= 8 && is_plain(bytes.data() + at)) {
      at += 8;
      continue;
    }
    const std::size_t size = character_size(bytes, at);
    if (size == 0) return at;
    at += size;
  }
  return at;
}

bool is_name(std::string_view word) {
  if (word.empty() || word.size() > limits::kNameBytes) return false;
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

std::string clean_text(std::string_view bytes, std::size_t limit) {
  std::string text;
  text.reserve(std::min(bytes.size(), limit));
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = character_size(bytes, at);
    const std::string_view character = size == 0 ? kReplacement : bytes.substr(at, size);
    if (text.size() + character.size() > limit) break;
    text += character;
    at += std::max<std::size_t>(size, 1);
  }
  return text;
}

}  // namespace ordo
