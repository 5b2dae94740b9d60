// Parked tasks as a client finds them: one a line, filtered, in groups of one pipeline, step and
// kind of error.
//
// Shapes:  an error is named by its signature (signature.hpp), which is what groups and filters
//          compare.
// Errors:  of Client::list.
// Threads: any; each call is a conversation of its own.
// Bounds:  looks at kLooks orders, pages of 1,000.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ordo/client.hpp"

namespace ordo::parked {

/// As many orders as one look goes through.
inline constexpr std::size_t kLooks = 10'000;

/// One parked task of one order.
struct ParkedTask {
  client::TaskOf task;
  std::string pipeline;
  std::string error;  ///< signature of what it failed with
  std::int64_t accepted_at_ms = 0;
};

/// Which tasks are meant; what is empty matches all.
struct ParkedFilter {
  std::string pipeline, step;
  std::string error;              ///< signature …
  bool is_part_of_error = false;  ///< … or a part of it
  [[nodiscard]] bool matches(const ParkedTask& task) const;
};

/// Tasks that wait for the same reason.
struct ParkedGroup {
  std::size_t count = 0;
  ParkedTask oldest;
};

struct ParkedLook {
  std::vector<ParkedTask> tasks;
  std::size_t orders = 0;  ///< looked at
  bool is_all = false;     ///< there are no more
};

/// A task's step as people name it: pay, or ~pay for what undoes it.
std::string shown_step(const client::TaskOf& task);
/// The parked tasks of an order as a list of parked orders has it.
std::vector<ParkedTask> parked_tasks_of(const client::OrderView& order);
/// The largest group first.
std::vector<ParkedGroup> groups_of(const std::vector<ParkedTask>& tasks);
/// Oldest orders first, until `is_enough` or kLooks.
Result<ParkedLook> look_for_parked(client::Client& client,
                                   const std::function<bool(const ParkedLook&)>& is_enough);

}  // namespace ordo::parked
