// Holds three independent records of the same orders against each other, id by id: what the client
// was told, what the workers did, what the tables say.
//
// Shapes:  plain values in, findings out. Each kind of finding has its count and its first
//          examples.
// Rules:   an acknowledged order is in the tables and has ended, is parked, or has something that
//          is still owed to it (else `lost`); no step of an order and no order's end is recorded
//          twice; what was refused is not there, what is there was submitted, by a client or by the
//          shop itself; a recorded result was executed, by an attempt that a ledger has with that
//          outcome, or by somebody who keeps none; a succeeded order has every step that it does
//          not go on without.
// Not one: an effect that was executed more often than it is recorded. Workers die between the two:
//          that is what effect keys are for, and it is counted as `repeated_effects`.
// Threads: pure.
// Costs:   about 1 µs a line of a record, in memory.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "examples/demo/ack_log.hpp"
#include "examples/shop/ledger.hpp"

namespace ordo::demo {

struct OrderRecord {
  std::string id;
  std::string pipeline;  ///< its key in Tables::steps
  std::string status;
  std::int64_t accepted_ms = 0;  ///< wall clock
  bool is_owed = false;          ///< a task or a wait of it is there
};

struct EventRecord {
  std::string order;
  std::string step;  ///< name; empty for what happens to the whole order
  unsigned branch = 0;
  std::string task_kind;  ///< forward, compensate, deadline or fallback
  std::string kind;
  std::string status;  ///< the order's new one; empty: unchanged
  std::uint32_t attempt = 0;
  std::string worker;
  std::int64_t at_ms = 0;  ///< wall clock
};

/// What the tables hold, as an independent reader found it.
struct Tables {
  std::map<std::string, std::vector<std::string>> steps;  ///< of each pipeline version
  std::vector<OrderRecord> orders;
  std::vector<EventRecord> events;
  std::map<std::string, std::set<std::string>> aside{};  ///< steps that an end does not wait for
  std::set<std::string> own{};       ///< pipelines whose orders the shop submits itself
  std::set<std::string> unlogged{};  ///< steps of workers that keep no ledger
};

struct Finding {
  std::uint64_t count = 0;
  std::vector<std::string> examples;  ///< sentences about the first few
};

struct Verdict {
  Finding lost;               ///< acknowledged, but not in the tables or neither ended nor parked
  Finding duplicate_records;  ///< a step or an end recorded twice
  Finding unexpected;         ///< in the tables, but never submitted or refused
  Finding unexecuted;         ///< a recorded result that no ledger knows of
  /// a recorded result of an attempt that no ledger has with that outcome
  Finding wrong_attempt;
  Finding incomplete;  ///< a succeeded order with a step that has no record
  /// executions beyond the first of the same effect that succeeded
  std::uint64_t repeated_effects = 0;

  [[nodiscard]] bool is_clean() const {
    return lost.count + duplicate_records.count + unexpected.count + unexecuted.count +
               wrong_attempt.count + incomplete.count ==
           0;
  }
};

Verdict check_records(const Acks& acks, const std::vector<shop::Effect>& ledger,
                      const Tables& tables);

/// The effect key of a step: "ORDER/step/branch/kind".
std::string effect_key(const EventRecord& event);

}  // namespace ordo::demo
