// What an operator sets about the engine, validated as a whole.
//
// Units:   in the names and types. Every field has its default, bounds and what too small or too
//          large does.
// Errors:  problem() gives one sentence for the first setting that is out of range.
// Threads: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct Settings {
  std::vector<ShardNumber> shards{0, 1};  ///< that this broker wants to own; 1 to 64
  std::string broker_name = "broker";     ///< shown to peers and in facts
  std::string version = "0";

  Millis beat{1000};  ///< between heartbeats, 100 ms to 10 s
  /// after which a peer is given up; ≥ 3 beats (less: a lost beat is a lost worker)
  Millis silence{3000};
  Millis grace{2000};  ///< after takeover, for workers to claim what they run; 0 to 60 s
  /// since the last round trip on a shard's session; then nothing is sent for it
  Millis trust{1000};
  Millis reopen{500};  ///< between attempts to take a shard, jittered; 50 ms to 60 s

  std::uint32_t window_tasks = 16'000;  ///< in hand per queue, 2 to 1,000,000
  std::uint64_t window_bytes = 64u
                               << 20;  ///< payload, context and results in hand a queue, ≥ 4 MiB
  std::uint32_t page_rows = 1000;      ///< read at once from backlog or schedule, 1 to 10,000

  std::uint32_t inbox_orders = 20'000;    ///< submits not yet durable, per shard; past it: busy
  std::uint64_t inbox_bytes = 64u << 20;  ///< their payload bytes, per shard
  double submit_rate = 0;                 ///< orders a second in total; 0: no limit
  double client_rate = 0;                 ///< orders a second per client; 0: no limit
  /// tasks waiting (in hand and backlog); past it: busy; 0: no limit
  std::uint64_t waiting_orders = 0;
  std::uint32_t waiters = 100'000;  ///< Wait and Watch requests held at once
  /// after which a Wait or Watch that was not made again is forgotten; clients renew each minute
  Millis waiter_patience{180'000};

  Millis id_past{24LL * 3600 * 1000};  ///< an unknown id may be this old …
  Millis id_future{5LL * 60 * 1000};   ///< … or this far ahead of the owner's clock

  /// unit of the gaps between looks at a signal whose order is not there; 1 ms to 60 s
  Millis signal_gap{1000};

  std::uint64_t seed = 1;  ///< of jitter; the shell gives a random one
  /// a fact for each change of a task's state (simulator, transcripts)
  bool tells_transitions = false;
  std::string planted;  ///< test builds: the bug to plant ("PB-01"); empty: none

  /// One sentence about the first setting out of range; nullopt when all is well.
  [[nodiscard]] std::optional<std::string> problem() const;
};

}  // namespace ordo
