// What the doctor says about the tables: each kind of finding with its word, and one finding with
// what would repair it.
//
// Shapes:  a word is for programs and for docs/doctor.md, which has a row for each kind here.
// Threads: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schema/vocabulary.hpp"

namespace ordo::doctor {

/// How sure it is that something is wrong: `broken` breaks a promise of the engine, `suspicious`
/// should not last, a `note` is for whoever looks.
enum class Severity : std::uint8_t { kNote, kSuspicious, kBroken };

constexpr std::string_view to_string(Severity severity) {
  constexpr std::array<std::string_view, 3> kWords{"note", "suspicious", "broken"};
  return kWords[static_cast<std::size_t>(severity)];
}

struct Kind {
  std::string_view word;
  Severity severity;
};

// Orders and their rows.
inline constexpr Kind kOrderStuck{"order_stuck", Severity::kBroken};
inline constexpr Kind kFinalOwed{"final_owed", Severity::kBroken};
inline constexpr Kind kRowOrphan{"row_orphan", Severity::kBroken};
inline constexpr Kind kEventOrphan{"event_orphan", Severity::kBroken};
inline constexpr Kind kSignalOrphan{"signal_orphan", Severity::kNote};
inline constexpr Kind kSignalUndelivered{"signal_undelivered", Severity::kSuspicious};
inline constexpr Kind kStepUnknown{"step_unknown", Severity::kBroken};
inline constexpr Kind kRowTwice{"row_twice", Severity::kBroken};
inline constexpr Kind kTaskRecorded{"task_recorded", Severity::kBroken};
inline constexpr Kind kStepTwice{"step_twice", Severity::kBroken};
inline constexpr Kind kStepEarly{"step_early", Severity::kBroken};
inline constexpr Kind kNotUndone{"not_undone", Severity::kBroken};
inline constexpr Kind kFinalTwice{"final_twice", Severity::kBroken};
inline constexpr Kind kFinalChanged{"final_changed", Severity::kBroken};
inline constexpr Kind kParkedNothing{"parked_nothing", Severity::kBroken};
inline constexpr Kind kParkedUnsaid{"parked_unsaid", Severity::kBroken};
inline constexpr Kind kWaitingForever{"waiting_forever", Severity::kBroken};
inline constexpr Kind kDueIgnored{"due_ignored", Severity::kSuspicious};
// Pipelines.
inline constexpr Kind kPipelineMissing{"pipeline_missing", Severity::kBroken};
inline constexpr Kind kPipelineDiffers{"pipeline_differs", Severity::kBroken};
inline constexpr Kind kPipelineCorrupt{"pipeline_corrupt", Severity::kBroken};
// The shard and its tables.
inline constexpr Kind kSchemaVersion{"schema_version", Severity::kBroken};
inline constexpr Kind kPartitionMissing{"partition_missing", Severity::kBroken};
inline constexpr Kind kPartitionHalf{"partition_half", Severity::kSuspicious};
inline constexpr Kind kPartitionDefault{"partition_default", Severity::kSuspicious};
inline constexpr Kind kIndexInvalid{"index_invalid", Severity::kBroken};
inline constexpr Kind kSettingDrift{"setting_drift", Severity::kSuspicious};
inline constexpr Kind kEpochAhead{"epoch_ahead", Severity::kBroken};
inline constexpr Kind kOwnerGone{"owner_gone", Severity::kNote};
inline constexpr Kind kOwnerUnlocked{"owner_unlocked", Severity::kSuspicious};
inline constexpr Kind kOwnerOther{"owner_other", Severity::kSuspicious};
inline constexpr Kind kOwnerMany{"owner_many", Severity::kBroken};
inline constexpr Kind kXminOld{"xmin_old", Severity::kSuspicious};
inline constexpr Kind kDeadRows{"dead_rows", Severity::kSuspicious};

inline constexpr std::array kKinds{
    kOrderStuck,        kFinalOwed,      kRowOrphan,        kEventOrphan,     kSignalOrphan,
    kSignalUndelivered, kStepUnknown,    kRowTwice,         kTaskRecorded,    kStepTwice,
    kStepEarly,         kNotUndone,      kFinalTwice,       kFinalChanged,    kParkedNothing,
    kParkedUnsaid,      kWaitingForever, kDueIgnored,       kPipelineMissing, kPipelineDiffers,
    kPipelineCorrupt,   kSchemaVersion,  kPartitionMissing, kPartitionHalf,   kPartitionDefault,
    kIndexInvalid,      kSettingDrift,   kEpochAhead,       kOwnerGone,       kOwnerUnlocked,
    kOwnerOther,        kOwnerMany,      kXminOld,          kDeadRows};

/// One statement of a repair. `:n` in it is a number that no other event of the repair has, `:who`
/// and `:why` who repairs and why; settle() puts them in.
struct Statement {
  std::string what;  ///< in words
  std::string sql;
  /// How many rows it must touch, or nothing of the repair happens; -1: any number.
  int rows = 1;

  friend bool operator==(const Statement&, const Statement&) = default;
};

struct Repair {
  std::vector<Statement> statements{};  ///< one transaction; empty: nothing is safe
  bool needs_shard = true;              ///< refused while a broker owns the shard
  std::string by_hand{};                ///< what a person does where nothing is safe

  friend bool operator==(const Repair&, const Repair&) = default;
};

struct Finding {
  Kind kind{};
  ShardNumber shard = 0;
  std::string order{};  ///< an order's id; empty where it is about more than one
  std::string sentence{};
  Repair repair{};
  PipelineId pipeline = 0;  ///< where it is about a version; 0: it is not
};

/// What settle() puts into a statement.
struct Signature {
  std::string who, why;
  int number = 1;  ///< of `:n`
};

/// A text as an SQL literal.
std::string quoted(std::string_view text);
/// The statement as it is run.
std::string settle(const Statement& statement, const Signature& signature);

}  // namespace ordo::doctor
