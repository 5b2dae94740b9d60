// The id of an order: a UUIDv7 (RFC 9562) whose rand_a carries the shard, so that any id says where
// its order lives.
//
// Shapes:  16 bytes: 48 bits of milliseconds since 1970, version 7, 12 bits of shard, variant 2, 62
//          random bits.
// Errors:  parse() answers nullopt for what is not a UUIDv7 in its 36-character text form.
// Threads: plain values. Ids are ordered by time first, which is what the tables are partitioned
//          by.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ordo {

class OrderId {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  constexpr OrderId() = default;  ///< all zero: no order
  constexpr explicit OrderId(const Bytes& bytes) : bytes_(bytes) {}

  /// An id from its parts. `unix_ms` 0 to 2^48-1, `shard` 0 to 4095, `random` any (62 bits are
  /// used).
  static OrderId make(std::int64_t unix_ms, unsigned shard, std::uint64_t random);
  /// From "019abcde-1234-7abc-8def-0123456789ab" (either case).
  static std::optional<OrderId> parse(std::string_view text);

  /// Lower-case text form, 36 characters.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::int64_t unix_ms() const;
  [[nodiscard]] unsigned shard() const;
  /// Version 7 and variant 2 (what make() gives and brokers insist on).
  [[nodiscard]] bool is_valid() const;
  [[nodiscard]] bool is_zero() const { return *this == OrderId{}; }
  [[nodiscard]] constexpr const Bytes& bytes() const { return bytes_; }

  friend auto operator<=>(const OrderId&, const OrderId&) = default;

 private:
  Bytes bytes_{};
};

}  // namespace ordo

template <> struct std::hash<ordo::OrderId> {
  std::size_t operator()(const ordo::OrderId& id) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, id.bytes().data(), 8);
    std::memcpy(&low, id.bytes().data() + 8, 8);  // 62 of these bits are random
    return static_cast<std::size_t>(low ^ (high * 0x9e3779b97f4a7c15ULL));
  }
};
