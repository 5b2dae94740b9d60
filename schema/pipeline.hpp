// The definition of a pipeline: parsed from YAML, validated as a whole, explained where it is
// wrong.
//
// Shapes:  Pipeline is a DAG of 1 to 256 steps. A step's index is its position in the file and
//          never changes within a version; the order of the file says nothing about the DAG.
// Units:   durations are milliseconds; in YAML "300ms", "5s", "15m", "2h", "30d".
// Errors:  all problems of a text at once, each with line, column, what is wrong and what to write
//          instead.
// Threads: parsing is a pure function of the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "ordo/result.hpp"
#include "schema/limits.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

/// When a failed attempt is tried again: delay n = min(cap, first · factor^(n-1)) · U(0.5, 1).
struct RetryPolicy {
  int attempts = 10;    ///< failures after which the task is parked, 1 to 100
  Millis first{200};    ///< ≥ 1 ms
  double factor = 2.0;  ///< 1 to 100
  Millis cap{60'000};   ///< first to 24 h
  int alarm_after = 5;  ///< failures after which an alarm is raised once, 1 to 100

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

enum class OnTimeout : std::uint8_t { kFail, kSkip, kStep };

struct Step {
  std::string name;
  std::string handler;            ///< what workers register; the step's name by default
  std::string queue;              ///< the line it waits in; the step's name by default
  std::vector<StepIndex> after;   ///< direct predecessors, ascending
  std::vector<StepIndex> before;  ///< direct successors, ascending (derived)
  Millis timeout{30'000};         ///< of one attempt, 1 ms to 24 h; of the wait where `wait` is set
  RetryPolicy retry;
  std::string compensate;  ///< handler that undoes it; empty: none
  RetryPolicy compensate_retry;
  bool irreversible = false;
  std::string wait;  ///< signal name; empty: none
  OnTimeout on_timeout = OnTimeout::kFail;
  std::string on_timeout_step;  ///< with kStep
  std::string late;             ///< pipeline started for a signal that comes too late
  Millis delay{0};
  std::string each;  ///< context field (a list) to fan out over; empty: none
  std::string when;  ///< condition on context fields, as written; empty: always
  std::string uses;  ///< dependency; empty: none
  bool optional = false;
  bool async = false;  ///< class: async
  std::string fallback;
  std::string order;  ///< pipeline of a sub-order; empty: none
  std::string fair_by;
  std::string limit_key;
  int line = 0;  ///< where its name stands, from 1
  int column = 0;

  friend bool operator==(const Step&, const Step&) = default;
};

struct Pipeline {
  PipelineId id = 0;  ///< hash of (name, version, source); never 0
  std::string name;
  std::uint32_t version = 1;       ///< 1 to 2^31-1
  std::optional<Millis> deadline;  ///< of the whole order, from its acceptance
  std::string restore;             ///< rule for orphan signals; empty: none
  std::vector<Step> steps;         ///< at least one
  std::string source;              ///< the text as given

  /// Index of a step by name; nullopt where there is none.
  [[nodiscard]] std::optional<StepIndex> find(std::string_view step) const;
};

/// One thing that is wrong with a pipeline's text.
struct Problem {
  int line = 0;         ///< from 1; 0 where the whole file is meant
  int column = 0;       ///< from 1
  std::string what;     ///< "unknown key `retires`"
  std::string instead;  ///< "did you mean `retry`?"; may be empty

  /// "FILE:LINE:COLUMN: what: instead"
  [[nodiscard]] std::string to_string(std::string_view file) const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// The pipeline in `text`, or every problem found in it (never empty then). Bounds of limits.hpp
/// hold.
tl::expected<Pipeline, std::vector<Problem>> parse_pipeline(std::string_view text);

/// What the engine cannot run yet, as problems that name the key: refused at `pipeline apply`,
/// never ignored.
std::vector<Problem> unsupported(const Pipeline& pipeline);

/// What a pipeline that is right leaves undone, once a step: steps without `compensate` before one
/// that may end the order. Nothing where no step of it is undone at all.
std::vector<Problem> warnings(const Pipeline& pipeline);

/// "fails with: …" joined for an Error of code malformed, reason "invalid_pipeline".
Error to_error(const std::vector<Problem>& problems, std::string_view file);

}  // namespace ordo
