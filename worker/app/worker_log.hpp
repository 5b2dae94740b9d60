// A worker's log: lines of what happens to its connections and attempts, and of what handlers say,
// with the fields that the broker's lines have.
//
// Shapes:  base/log_line.hpp; `worker` stands in each line, and in those of an attempt order,
//          pipeline, step, branch, attempt, trace_id and span_id.
// Rule:    payloads, results and contexts are never logged.
// Threads: any; the sink must bear that.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.hpp"
#include "schema/messages.hpp"

namespace ordo::worker {

/// What names an attempt in a log. The fields point into the offer and into this.
class AttemptFields {
 public:
  explicit AttemptFields(const wire::Offer& offer);
  AttemptFields(const AttemptFields&) = delete;
  AttemptFields& operator=(const AttemptFields&) = delete;

  [[nodiscard]] std::span<const log::Field> all() const { return fields_; }

 private:
  std::string order_, span_;
  std::vector<log::Field> fields_;
};

class WorkerLog {
 public:
  using Sink = std::function<void(std::string_view line)>;
  /// Without a sink nothing is written.
  WorkerLog(Sink sink, log::Level least, log::Form form, std::string worker)
      : sink_(std::move(sink)), least_(least), form_(form), worker_(std::move(worker)) {}

  [[nodiscard]] bool is_on(log::Level level) const { return sink_ && level >= least_; }
  void write(log::Level level, std::string_view message, std::vector<log::Field> fields) const;

 private:
  Sink sink_;
  log::Level least_;
  log::Form form_;
  std::string worker_;
};

}  // namespace ordo::worker
