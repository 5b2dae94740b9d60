// Rows of results as the values of broker/core/rows.hpp. Results come in text form: bytea in hex,
// moments in ISO form and UTC (Connection sets both).
//
// Errors:  a value that the tables' types and CHECKs exclude is a bug: ORDO_CHECK.
// Threads: values.
#pragma once

#include <pqxx/pqxx>

#include "broker/core/rows.hpp"

namespace ordo {

/// Reads the fields of one row from left to right.
class RowReader {
 public:
  explicit RowReader(const pqxx::row& row, pqxx::row::size_type first = 0)
      : row_(row), next_(first) {}

  OrderId id();
  std::int64_t number();
  bool boolean();
  std::string text();  ///< null reads as empty
  void skip(pqxx::row::size_type columns) { next_ += columns; }
  Bytes bytes();  ///< null reads as null
  std::optional<Wall> moment();
  std::optional<std::int64_t> number_or_null();

  OrderRow order();
  TaskRow task();
  DeferredRow deferred();
  EventRow event();
  SignalRow signal();
  OrderStatus status();  ///< null reads as running

 private:
  std::string_view raw();
  pqxx::field field() { return row_[next_++]; }

  const pqxx::row& row_;
  pqxx::row::size_type next_;
};

/// "2026-01-31 23:59:59.123456+00"; nullopt for anything else.
std::optional<Wall> parse_moment(std::string_view text);

}  // namespace ordo
