// What people want of the system during a seed: pipelines, orders and everything that can be asked
// about them.
//
// Threads: one owner.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/checker.hpp"
#include "tests/sim/sim_client.hpp"

namespace ordo::sim {

class Workload {
 public:
  using Clients = std::vector<std::unique_ptr<SimClient>>;

  Workload(Context& context, Checker& checker, Clients& clients);

  /// Stores the seed's pipelines; is_ready() once all are there.
  void put_pipelines();
  [[nodiscard]] bool is_ready() const { return pipelines_put_ == names_.size(); }
  /// Orders and questions over the safety phase.
  void start();
  /// The liveness phase: queues go on, operators mend what is parked.
  void heal();
  /// Every queue has been resumed.
  [[nodiscard]] bool is_healed() const { return resumed_ == queues_.size(); }
  [[nodiscard]] const std::vector<std::string>& queues() const { return queues_; }
  [[nodiscard]] std::size_t answered() const { return answered_; }

 private:
  std::string draw_pipeline(const std::string& name, std::uint32_t version);
  std::string draw_shape(bool is_wait);
  std::string draw_context();
  std::string draw_work();
  std::string draw_wait(std::uint64_t step);
  std::string draw_undo();
  void put(const std::string& source);
  void submit_one();
  wire::OrderRequest draw_order();
  void submit(wire::OrderRequest order, bool is_first);
  void follow(const OrderId& id);
  void ask_something(const OrderId& id);
  void cancel(const OrderId& id);
  void signal(const OrderId& id, const std::string& pipeline);
  void operate();
  void pause();
  void take_dependency_out();
  void resume(const std::string& queue, bool must);
  void mend();
  SimClient& client();
  void every(double rate, std::function<void()> action);

  Context& context_;
  Checker& checker_;
  Clients& clients_;
  std::vector<std::string> names_;
  std::vector<std::string> queues_;
  std::size_t pipelines_put_ = 0;
  std::size_t resumed_ = 0;
  std::size_t answered_ = 0;
  int submitted_ = 0;
  int signalled_ = 0;
  bool has_detour_ = false;  ///< the step just drawn leads to one
  std::uint32_t next_version_ = 2;
};

}  // namespace ordo::sim
