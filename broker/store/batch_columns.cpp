#include "broker/store/batch_columns.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/check.hpp"

namespace ordo {

/// In the order of commit_batch's parameters. The members of a group follow each other as its
/// insert() says.
enum BatchColumns::Column : std::size_t {
  kTaskKey = 0,      // order, step, branch, kind
  kDeferredKey = 4,  // the same
  kOrder = 8,        // id … accepted
  kTask = 19,        // order … maybe
  kDeferred = 30,    // the same, then state, run_at, reason
  kEvent = 44,       // order … note
  kPipeline = 57,    // id, name, version, source
  kQueue = 61,       // queue, paused, who, why
  kSignalKey = 65,   // order, seq
  kSignal = 67,      // order, name, seq, at, dedup, payload, note, checks, next_at
  kEnd = 76,
};

namespace {

using enum ElementType;

// clang-format off
constexpr std::array kTypes{
    // keys to delete
    kUuid, kSmallint, kSmallint, kSmallint,
    kUuid, kSmallint, kSmallint, kSmallint,
    // orders
    kUuid, kBigint, kSmallint, kText, kText, kJson, kJson, kBytea, kBigint, kTimestamptz,
    kTimestamptz,
    // task
    kUuid, kSmallint, kSmallint, kSmallint, kText, kSmallint, kBigint, kInt, kSmallint, kSmallint,
    kBoolean,
    // deferred
    kUuid, kSmallint, kSmallint, kSmallint, kText, kSmallint, kBigint, kInt, kSmallint, kSmallint,
    kBoolean, kText, kTimestamptz, kText,
    // event
    kUuid, kBigint, kTimestamptz, kText, kText, kSmallint, kSmallint, kSmallint, kInt, kText, kInt,
    kBytea, kText,
    // pipeline, queue_setting
    kBigint, kText, kInt, kText,
    kText, kBoolean, kText, kText,
    // signal: keys to delete, rows
    kUuid, kBigint,
    kUuid, kText, kBigint, kTimestamptz, kText, kBytea, kText, kSmallint, kTimestamptz};
// clang-format on
static_assert(kTypes.size() == BatchColumns::kColumns);

/// Our unsigned numbers have far smaller bounds than the columns; past those the column's CHECK
/// refuses.
constexpr std::int16_t small(unsigned value) { return static_cast<std::int16_t>(value); }
constexpr std::int32_t integer(std::uint32_t value) {
  return static_cast<std::int32_t>(
      std::min<std::uint32_t>(value, std::numeric_limits<std::int32_t>::max()));
}

/// Appends one element to each of the columns that follow `first`.
template <class... Adders> void add_row(BinaryArray* first, const Adders&... adders) {
  (adders(*first++), ...);
}
template <class Value> auto just(const Value& value) {
  return [&value](BinaryArray& column) { column.add(value); };
}
auto number(std::int16_t value) {
  return [value](BinaryArray& column) { column.add(value); };
}
auto number(std::int32_t value) {
  return [value](BinaryArray& column) { column.add(value); };
}
auto number(std::int64_t value) {
  return [value](BinaryArray& column) { column.add(value); };
}
auto flag(bool value) {
  return [value](BinaryArray& column) { column.add(value); };
}
auto text(std::string_view value) {
  return [value](BinaryArray& column) { column.add(value); };
}
auto or_null(std::string_view value) {
  return [value](BinaryArray& column) { column.add_or_null(value); };
}
auto moment(const std::optional<Wall>& at) {
  return [&at](BinaryArray& column) {
    if (at) {
      column.add(*at);
    } else {
      column.add_null();
    }
  };
}

}  // namespace

BatchColumns::BatchColumns() {
  static_assert(kEnd == kColumns);
  columns_.reserve(kColumns);
  for (const ElementType type : kTypes) columns_.emplace_back(type);
}

void BatchColumns::clear() {
  for (auto& column : columns_) column.clear();
  pipeline_writes_.clear();
  lowest_ = {};
  highest_ = {};
  rows_ = 0;
}

void BatchColumns::insert(const OrderRow& row) {
  lowest_ = lowest_.is_zero() ? row.id : std::min(lowest_, row.id);
  highest_ = std::max(highest_, row.id);
  add_row(&columns_[kOrder], just(row.id), number(row.pipeline), number(small(row.priority)),
          or_null(row.key), or_null(row.customer), or_null(row.labels), or_null(row.context),
          or_null(view(row.payload)), number(static_cast<std::int64_t>(row.submit_hash)),
          moment(row.deadline), just(row.accepted));
}

void BatchColumns::insert(const TaskRow& row, Column first) {
  add_row(&columns_[first], just(row.key.order), number(small(row.key.step)),
          number(small(row.key.branch)), number(small(static_cast<unsigned>(row.key.kind))),
          text(row.queue), number(small(row.priority)), number(row.seq),
          number(integer(row.attempt)), number(small(row.failures)), number(small(row.losses)),
          flag(row.maybe));
}

void BatchColumns::insert(const DeferredRow& row) {
  insert(row.task, kDeferred);
  add_row(&columns_[kDeferred + 11], text(to_string(row.state)), moment(row.run_at),
          or_null(row.reason));
}

void BatchColumns::insert(const EventRow& row) {
  add_row(
      &columns_[kEvent], just(row.order), number(row.seq), just(row.at), text(to_string(row.kind)),
      [&row](BinaryArray& column) {
        if (row.status) {
          column.add(to_string(*row.status));
        } else {
          column.add_null();
        }
      },
      [&row](BinaryArray& column) {
        if (row.step) {
          column.add(small(*row.step));
        } else {
          column.add_null();
        }
      },
      number(small(row.branch)), number(small(static_cast<unsigned>(row.task_kind))),
      number(integer(row.attempt)), or_null(row.worker), number(integer(row.ms)),
      [&row](BinaryArray& column) {
        // An empty result is a result; none at all is null.
        if (row.detail) {
          column.add(view(row.detail));
        } else {
          column.add_null();
        }
      },
      or_null(row.note));
}

void BatchColumns::insert(const SignalRow& row) {
  add_row(&columns_[kSignal], just(row.order), text(row.name), number(row.seq), just(row.at),
          text(row.dedup), or_null(view(row.payload)), or_null(row.note), number(small(row.checks)),
          moment(row.next_at));
}

void BatchColumns::remove(const TaskKey& key, Column first) {
  add_row(&columns_[first], just(key.order), number(small(key.step)), number(small(key.branch)),
          number(small(static_cast<unsigned>(key.kind))));
}

void BatchColumns::add(const StoreWrite& write, std::size_t index) {
  for (const Change& change : write.changes) {
    ++rows_;
    std::visit(
        [this, index](const auto& one) {
          using One = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<One, DeleteTask>) {
            remove(one.key, kTaskKey);
          } else if constexpr (std::is_same_v<One, DeleteDeferred>) {
            remove(one.key, kDeferredKey);
          } else if constexpr (std::is_same_v<One, InsertTask>) {
            insert(one.row, kTask);
          } else if constexpr (std::is_same_v<One, PutPipeline>) {
            pipeline_writes_.push_back(index);
            add_row(&columns_[kPipeline], number(one.row.id), text(one.row.name),
                    number(integer(one.row.version)), text(one.row.source));
          } else if constexpr (std::is_same_v<One, PutQueueSetting>) {
            add_row(&columns_[kQueue], text(one.row.queue), flag(one.row.is_paused),
                    text(one.row.who), text(one.row.why));
          } else if constexpr (std::is_same_v<One, DeleteSignal>) {
            add_row(&columns_[kSignalKey], just(one.order), number(one.seq));
          } else {
            insert(one.row);
          }
        },
        change);
  }
}

std::string_view BatchColumns::value(std::size_t i) {
  ORDO_CHECK(i < kParameters, i);
  if (i < kBounds) {
    const auto& bytes = (i == 0 ? lowest_ : highest_).bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  return columns_[i - kBounds].encoded();
}

}  // namespace ordo
