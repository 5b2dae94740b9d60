// The test kit: runs one handler, or a whole pipeline, inside a unit test. No broker, no database,
// no waiting: time is virtual, so a retry in an hour costs nothing.
//
// Use:     ordo::testkit::PipelineTest test(R"(pipeline: p …)");
//          test.on("charge", charge).takes("charge", 200ms);
//          const auto report = test.run({.payload = "{}"});
//          EXPECT_EQ(report.status, "succeeded"); EXPECT_EQ(report.at("charge").attempts, 2u);
// Shapes:  what is allowed, retried, parked and skipped is decided as the engine does; steps that
//          may run in parallel overlap in virtual time, and there is a slot for each.
// Errors:  what is wrong with the YAML, or a step without handler, stands in Report::problem;
//          nothing throws.
// Threads: handlers are called one after another on the caller's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/task.hpp"

namespace ordo::testkit {

/// The task that a single handler is tested with.
struct TestTask {
  std::string pipeline = "test";
  std::string step = "step";
  std::string payload{};
  std::string context{};                         ///< JSON object; empty: none
  std::map<std::string, std::string> results{};  ///< of earlier steps, by name
  std::uint32_t attempt = 1;
  bool is_maybe = false;
  bool is_compensation = false;
  bool is_cancelled = false;                  ///< the handler finds itself cancelled
  std::string traceparent{}, tracestate{};    ///< the order's trace; empty: none
  std::chrono::milliseconds timeout{30'000};  ///< what time_left() says
};

struct HandlerReport {
  TaskOutcome outcome;             ///< as a broker would get it
  std::vector<std::string> notes;  ///< its progress notes
  std::vector<std::string> lines;  ///< what it logged: "warn the bank is slow"
};

/// Calls the handler as a worker does: what it throws is transient, and so is a result or context
/// past its bounds.
HandlerReport run_handler(const Handler& handler, const TestTask& task = {});

/// The order that a pipeline is tested with.
struct TestOrder {
  std::string payload{};
  std::string context{};                    ///< JSON object; empty: none
  std::chrono::milliseconds deadline{0};    ///< 0: the pipeline's
  std::string traceparent{}, tracestate{};  ///< empty: none
  std::uint64_t seed = 1;                   ///< of the retries' jitter and the order's id
};

struct StepReport {
  std::string step;
  std::string state;           ///< succeeded, parked, failed, cancelled or pending (never opened)
  std::uint32_t attempts = 0;  ///< how often the handler was called
  std::uint32_t failures = 0;  ///< those that burned the retry budget
  std::string result;
  std::string error;                       ///< the last one
  std::chrono::milliseconds opened_at{0};  ///< virtual time since the order was taken
  std::chrono::milliseconds ended_at{0};
};

struct Report {
  std::string problem;  ///< why nothing could be run; empty: all is well
  std::string status;   ///< succeeded, failed, parked or running (gave up, see `problem`)
  std::chrono::milliseconds elapsed{0};  ///< virtual
  std::string context;                   ///< at the end
  std::vector<StepReport> steps;         ///< in the order of the file
  std::vector<std::string> timeline;     ///< "1200 ms charge attempt 2: transient: bank is away"

  /// The step's report; an empty one where there is no such step.
  [[nodiscard]] const StepReport& at(std::string_view step) const;
};

class PipelineTest {
 public:
  explicit PipelineTest(std::string_view yaml);
  ~PipelineTest();
  PipelineTest(PipelineTest&&) noexcept;
  PipelineTest& operator=(PipelineTest&&) noexcept;

  /// The handler of every step whose `handler` is `name`.
  PipelineTest& on(std::string name, Handler handler);
  /// How long attempts of a step take (default: no time). Past the step's timeout the attempt is
  /// lost: whatever the handler answers, the engine counts a timeout and the next attempt is a
  /// `maybe`.
  PipelineTest& takes(std::string step, std::chrono::milliseconds time);
  PipelineTest& takes(std::string step,
                      std::function<std::chrono::milliseconds(std::uint32_t attempt)> time);

  [[nodiscard]] Report run(const TestOrder& order = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordo::testkit
