// One broker process: the real Engine, its shards' store threads, its sockets. It can crash
// (everything but the tables is gone), freeze (nothing moves, peers stay connected) and thaw as a
// zombie beside its successor.
//
// Threads: one owner. A process is never destroyed within a seed: what it had on its way refers to
//          it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "broker/core/engine.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/sim_shard.hpp"

namespace ordo::sim {

class SimBroker final : public Doorman {
 public:
  SimBroker(Context& context, Checker& checker, Network& network, Databases& databases, int number);

  void start();
  void crash();
  void freeze();
  void thaw();

  [[nodiscard]] bool takes_connections() const override { return is_alive_ && !is_frozen_; }
  [[nodiscard]] bool is_alive() const override { return is_alive_; }
  [[nodiscard]] bool is_frozen() const { return is_frozen_; }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] EngineCounts counts() const { return engine_->counts(); }
  void frame_from(Send::To side, PeerId peer, wire::Message message) override;
  void peer_gone(Send::To side, PeerId peer) override;

 private:
  void post(Event&& event);
  void step(Event&& event);
  void perform();
  void send_all();
  void ask(const Query& query);
  void arm();
  [[nodiscard]] Times now() const;

  Context& context_;
  Checker& checker_;
  Network& network_;
  Databases& databases_;
  int number_;
  std::unique_ptr<Engine> engine_;
  std::map<ShardNumber, std::unique_ptr<SimShard>> shards_;
  std::deque<Event> inbox_;  ///< while frozen
  Effects effects_;
  bool is_alive_ = false;
  bool is_frozen_ = false;
  Steady tick_at_ = Steady::max();
  std::uint64_t tick_round_ = 0;
  Steady spin_since_{};
  std::uint64_t ticks_ = 0;  ///< since spin_since_
};

}  // namespace ordo::sim
