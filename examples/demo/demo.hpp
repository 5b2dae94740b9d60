// The demo: a whole shop with its services, a stream of orders, workers killed, a supplier down,
// callbacks that come early, twice, late or never, and the proof that nothing was lost and
// everything adds up.
//
// Errors:  of the parts; `interrupted` (^C) and `timed_out` (orders that never ended) are reasons
//          of their own.
// Threads: one owner, the main thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "examples/demo/audit.hpp"
#include "examples/demo/clerk.hpp"
#include "examples/demo/lookout.hpp"
#include "examples/demo/progress_bar.hpp"
#include "examples/demo/report.hpp"
#include "examples/demo/street.hpp"
#include "examples/demo/system.hpp"
#include "examples/demo/trouble.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

struct DemoOptions {
  std::optional<std::size_t> orders;  ///< default 2,000, or all invoices
  int workers = 3;
  int slots = 64;
  double rate = 30;         ///< orders a second offered; 0: as fast as they are acknowledged
  double time_scale = 0.1;  ///< of what services take
  double speed = 60;        ///< people, parcels and meals are so many times as quick as they are
  /// The verdict waits for every order that moves, and so long for those that only wait.
  std::chrono::seconds patience{190};
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
  void stop();

 private:
  [[nodiscard]] Result<OrderSource> open_source() const;
  Result<void> start_system();
  Result<void> open_lookout();
  Result<void> open_street();
  Result<void> apply_pipelines();
  Result<void> apply(const std::string& text);
  [[nodiscard]] Endpoints listen_at();
  Result<void> submit(OrderSource& source, Submitter& submitter);
  Result<void> look(std::size_t acked, std::size_t total);
  Result<void> settle(const SubmitCounts& counts, std::size_t total);
  [[nodiscard]] Result<bool> is_settled();
  [[nodiscard]] Result<Summary> judge(const SubmitCounts& counts);
  /// An error when the user wants to leave.
  [[nodiscard]] Result<void> go_on() const;

  const DemoOptions options_;
  const std::atomic<bool>& stop_;
  ProgressBar bar_;
  std::unique_ptr<System> system_;
  std::optional<Lookout> lookout_;
  std::optional<Street> street_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<AckLog> acks_;
  std::optional<Clerk> clerk_;
  std::optional<Trouble> trouble_;
  std::map<std::string, std::string> names_;  ///< pipeline id in the tables → name
  Standing standing_;
  Steady started_{};
  Steady looked_{};
  Steady moved_{};
  std::string parked_;  ///< the id of an order that is; empty: none
};

}  // namespace ordo::demo
