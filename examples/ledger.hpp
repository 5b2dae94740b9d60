// A worker's own record of what it did to the world: one line an executed effect, on disk before
// the result is answered. What the demo and the fault tests hold against the tables.
//
// Shapes:  a text file, one line an effect: KEY ATTEMPT WORKER START_MS END_MS OUTCOME, separated
//          by spaces. KEY is the effect key ORDER/step/branch/kind; OUTCOME succeeded, transient,
//          permanent or cancelled.
// Units:   milliseconds of the machine's monotonic clock: comparable between processes of one
//          machine.
// Errors:  open() and read_ledger() say which file. A write or fdatasync that fails stops the
//          process: an effect without its line would make the record worthless. A last line without
//          its end is left out.
// Threads: append() from any thread. Lines that come while the disk is busy share the next
//          fdatasync.
// Costs:   one fdatasync (0.1 to 1 ms here) for all lines that wait.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::shop {

struct Effect {
  std::string key;
  std::uint32_t attempt = 0;
  std::string worker;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::string outcome;

  friend bool operator==(const Effect&, const Effect&) = default;
};

class Ledger {
 public:
  static Result<std::unique_ptr<Ledger>> open(const std::string& path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Returns when the line is on disk.
  void append(const Effect& effect);

 private:
  explicit Ledger(int fd) : fd_(fd) {}

  const int fd_;
  std::mutex mutex_;
  std::condition_variable written_;
  std::string waiting_;           ///< lines that the next write takes
  std::uint64_t next_round_ = 1;  ///< the write that takes them
  std::uint64_t done_round_ = 0;  ///< the last write that is on disk
  bool is_writing_ = false;
};

/// The effects of a ledger, in the order of its lines.
Result<std::vector<Effect>> read_ledger(const std::string& path);

/// Of the machine's monotonic clock.
std::int64_t monotonic_ms();

}  // namespace ordo::shop
