#include "ordo/order_id.hpp"

namespace ordo {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_dash_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

OrderId OrderId::make(std::int64_t unix_ms, unsigned shard, std::uint64_t random) {
  Bytes b{};
  const auto ms = static_cast<std::uint64_t>(unix_ms);
  for (unsigned i = 0; i < 6; ++i) b[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  b[6] = static_cast<std::uint8_t>(0x70U | ((shard >> 8) & 0x0fU));
  b[7] = static_cast<std::uint8_t>(shard);
  for (unsigned i = 0; i < 8; ++i) b[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
  b[8] = static_cast<std::uint8_t>(0x80U | (b[8] & 0x3fU));
  return OrderId(b);
}

std::optional<OrderId> OrderId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Bytes b{};
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (is_dash_at(i)) {
      if (text[i] != '-') return std::nullopt;
      ++i;
      continue;
    }
    const int high = nibble(text[i]);
    const int low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    b[out++] = static_cast<std::uint8_t>((high << 4) | low);
    i += 2;
  }
  const OrderId id(b);
  if (!id.is_valid()) return std::nullopt;
  return id;
}

std::string OrderId::to_string() const {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[bytes_[i] >> 4]);
    text.push_back(kDigits[bytes_[i] & 0x0f]);
  }
  return text;
}

std::int64_t OrderId::unix_ms() const {
  std::uint64_t ms = 0;
  for (unsigned i = 0; i < 6; ++i) ms = (ms << 8) | bytes_[i];
  return static_cast<std::int64_t>(ms);
}

unsigned OrderId::shard() const { return ((bytes_[6] & 0x0fU) << 8) | bytes_[7]; }

bool OrderId::is_valid() const { return (bytes_[6] >> 4) == 7 && (bytes_[8] >> 6) == 2; }

}  // namespace ordo
