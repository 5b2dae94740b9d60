// The demo: a whole system, a stream of orders, a worker killed half way, and the proof that
// nothing was lost.
//
// Errors:  of the parts; `interrupted` (^C) and `timed_out` (orders that never ended) are reasons
//          of their own.
// Threads: one owner, the main thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "examples/demo/lookout.hpp"
#include "examples/demo/progress_bar.hpp"
#include "examples/demo/report.hpp"
#include "examples/demo/system.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

struct DemoOptions {
  std::optional<std::size_t> orders;  ///< default 2,000, or all invoices
  int workers = 3;
  int slots = 64;
  double rate = 300;  ///< orders a second offered; 0: as fast as they are acknowledged
  double time_scale = 0.1;
  std::uint64_t seed = 1;
  std::string input;  ///< CSV of invoices; empty: made-up orders
  bool is_kept = false;
  bool has_page = false;                 ///< with Prometheus and ordo-monitor beside it
  bool has_usual_ports = false;          ///< those that the documents name, where nobody has them
  std::vector<std::string> pipelines{};  ///< files of more pipelines
};

class Demo {
 public:
  /// `stop` is set when the user wants to leave.
  Demo(DemoOptions options, const std::atomic<bool>& stop);

  /// Everything up to the verdict.
  Result<Summary> run();
  /// Sees to it that an order is parked, for hints() to name: one of the run's, else one that is
  /// made for it. Takes the time of its retries.
  void park_one();
  /// What a user may try now; the system must still be up.
  [[nodiscard]] std::string hints() const;
  /// Ends the system as an operator would.
  void stop() {
    lookout_.reset();
    system_.reset();
  }

 private:
  [[nodiscard]] Result<OrderSource> open_source() const;
  Result<void> start_system();
  Result<void> open_lookout();
  Result<void> apply_pipelines();
  Result<void> apply(const std::string& path);
  [[nodiscard]] Endpoints listen_at();
  Result<void> submit(OrderSource& source, Submitter& submitter);
  Result<void> kill_and_replace();
  Result<void> settle(const SubmitCounts& counts, std::size_t total);
  [[nodiscard]] Result<Summary> judge(const SubmitCounts& counts) const;
  /// An error when the user wants to leave.
  [[nodiscard]] Result<void> go_on() const;

  const DemoOptions options_;
  const std::atomic<bool>& stop_;
  ProgressBar bar_;
  std::unique_ptr<System> system_;
  std::optional<Lookout> lookout_;
  std::unique_ptr<client::Client> client_;
  std::map<std::string, std::string> names_;  ///< pipeline id in the tables → name
  Standing standing_;
  Steady looked_{};
  Kill kill_;
  std::string parked_;  ///< the id of an order that is; empty: none
};

}  // namespace ordo::demo
