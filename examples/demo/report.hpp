// What a run of the demo came to: the figures, as a table for people and as one JSON line for
// programs.
//
// Units:   in the names; latencies in milliseconds.
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "examples/demo/audit.hpp"
#include "examples/demo/record_checker.hpp"
#include "examples/demo/submitter.hpp"
#include "examples/shop/ledger.hpp"

namespace ordo::demo {

struct Percentiles {
  double p50 = 0, p99 = 0;
};

/// What became of the orders of one pipeline, or of all.
struct Outcomes {
  std::uint64_t orders = 0, succeeded = 0, failed = 0, parked = 0, cancelled = 0, open = 0;
  Percentiles ms;  ///< accepted to ended, of those that ended
};

/// The worker that was killed, and when by both clocks.
struct Kill {
  std::string worker;
  std::int64_t monotonic_ms = 0;
  std::int64_t wall_ms = 0;
};

/// What it took until nothing was missing any more.
struct Recovery {
  std::uint64_t tasks = 0;  ///< that the worker held and others had to begin again
  std::int64_t ms = 0;      ///< kill until the last of them began again; 0: there was none
};

struct Summary {
  std::uint64_t submitted = 0;  ///< acknowledged
  std::uint64_t refused = 0, unknown = 0;
  Outcomes all;
  std::map<std::string, Outcomes> by_pipeline;
  std::uint64_t tasks = 0;     ///< steps with a recorded end
  std::uint64_t attempts = 0;  ///< executions in the ledgers
  std::uint64_t late_results = 0;
  double seconds = 0;  ///< first order accepted to last event
  Percentiles ack_ms;
  std::uint64_t kills = 0;  ///< of workers
  Recovery recovery;        ///< after the kill that took longest
  double outage_s = 0;      ///< of the supplier
  Verdict verdict;
  Audit audit{};

  /// Whether nothing was lost, everything adds up, and every order that did not succeed says why.
  [[nodiscard]] bool is_clean() const {
    return verdict.is_clean() && audit.violations == 0 && audit.unexplained.empty();
  }
};

struct Records {
  Acks acks;
  std::vector<shop::Effect> ledger;
  Tables tables;
};

/// `names` maps the pipeline keys of the tables to names. Runs the checker.
Summary summarize(const Records& records, const SubmitCounts& counts,
                  const std::vector<Kill>& kills, const std::map<std::string, std::string>& names);

/// A task was held by the worker if its lease was lost with it, or timed out after the kill.
Recovery recovery_of(const Records& records, const Kill& kill);

Percentiles percentiles(std::vector<double> values);

std::string to_json_line(const Summary& summary);
std::string to_table(const Summary& summary);
/// A line for each kind of finding; empty where all is well.
std::string findings_of(const Verdict& verdict);
/// The same of all that was judged.
std::string findings_of(const Summary& summary);

}  // namespace ordo::demo
