// A text file that only grows: what is put into it is on disk once it has been waited for. Lines
// that come while the disk is busy share the next write.
//
// Use:     const auto round = file.put(line); … file.wait(round);
// Rule:    lines stand in the file in the order of put(): whoever puts under a lock of its own has
//          them in the order of its decisions, and waits without that lock.
// Errors:  open() says which file. A write or fdatasync that fails stops the process: an effect
//          without its line would make the record worthless. read_lines() leaves out a last line
//          without its end: its writer was killed before the effect counted.
// Threads: any.
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

class LineFile {
 public:
  /// Made where it is not there. A last line without its end is cut off, so that the next one does
  /// not continue it.
  static Result<std::unique_ptr<LineFile>> open(const std::string& path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// Takes a line (without its end); the round to wait for.
  std::uint64_t put(std::string_view line);
  /// Returns when the lines of that round, and all before them, are on disk. 0: returns at once.
  void wait(std::uint64_t round);

 private:
  explicit LineFile(int fd) : fd_(fd) {}

  const int fd_;
  std::mutex mutex_;
  std::condition_variable written_;
  std::string waiting_;           ///< lines that the next write takes
  std::uint64_t next_round_ = 1;  ///< the write that takes them
  std::uint64_t done_round_ = 0;  ///< the last write that is on disk
  bool is_writing_ = false;
};

/// The whole lines of a file. Error: kNotFound.
Result<std::vector<std::string>> read_lines(const std::string& path);

}  // namespace ordo::shop
