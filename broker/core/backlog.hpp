// Where a shard stands with the rows of its queues that are in the tables and not in hand.
//
// Threads: values of the engine's owner.
#pragma once

#include <array>
#include <cstdint>

#include "schema/limits.hpp"

namespace ordo {

/// Where one (queue, priority) of a shard stands in its backlog.
struct BacklogLine {
  std::int64_t cursor = 0;   ///< seq up to which everything was paged in
  std::int64_t written = 0;  ///< seq of the newest row sent there
  std::int64_t asked = 0;    ///< `written` when the page under way was asked for
  /// after a takeover: the owner before may have given out this many more of the oldest rows …
  std::uint32_t suspects = 0;
  std::int64_t suspect_seq = 0;  ///< … and those up to this seq
  bool is_unknown = false;       ///< after a takeover, until a page says that it was the last
  [[nodiscard]] bool has_more() const { return is_unknown || cursor < written; }
};
struct Backlog {
  std::array<BacklogLine, limits::kPriorities> lines;
  std::array<std::uint64_t, limits::kPriorities> pass{};  ///< stride scheduling
  std::array<bool, limits::kPriorities> had_more{};       ///< at the last turn
  std::uint64_t pass_now = 0;
  bool is_paging = false;
  std::uint64_t count = 0;  ///< about how many rows wait
  [[nodiscard]] bool has_more() const;
};

/// What a gate holds of a queue in the tables of a shard.
struct HeldLine {
  BacklogLine line;
  bool is_paging = false;
  std::uint64_t count = 0;  ///< about how many rows
};

}  // namespace ordo
