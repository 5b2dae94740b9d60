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

#include "examples/demo/record_checker.hpp"
#include "examples/demo/submitter.hpp"
#include "examples/ledger.hpp"

namespace ordo::demo {

struct Percentiles {
  double p50 = 0, p99 = 0;
};

/// What became of the orders of one pipeline, or of all.
struct Outcomes {
  std::uint64_t orders = 0, succeeded = 0, failed = 0, parked = 0, cancelled = 0, open = 0;
  Percentiles ms;  ///< accepted to ended, of those that ended
};

struct Summary {
  std::uint64_t submitted = 0;  ///< acknowledged
  std::uint64_t refused = 0, unknown = 0;
  Outcomes all;
  std::map<std::string, Outcomes> by_pipeline;
  std::uint64_t tasks = 0;     ///< steps with a recorded end
  std::uint64_t attempts = 0;  ///< executions in the ledgers
  std::uint64_t late_results = 0, workers_lost = 0;
  double seconds = 0;  ///< first order accepted to last event
  Percentiles ack_ms;
  std::int64_t recovery_ms = 0;
  Verdict verdict;
};

/// The worker that was killed, and when (monotonic clock).
struct Kill {
  std::string worker;
  std::int64_t at_ms = 0;
};

struct Records {
  Acks acks;
  std::vector<shop::Effect> ledger;
  Tables tables;
};

/// `names` maps the pipeline keys of the tables to names. Runs the checker.
Summary summarize(const Records& records, const SubmitCounts& counts, const Kill& kill,
                  const std::map<std::string, std::string>& names);

/// Kill until the last task that the worker held starts again; 0 where it held none that had to.
std::int64_t recovery_ms(const Records& records, const Kill& kill);

Percentiles percentiles(std::vector<double> values);

std::string to_json_line(const Summary& summary);
std::string to_table(const Summary& summary);
/// A line for each kind of finding; empty where all is well.
std::string findings_of(const Verdict& verdict);

}  // namespace ordo::demo
