// Whose turn it is among tasks of one queue that a field of the context tells apart: `fair_by`
// (values take turns within a priority) and `limit_key` (so many tasks of a value at once).
//
// Shapes:  FairLines is a queue's lines where one of its steps has `fair_by`, KeyBook all values of
//          `limit_key` that somebody has or waits for. What nobody needs is forgotten.
// Bounds:  a value is at most kValueBytes long, else its hash; there are no more values than tasks
//          in hand, and turns that a scheduled task keeps, which the engine bounds.
// Threads: the engine's owner.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/hooks.hpp"
#include "schema/limits.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct Queue;
struct Task;

/// Tasks of one value of `limit_key` that run at once.
inline constexpr std::size_t kTurnsPerValue = 1;
/// Turns beyond this many end with the attempt: about 20 MB of memory.
inline constexpr std::size_t kTurnsKept = 100'000;

/// What a field of an order's context says: JSON text, short; empty where it is not there.
std::string turn_value(std::string_view context, std::string_view field);

/// The tasks of one value in line.
struct FairValue {
  const std::string* name = nullptr;
  std::size_t tasks = 0;  ///< in hand
  std::array<List<Task>, limits::kPriorities> lines;
  std::bitset<limits::kPriorities> is_in_ring;
};

/// Lines of a queue in which values take turns. What has no value counts as one.
class FairLines {
 public:
  /// For a task that comes in hand, until leave().
  FairValue& join(const std::string& value);
  void leave(FairValue& value);
  void push(Task& task, bool is_first);
  [[nodiscard]] bool has(std::size_t priority);
  /// The task whose turn it is, taken out of its line; there must be one.
  Task* pop(std::size_t priority);
  [[nodiscard]] Task* oldest() const;

 private:
  std::map<std::string, FairValue> values_;
  FairValue none_;
  std::array<std::deque<FairValue*>, limits::kPriorities> rings_;
};

class KeyBook;

/// One value of `limit_key` in one queue.
struct KeyLine {
  KeyBook* book = nullptr;
  Queue* queue = nullptr;
  const std::pair<std::uint32_t, std::string>* place = nullptr;  ///< queue's index and value
  std::size_t turns = 0;                                         ///< taken
  std::size_t tasks = 0;                                         ///< in hand
  List<Task> waiting;                                            ///< ready, until a turn is free
};

/// Who has a turn of which value. A turn is a task's from when it is first given out until its
/// end is durable; a retry keeps it.
class KeyBook {
 public:
  /// For a task that comes in hand, until left().
  void join(Task& task, const std::string& value);
  void left(Task& task, bool keeps_turn);
  void take(KeyLine& line, const TaskKey& key);
  void take(Queue& queue, const std::string& value, const TaskKey& key);
  void end(const TaskKey& key);
  [[nodiscard]] KeyLine* line_of(const TaskKey& key) const;
  [[nodiscard]] std::size_t turns() const { return turns_.size(); }
  void forget_shard(ShardNumber shard);
  /// All that wait look anew whether they may go.
  void look_again();
  /// Lines in which a turn has become free since it was last asked, in order.
  [[nodiscard]] std::vector<KeyLine*> take_freed();
  /// How many of a queue's tasks wait for a turn.
  [[nodiscard]] std::size_t waiting_in(const Queue& queue);

 private:
  using Place = std::pair<std::uint32_t, std::string>;
  KeyLine& line(Queue& queue, const std::string& value);
  void tidy(KeyLine& line);

  std::map<Place, KeyLine> lines_;
  std::map<TaskKey, KeyLine*> turns_;
  std::set<Place> freed_;
};

}  // namespace ordo
