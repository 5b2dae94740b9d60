// What a broker says about itself over HTTP: alive while its loop moves, ready while it can take an
// order.
//
// Rule:    judged from the loop's stamp and from what the loop has written down, never from the
//          thread that answers: a hung loop turns /livez to 503 although HTTP still works.
// Threads: the loop writes, HTTP threads read.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/http_server.hpp"
#include "base/time.hpp"

namespace ordo {

class Health {
 public:
  Health(std::size_t shards, Steady started)
      : shards_(shards), started_(started), stamp_(micros(started)) {}

  /// The loop has come round.
  void stamp(Steady now) { stamp_.store(micros(now), std::memory_order_relaxed); }
  void set_open(std::size_t open_shards) { open_.store(open_shards, std::memory_order_relaxed); }
  /// Shards that another broker holds, as the last attempts to take them said.
  void set_elsewhere(std::size_t shards) { elsewhere_.store(shards, std::memory_order_relaxed); }
  void set_draining() { is_draining_.store(true, std::memory_order_relaxed); }

  /// 200 while the loop came round within 3 s.
  [[nodiscard]] HttpAnswer livez(Steady now) const;
  /// 200 while alive, not draining and with a shard open. Right after the start it waits a little
  /// for all of them.
  [[nodiscard]] HttpAnswer readyz(Steady now) const;

  /// 200 where readyz is, and where another broker holds each shard that this one does not: it has
  /// nothing to do but could take over. What waits for a new broker before it ends the next asks
  /// this.
  [[nodiscard]] HttpAnswer standbyz(Steady now) const;

  /// Of the loop's last pass.
  [[nodiscard]] Millis age(Steady now) const;

 private:
  [[nodiscard]] HttpAnswer judged(Steady now, bool has_shards) const;
  static std::int64_t micros(Steady at) { return at.time_since_epoch().count(); }

  const std::size_t shards_;
  const Steady started_;
  std::atomic<std::int64_t> stamp_;
  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> elsewhere_{0};
  std::atomic<bool> is_draining_{false};
};

}  // namespace ordo
