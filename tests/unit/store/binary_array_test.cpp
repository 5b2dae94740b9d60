#include "broker/store/binary_array.hpp"

#include <gtest/gtest.h>

#include <string>

#include "broker/store/batch_columns.hpp"

namespace ordo {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string all;
  for (const int value : values) all.push_back(static_cast<char>(value));
  return all;
}

TEST(BinaryArray, OfNothingHasNoDimension) {
  BinaryArray array(ElementType::kSmallint);
  EXPECT_EQ(array.encoded(), bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 21}));
}

TEST(BinaryArray, OfNumbersIsBigEndian) {
  BinaryArray array(ElementType::kInt);
  array.add(std::int32_t{1});
  array.add(std::int32_t{-2});
  EXPECT_EQ(array.encoded(), bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0,   0,   2,   0,  0, 0,
                                    1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0,  4, 255, 255, 255, 254}));
}

TEST(BinaryArray, MarksNulls) {
  BinaryArray array(ElementType::kText);
  array.add(std::string_view("ab"));
  array.add_or_null("");
  EXPECT_EQ(array.encoded(), bytes({0, 0, 0, 1, 0, 0, 0, 1, 0, 0,   0,   25,  0,   0,   0,
                                    2, 0, 0, 0, 1, 0, 0, 0, 2, 'a', 'b', 255, 255, 255, 255}));
}

TEST(BinaryArray, OfNothingButNullsIsTheEmptyOne) {
  BinaryArray array(ElementType::kText);
  array.add_null();
  array.add_or_null("");
  EXPECT_EQ(array.size(), 2U);
  EXPECT_EQ(array.encoded(), bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25}));
}

TEST(BinaryArray, CountsMomentsFromTheYear2000) {
  EXPECT_EQ(
      binary_moment(Wall{std::chrono::sys_days(std::chrono::year(2000) / 1 / 1).time_since_epoch() +
                         Micros{1}}),
      bytes({0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST(BinaryArray, StartsAnewWhenCleared) {
  BinaryArray array(ElementType::kBoolean);
  array.add(true);
  array.add_null();
  array.clear();
  array.add(false);
  EXPECT_EQ(array.encoded(),
            bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0}));
}

/// Elements of the array in parameter `i`: its one dimension, 0 for the empty one.
int elements(BatchColumns& columns, std::size_t i) {
  const auto value = columns.value(i);
  return value.size() < 20 ? 0 : static_cast<unsigned char>(value[15]);
}

TEST(BatchColumns, FillEveryColumnOfAChangeAndNoOther) {
  BatchColumns columns;
  const OrderId id = OrderId::make(1'780'000'000'000, 1, 7);
  StoreWrite write{.order = id, .changes = {}};
  write.changes.push_back(DeleteTask{{id, 1, 0, TaskKind::kForward}});
  columns.add(write, 0);
  for (std::size_t i = BatchColumns::kBounds; i < BatchColumns::kParameters; ++i) {
    const bool is_key_of_task = i < BatchColumns::kBounds + 4;
    EXPECT_EQ(elements(columns, i), is_key_of_task ? 1 : 0) << i;
  }
}

TEST(BatchColumns, TellTheBoundsOfTheOrdersThatAreInserted) {
  BatchColumns columns;
  OrderRow later;
  later.id = OrderId::make(1'780'000'000'500, 1, 7);
  OrderRow earlier;
  earlier.id = OrderId::make(1'780'000'000'100, 1, 9);
  columns.add({.order = later.id, .changes = {InsertOrder{later}}}, 0);
  columns.add({.order = earlier.id, .changes = {InsertOrder{earlier}}}, 1);
  const auto text = [](const OrderId& id) {
    return std::string(id.bytes().begin(), id.bytes().end());
  };
  EXPECT_EQ(columns.value(0), text(earlier.id));
  EXPECT_EQ(columns.value(1), text(later.id));
}

TEST(BatchColumns, RememberWhoseAPipelineIs) {
  BatchColumns columns;
  EXPECT_TRUE(columns.is_empty());
  columns.add(
      {.order = {}, .changes = {PutPipeline{{.id = 1, .name = "a", .version = 1, .source = "x"}}}},
      4);
  columns.add(
      {.order = {}, .changes = {PutPipeline{{.id = 2, .name = "b", .version = 1, .source = "y"}}}},
      9);
  EXPECT_EQ(columns.pipeline_write(1), 4U);
  EXPECT_EQ(columns.pipeline_write(2), 9U);
  EXPECT_FALSE(columns.is_empty());
}

}  // namespace
}  // namespace ordo
