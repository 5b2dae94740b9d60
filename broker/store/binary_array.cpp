#include "broker/store/binary_array.hpp"

#include <bit>
#include <cstring>

namespace ordo {
namespace {

/// Dimensions, null flag, element type, length and lower bound of the one dimension: 4 bytes each.
constexpr std::size_t kHeaderBytes = 20;
/// The header of an array without dimensions.
constexpr std::size_t kEmptyBytes = 12;
/// 2000-01-01 as Unix time, where PostgreSQL starts to count.
constexpr std::int64_t kPostgresEpochMicros = 946'684'800'000'000;

constexpr std::uint32_t kNullLength = 0xffffffffU;

template <class Unsigned> constexpr Unsigned big_endian(Unsigned value) {
  static_assert(std::endian::native == std::endian::little);
  if constexpr (sizeof value == 2) return __builtin_bswap16(value);
  if constexpr (sizeof value == 4) return __builtin_bswap32(value);
  if constexpr (sizeof value == 8) return __builtin_bswap64(value);
  return value;
}

void put_u32(char* place, std::uint32_t value) {
  const std::uint32_t wire = big_endian(value);
  std::memcpy(place, &wire, sizeof wire);
}

}  // namespace

BinaryArray::BinaryArray(ElementType type) : type_(type), buffer_(kHeaderBytes, '\0') {}

template <class Unsigned> void BinaryArray::append_big_endian(Unsigned value) {
  const std::uint32_t length = big_endian(std::uint32_t{sizeof(Unsigned)});
  const Unsigned wire = big_endian(value);
  char element[sizeof length + sizeof wire];
  std::memcpy(element, &length, sizeof length);
  std::memcpy(element + sizeof length, &wire, sizeof wire);
  buffer_.append(element, sizeof element);
  ++size_;
}

void BinaryArray::add(bool value) { append_big_endian(static_cast<std::uint8_t>(value ? 1 : 0)); }
void BinaryArray::add(std::int16_t value) { append_big_endian(static_cast<std::uint16_t>(value)); }
void BinaryArray::add(std::int32_t value) { append_big_endian(static_cast<std::uint32_t>(value)); }
void BinaryArray::add(std::int64_t value) { append_big_endian(static_cast<std::uint64_t>(value)); }
void BinaryArray::add(Wall at) { add(at.time_since_epoch().count() - kPostgresEpochMicros); }

void BinaryArray::add(const OrderId& id) {
  add(std::string_view(reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()));
}

void BinaryArray::add(std::string_view bytes) {
  char length[4];
  put_u32(length, static_cast<std::uint32_t>(bytes.size()));
  buffer_.append(length, sizeof length);
  buffer_.append(bytes);
  ++size_;
}

void BinaryArray::add_null() {
  const std::uint32_t length = kNullLength;
  buffer_.append(reinterpret_cast<const char*>(&length), sizeof length);
  ++size_;
  ++nulls_;
}

void BinaryArray::add_or_null(std::string_view bytes) {
  if (bytes.empty()) {
    add_null();
  } else {
    add(bytes);
  }
}

void BinaryArray::clear() {
  buffer_.resize(kHeaderBytes);
  size_ = 0;
  nulls_ = 0;
}

std::string_view BinaryArray::encoded() {
  const bool is_empty = size_ == nulls_;
  put_u32(buffer_.data(), is_empty ? 0 : 1);
  put_u32(buffer_.data() + 4, !is_empty && nulls_ > 0 ? 1 : 0);
  put_u32(buffer_.data() + 8, static_cast<std::uint32_t>(type_));
  if (is_empty) return std::string_view(buffer_).substr(0, kEmptyBytes);
  put_u32(buffer_.data() + 12, size_);
  put_u32(buffer_.data() + 16, 1);
  return buffer_;
}

std::string binary_bigint(std::int64_t value) {
  const auto wire = big_endian(static_cast<std::uint64_t>(value));
  return {reinterpret_cast<const char*>(&wire), sizeof wire};
}

std::string binary_moment(Wall at) {
  return binary_bigint(at.time_since_epoch().count() - kPostgresEpochMicros);
}

}  // namespace ordo
