// The engine: everything a broker decides, as a pure state machine. Events and times in, effects
// out; no socket, SQL, clock, thread, log or unseeded chance. The same object runs behind real
// sockets and PostgreSQL and inside the simulator.
//
// Use:     start() once; then step() for every event, and step(TimePassed) when next_deadline() has
//          come. Perform the effects in order (effects.hpp). Two engines with the same settings and
//          events give the same effects.
// Errors:  bytes from outside never trip a check; a violated invariant of ours does (ORDO_CHECK).
// Threads: one owner, the broker's loop.
// Source:  docs/states.md (what a task may do), ARCHITECTURE.md (rules).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/effects.hpp"
#include "broker/core/events.hpp"
#include "broker/core/settings.hpp"

namespace ordo {

/// How much the engine holds; for health, tests and the simulator's liveness phase.
struct EngineCounts {
  std::size_t resident_orders = 0;
  std::size_t ready = 0;
  std::size_t leased = 0;
  std::size_t unclaimed = 0;  ///< waiting out the grace after a takeover
  std::size_t writes_in_flight = 0;
  std::size_t waiters = 0;
  std::size_t workers = 0;
  std::size_t free_slots = 0;
  std::uint64_t held = 0;     ///< about how many ready tasks are kept back
  std::uint64_t backlog = 0;  ///< about how many tasks wait in the backlog
  std::size_t open_shards = 0;
  std::uint64_t kept_signals = 0;  ///< whose order is not there, or that owe one; about
};

class Engine {
 public:
  explicit Engine(Settings settings);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Asks for the shards. Call once, before the first step.
  void start(Times now, Effects& out);
  void step(Times now, Event&& event, Effects& out);
  /// When step(TimePassed) is wanted at the latest; nullopt: never.
  [[nodiscard]] std::optional<Steady> next_deadline() const;
  [[nodiscard]] EngineCounts counts() const;
  [[nodiscard]] std::vector<ClientCounts> clients() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ordo
