// Orders that keep coming while something is broken: a thread that submits at a steady rate through
// the SDK and writes down what it is told.
//
// Use:     SteadyLoad load(system, 150); … break things on the main thread …; load.stop();
//          judge(system, load).
// Threads: one of its own for the submits; everything else belongs to the test's. What is broken
//          stays with the main thread, because children die with the thread that started them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "examples/demo/submitter.hpp"
#include "examples/demo/system.hpp"

namespace ordo::faults {

class SteadyLoad {
 public:
  /// Applies the pipelines of the examples and begins. `rate` in orders a second.
  SteadyLoad(demo::System& system, double rate, std::uint64_t seed);
  ~SteadyLoad();

  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  /// Ends after the answers to what is under way; the counts are complete then.
  void stop();
  [[nodiscard]] const demo::SubmitCounts& counts() const { return submitter_->counts(); }
  client::Client& client() { return *client_; }

 private:
  void run(std::uint64_t seed);

  std::unique_ptr<client::Client> client_;
  std::unique_ptr<demo::AckLog> log_;
  std::unique_ptr<demo::Submitter> submitter_;
  std::atomic<bool> must_stop_{false};
  std::atomic<std::uint64_t> acked_{0};
  std::thread thread_;
};

/// A client of all brokers of the system that has the examples' pipelines applied.
std::unique_ptr<client::Client> client_with_pipelines(const demo::System& system);

/// Waits until no order moves any more, then compares the three records. `records` gets what was
/// read.
demo::Verdict settle_and_check(const demo::System& system, demo::Tables* tables = nullptr);

}  // namespace ordo::faults
