// A batch turned into columns: the parameters of commit_batch (schema/sql/0010_kept_signals.sql)
// but for the epoch, in the order of its signature.
//
// Use:     clear(), add() every write that is to be done, then value(i) for each parameter.
// Costs:   buffers are kept between batches; about 0.2 µs a row.
// Threads: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "broker/store/binary_array.hpp"
#include "broker/store/store.hpp"

namespace ordo {

class BatchColumns {
 public:
  BatchColumns();

  void clear();
  /// Appends the rows of a write; `index` is what pipeline_write() gives back.
  void add(const StoreWrite& write, std::size_t index);

  /// Whether nothing was added (or only writes without changes).
  [[nodiscard]] bool is_empty() const { return rows_ == 0; }
  /// Parameter `i` in PostgreSQL's binary form, 0 ≤ i < kParameters; valid until the next change.
  [[nodiscard]] std::string_view value(std::size_t i);
  /// Whose write the pipeline row at `place` (from 1) is of.
  [[nodiscard]] std::size_t pipeline_write(std::size_t place) const {
    return pipeline_writes_.at(place - 1);
  }

  /// Two bounds of the orders' ids, then one array a column.
  static constexpr std::size_t kBounds = 2;
  static constexpr std::size_t kColumns = 76;
  static constexpr std::size_t kParameters = kBounds + kColumns;

 private:
  enum Column : std::size_t;

  void insert(const OrderRow& row);
  void insert(const TaskRow& row, Column first);
  void insert(const DeferredRow& row);
  void insert(const EventRow& row);
  void insert(const SignalRow& row);
  void remove(const TaskKey& key, Column first);

  std::vector<BinaryArray> columns_;
  std::vector<std::size_t> pipeline_writes_;
  OrderId lowest_;
  OrderId highest_;
  std::size_t rows_ = 0;
};

}  // namespace ordo
