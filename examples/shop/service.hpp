// One service of the shop: its business, the ledger it keeps on disk, and the promise of
// idempotency.
//
// Rule:    the same key gets the first answer again, done or refused, and is counted. What undoes
//          an effect that has not come leaves its mark: the effect is refused for good when it
//          comes. An answer is given once its line is on disk.
// Shapes:  operations act (a line), undo (a line) or look (no line).
// Errors:  open(): the ledger cannot be read, or its lines cannot follow each other; the line's
//          number is said.
// Threads: any; calls of one service are decided one after another, and wait for the disk together.
// Bounds:  every key is kept in memory, about 500 bytes each: an example's life is a few million.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "examples/shop/business.hpp"
#include "examples/shop/line_file.hpp"

namespace ordo::shop {

enum class Role : std::uint8_t { kActs, kUndoes, kLooks };

/// What came of a call.
struct Reply {
  enum class What : std::uint8_t { kDone, kRefused, kConflict };
  What what = What::kDone;
  Entry entry{};           ///< the first one of this key
  bool is_repeat = false;  ///< that key was there already
};

struct ServiceSums {
  std::uint64_t done = 0, refused = 0;  ///< effects, by their first answer
  std::uint64_t repeats = 0;            ///< calls with a known key, since the start
  std::uint64_t fenced = 0;             ///< refused because they were undone before they came
  std::uint64_t early_undos = 0;        ///< of effects that had not come
  Json business = Json::object();
};

class Service {
 public:
  /// `path` is its ledger; it is read back first.
  static Result<std::unique_ptr<Service>> open(const std::string& path,
                                               std::unique_ptr<Business> business);

  /// `refusal`: why it says no for good, whatever its business thinks; empty: it does not.
  Reply call(const Call& call, Role role, std::string_view refusal, std::int64_t now_ms);
  [[nodiscard]] ServiceSums sums() const;
  /// All entries of an operation, in their order.
  [[nodiscard]] std::vector<Entry> entries(std::string_view operation) const;

 private:
  Service(std::unique_ptr<LineFile> file, std::unique_ptr<Business> business)
      : file_(std::move(file)), business_(std::move(business)) {}
  Entry decide(const Call& call, Role role, std::string_view refusal, std::int64_t now_ms) const;
  /// False where the entry cannot follow those before it.
  bool keep(Entry entry);

  const std::unique_ptr<LineFile> file_;
  const std::unique_ptr<Business> business_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> by_key_;  ///< place in entries_
  std::unordered_set<std::string> undone_;               ///< keys, there or not
  std::uint64_t last_round_ = 0;
  ServiceSums sums_;
};

}  // namespace ordo::shop
