// A shard of the form under test with its session, and the words in which the contract suite
// speaks.
//
// Threads: one test at a time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/rows.hpp"
#include "tests/contract/shard_under_test.hpp"

namespace ordo::testing {

using Kind = CommitResult::Kind;
using Why = CommitResult::Refused::Why;

class StoreFixture : public ::testing::TestWithParam<StoreForm> {
 protected:
  void SetUp() override {
    shard_ = GetParam().make();
    open();
  }

  /// Ends the session and takes the shard again.
  const Takeover& open() {
    session_.reset();
    session_ = shard_->session();
    auto taken = session_->open();
    EXPECT_TRUE(taken) << taken.error().message;
    takeover_ = std::move(taken.value());
    return takeover_;
  }

  CommitResult commit(const std::vector<StoreWrite>& writes) {
    std::vector<const StoreWrite*> batch;
    for (const auto& write : writes) batch.push_back(&write);
    return session_->commit(batch);
  }
  void commit_all(const std::vector<StoreWrite>& writes) {
    const auto result = commit(writes);
    ASSERT_EQ(result.kind, Kind::kCommitted) << result.message;
    ASSERT_TRUE(result.refused.empty()) << "write " << result.refused[0].write;
  }
  std::optional<OrderSnapshot> load(int n) {
    const OrderId id = order_id(n);
    auto found = session_->load({&id, 1});
    EXPECT_TRUE(found) << found.error().message;
    if (!found || found->empty()) return std::nullopt;
    return found->front();
  }
  Page page(const PageSpec& spec) {
    auto read = session_->page(spec);
    EXPECT_TRUE(read) << read.error().message;
    return read ? std::move(*read) : Page{};
  }
  std::vector<OrderRecord> query(const QuerySpec& spec) {
    auto records = shard_->reader()->query(spec);
    EXPECT_TRUE(records) << records.error().message;
    return records ? std::move(*records) : std::vector<OrderRecord>{};
  }
  static PageSpec backlog_spec(std::int64_t after = 0, std::uint32_t limit = 500) {
    PageSpec spec;
    spec.queue = "q";
    spec.after_seq = after;
    spec.limit = limit;
    return spec;
  }
  static PageSpec due_spec(Wall after, std::int64_t after_seq, Wall until) {
    PageSpec spec;
    spec.what = PageSpec::What::kDue;
    spec.due_after = after;
    spec.after_seq = after_seq;
    spec.due_until = until;
    return spec;
  }
  static std::vector<std::int64_t> seqs(const Page& page) {
    std::vector<std::int64_t> found;
    for (const auto& row : page.rows) found.push_back(row.task.seq);
    return found;
  }
  static std::vector<OrderId> ids(const std::vector<OrderRecord>& records) {
    std::vector<OrderId> found;
    for (const auto& record : records) found.push_back(record.order.id);
    return found;
  }

  std::unique_ptr<ShardUnderTest> shard_;
  std::unique_ptr<ShardStore> session_;
  Takeover takeover_;
};

using Seqs = std::vector<std::int64_t>;
using Ids = std::vector<OrderId>;

inline std::string form_name(const ::testing::TestParamInfo<StoreForm>& info) {
  return info.param.name;
}

}  // namespace ordo::testing
