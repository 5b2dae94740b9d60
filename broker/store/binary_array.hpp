// A one-dimensional PostgreSQL array in its binary form: how whole columns travel to commit_batch.
//
// Shapes:  add_… appends one element; encoded() is the parameter's value. Nulls are elements too,
//          but an array of nothing but nulls encodes as the empty array, which commit_batch reads
//          as "null in every row".
// Units:   moments as PostgreSQL counts them, microseconds since 2000-01-01.
// Costs:   one buffer, grown as needed and kept by clear(); about 5 ns an element.
// Threads: one owner.
// Source:  array_send and the …_send functions of each type, in PostgreSQL's src/backend/utils/adt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "ordo/order_id.hpp"

namespace ordo {

/// What an array holds; the numbers are PostgreSQL's OIDs of built-in types, the same in every
/// server.
enum class ElementType : std::uint32_t {
  kBoolean = 16,
  kBytea = 17,
  kBigint = 20,
  kSmallint = 21,
  kInt = 23,
  kText = 25,
  kJson = 114,
  kTimestamptz = 1184,
  kUuid = 2950,
};

class BinaryArray {
 public:
  explicit BinaryArray(ElementType type);

  /// The caller adds what fits the type: PostgreSQL refuses other sizes.
  void add(bool value);
  void add(std::int16_t value);
  void add(std::int32_t value);
  void add(std::int64_t value);
  void add(Wall at);
  void add(const OrderId& id);
  /// Of text, json and bytea.
  void add(std::string_view bytes);
  void add(const char* text) = delete;  ///< would become a bool
  void add_null();
  /// Null where it is empty.
  void add_or_null(std::string_view bytes);

  void clear();
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return buffer_.size(); }
  /// The value to send; valid until the next change.
  [[nodiscard]] std::string_view encoded();

 private:
  template <class Unsigned> void append_big_endian(Unsigned value);

  ElementType type_;
  std::string buffer_;
  std::uint32_t size_ = 0;
  std::uint32_t nulls_ = 0;
};

/// One moment as a parameter of its own.
std::string binary_moment(Wall at);
/// One bigint as a parameter of its own.
std::string binary_bigint(std::int64_t value);

}  // namespace ordo
