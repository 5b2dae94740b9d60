// One worker process: the real WorkerCore, slots whose handlers run in virtual time, and everything
// that happens to processes. Its handlers keep the ledger.
//
// Threads: one owner.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"
#include "worker/core/worker_core.hpp"

namespace ordo::sim {

class SimWorker final : public Endpoint {
 public:
  SimWorker(Context& context, Checker& checker, Network& network, int number,
            std::vector<std::string> queues);

  void start();
  void crash();
  void freeze();
  void thaw();
  void drain();
  /// The faults are over: what hangs ends.
  void heal();

  [[nodiscard]] bool is_up() const { return core_ != nullptr; }
  [[nodiscard]] std::uint32_t capacity() const { return settings_.slots + settings_.take_ahead; }
  [[nodiscard]] std::string describe_state() const;

  void connected() override;
  void disconnected() override;
  void received(wire::Message message) override;

 private:
  struct Run {
    worker::RunId run = 0;
    wire::Offer offer;
    std::uint64_t execution = 0;
  };
  struct Plan {
    Micros time{0};
    Outcome outcome = Outcome::kSucceeded;
    bool hangs = false;
    bool crashes = false;
  };

  void post(worker::Event&& event);
  void step(worker::Event&& event);
  void perform(worker::Effects& effects);
  void begin_more();
  Plan plan(const wire::Offer& offer);
  void finish(worker::RunId run, Outcome outcome);
  void cancel(const worker::CancelRun& cancel);
  void withdraw();
  void send(wire::Message message);
  void add_lie(wire::Results& results);
  void remember_token();
  void reuse_token(wire::Message& message);
  void arm();
  void later(Micros delay, std::function<void()> action);
  [[nodiscard]] Times now() const { return {context_.time.now(), context_.time.wall()}; }

  Context& context_;
  Checker& checker_;
  Network& network_;
  worker::Settings settings_;
  int number_;
  std::unique_ptr<worker::WorkerCore> core_;
  std::uint64_t life_ = 0;  ///< processes so far: timers of an older one are void
  bool is_frozen_ = false;
  std::deque<worker::Event> inbox_;  ///< while frozen, and what one step makes for the next
  bool is_stepping_ = false;
  std::deque<Run> line_;
  std::map<worker::RunId, Run> running_;
  Steady tick_at_ = Steady::max();
  std::uint64_t tick_round_ = 0;
  std::vector<wire::HeldTask> token_;  ///< of the life before, where that bug is planted
  std::vector<wire::TaskResult> forged_;
};

}  // namespace ordo::sim
