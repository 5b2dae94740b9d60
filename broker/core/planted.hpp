// Bugs on purpose: what the simulator must find.
//
// Threads: values that never change.
#pragma once

#include <string>

namespace ordo {

/// Bugs that the simulator plants to prove that it would find them.
struct Planted {
  explicit Planted(const std::string& name);
  bool early_ack, in_doubt_failed, in_doubt_done, no_fence, attempt_at_least, split_successor,
      lost_timers, double_attempt, credit_leak, stale_epoch, resurrect, stale_join, forgotten_maybe,
      forward_undo, kept_maybe, half_undone, when_ignored, optional_ends, late_async, early_join,
      forgotten_fan, forgotten_held, both_win, early_lost, mixed_undo, one_for_all, key_ignored,
      turn_lost, late_lost, late_again, orphan_lost, restored_twice, sweep_forgotten;
};

}  // namespace ordo
