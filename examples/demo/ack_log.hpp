// The client's own record of what it was told: which orders it tried, and what the answers were. On
// disk before the demo believes them.
//
// Shapes:  a text file, one line a word: "try ID" before an order leaves, then "ok ID", "fail ID
//          REASON" (nothing happened) or "unknown ID" (it may have happened).
// Errors:  open() and read_acks() say which file; a disk that refuses a line is an Error of sync().
// Threads: one owner.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/order_id.hpp"
#include "ordo/result.hpp"

namespace ordo::demo {

/// What a client knows, by the text of the order's id.
struct Acks {
  std::set<std::string> tried;
  std::set<std::string> acked;
  std::set<std::string> refused;
  std::set<std::string> unknown;
};

class AckLog {
 public:
  static Result<std::unique_ptr<AckLog>> open(const std::string& path);
  ~AckLog();
  AckLog(const AckLog&) = delete;
  AckLog& operator=(const AckLog&) = delete;

  void tried(const OrderId& id) { line("try", id, {}); }
  void acked(const OrderId& id) { line("ok", id, {}); }
  void refused(const OrderId& id, std::string_view reason) { line("fail", id, reason); }
  void unknown(const OrderId& id) { line("unknown", id, {}); }
  /// Writes what was noted and returns when it is on disk.
  Result<void> sync();

 private:
  explicit AckLog(int fd) : fd_(fd) {}
  void line(std::string_view word, const OrderId& id, std::string_view more);

  int fd_;
  std::string waiting_;
};

Result<Acks> read_acks(const std::string& path);

}  // namespace ordo::demo
