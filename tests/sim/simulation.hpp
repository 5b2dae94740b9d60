// One seed: a world is drawn, faults rage, faults end and everything must come to its end, and the
// books are compared.
//
// Errors:  Violation.
// Threads: one owner.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/sim_broker.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_worker.hpp"
#include "tests/sim/workload.hpp"

namespace ordo::sim {

class Simulation {
 public:
  Simulation(const Scenario& scenario, bool with_trace);
  void run();

  [[nodiscard]] const Coverage& coverage() const { return context_.coverage; }
  [[nodiscard]] std::uint64_t fingerprint() const { return context_.fingerprint; }
  [[nodiscard]] std::size_t orders() const { return checker_.known_orders().size(); }

 private:
  void set_up();
  void start_faults();
  void every(double rate, std::function<void()> action);
  void start_broker();
  void crash_broker();
  void freeze_broker();
  void replace_broker();
  void terminate_session();
  void take_database_down();
  void heal();
  void settle();
  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] std::string left_over() const;
  void check_idle();
  [[nodiscard]] std::string state() const;
  template <class Done> bool run_until(Steady end, Done&& done);

  Context context_;
  Databases databases_;
  Checker checker_;
  Network network_;
  std::vector<std::unique_ptr<SimBroker>> brokers_;  ///< the last one is the broker of the day
  std::vector<std::unique_ptr<SimWorker>> workers_;
  Workload::Clients clients_;
  std::unique_ptr<Workload> workload_;
};

}  // namespace ordo::sim
