// Runs steps as the configuration says: finds a place at the dependency, calls it, makes an outcome
// of what comes back, and counts.
//
// Use:     Executor executor(config); executor.add_to(worker); worker.start().
// Rule:    where a call goes is the configuration's alone; an order fills its body and headers.
// Errors:  a handler of it always answers an outcome.
// Threads: built and added by one thread; then slots call handlers, and metrics() may be called
//          from any. It must outlive the worker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ordo/worker.hpp"
#include "worker/executor/config.hpp"

namespace ordo::executor {

class Executor {
 public:
  /// Makes the process ignore SIGPIPE: pipes and connections break.
  explicit Executor(Config config);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Registers a handler for each step, and what is counted here for /metrics.
  void add_to(Worker& worker) const;
  /// The handler of one step, by its place in the configuration.
  [[nodiscard]] Handler handler(std::size_t step) const;
  /// In Prometheus' text format.
  [[nodiscard]] std::string metrics() const;

 private:
  class Dependency;
  TaskOutcome run(const Step& step, Dependency& dependency, Task& task) const;

  const Config config_;
  std::vector<std::unique_ptr<Dependency>> dependencies_;
  std::vector<Dependency*> by_step_;  ///< of each step
};

}  // namespace ordo::executor
