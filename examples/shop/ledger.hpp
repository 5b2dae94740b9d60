// A worker's own record of what it did to the world: one line an executed effect, on disk before
// the result is answered. What the demo and the fault tests hold against the tables.
//
// Shapes:  a text file, one line an effect: KEY ATTEMPT WORKER START_MS END_MS OUTCOME, separated
//          by spaces. KEY is the effect key ORDER/step/branch/kind; OUTCOME succeeded, transient,
//          permanent or cancelled.
// Units:   milliseconds of the machine's monotonic clock: comparable between processes of one
//          machine.
// Errors:  open() and read_ledger() say which file; see line_file.hpp.
// Threads: append() from any thread. Lines that come while the disk is busy share the next
//          fdatasync.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "examples/shop/line_file.hpp"
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

  /// Returns when the line is on disk.
  void append(const Effect& effect);

 private:
  explicit Ledger(std::unique_ptr<LineFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<LineFile> file_;
};

/// The effects of a ledger, in the order of its lines.
Result<std::vector<Effect>> read_ledger(const std::string& path);

/// Of the machine's monotonic clock.
std::int64_t monotonic_ms();

}  // namespace ordo::shop
