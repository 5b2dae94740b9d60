// A worker's core with a hand-moved clock and a broker played by the test.
//
// Use:     harness.welcome(); harness.offer(task(1)); harness.finish(task(1));
//          harness.sent<wire::Results>()
// Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "worker/core/worker_core.hpp"

namespace ordo::worker {

inline TaskKey task(std::uint64_t number, ShardNumber shard = 0) {
  TaskKey key;
  key.order = OrderId::make(1'700'000'000'000, shard, number);
  return key;
}
inline Fence fence(std::uint32_t epoch, std::uint32_t attempt = 1) { return {1, epoch, attempt}; }

inline Settings settings_of(std::uint32_t slots, std::uint32_t take_ahead) {
  Settings settings;
  settings.session.fill(7);
  settings.name = "tester";
  settings.queues = {"a", "b"};
  settings.slots = slots;
  settings.take_ahead = take_ahead;
  settings.drain_timeout = Millis{10'000};
  settings.hang_grace = Millis{5'000};
  return settings;
}

class Harness {
 public:
  explicit Harness(Settings settings = settings_of(2, 2))
      : core(settings), session(settings.session) {
    core.start(now(), effects);
  }

  /// One event; what it caused is in `effects` until the next.
  void step(Event event) {
    effects.clear();
    core.step(now(), std::move(event), effects);
    note();
  }
  /// Lets time go on, ringing every deadline on the way.
  void pass(Millis time) {
    const Steady end = clock + time;
    Effects all;
    while (true) {
      const auto due = core.next_deadline();
      if (!due || *due > end) break;
      clock = std::max(clock, *due);
      step(event::TimePassed{});
      append(all);
    }
    clock = end;
    step(event::TimePassed{});
    append(all);
    effects = std::move(all);
  }
  void receive(wire::Message message, LinkIndex link = 0) {
    step(event::Received{link, std::move(message)});
  }
  void welcome(LinkIndex link = 0) {
    step(event::Connected{link});
    wire::Welcome message;
    message.session = session;
    message.broker = "fake";
    receive(std::move(message), link);
  }
  void beat(LinkIndex link = 0) {
    wire::Beat message;
    message.received = 1'000'000;
    receive(std::move(message), link);
  }
  /// Passes time with a broker that beats.
  void pass_with_beats(Millis time) {
    Effects all;
    for (Millis gone{0}; gone < time; gone += Millis{500}) {
      pass(Millis{500});
      append(all);
      beat();
      append(all);
    }
    effects = std::move(all);
  }
  void offer(const TaskKey& key, const Fence& under = fence(1), std::uint64_t timeout_ms = 30'000,
             LinkIndex link = 0) {
    wire::Offer item;
    item.key = key;
    item.fence = under;
    item.step = item.handler = item.queue = "a";
    item.timeout_ms = timeout_ms;
    wire::Offers message;
    message.items.push_back(std::move(item));
    receive(std::move(message), link);
  }
  void finish(const TaskKey& key, Ending ending = {}) {
    step(event::Ended{{RunEnded{runs.at(key), true, std::move(ending)}}});
  }
  void record(const TaskKey& key, const Fence& under = fence(1), std::uint8_t code = 0) {
    wire::RecordedItems message;
    message.items.push_back({key, under, code, ""});
    receive(std::move(message));
  }
  void revoke(const TaskKey& key, const Fence& under = fence(1)) {
    wire::Revokes message;
    message.items.push_back({key, under, "timeout"});
    receive(std::move(message));
  }
  void regrant(const TaskKey& key, const Fence& old_fence, const Fence& new_fence) {
    wire::Regrants message;
    message.items.push_back({key, old_fence, new_fence});
    receive(std::move(message));
  }

  /// Messages of one kind in `effects`.
  template <class Kind> [[nodiscard]] std::vector<Kind> sent() const {
    std::vector<Kind> found;
    for (const Send& send : effects.sends) {
      if (const auto* kind = std::get_if<Kind>(&send.message)) found.push_back(*kind);
    }
    return found;
  }
  [[nodiscard]] std::vector<wire::TaskResult> results() const {
    std::vector<wire::TaskResult> all;
    for (const auto& frame : sent<wire::Results>()) {
      all.insert(all.end(), frame.items.begin(), frame.items.end());
    }
    return all;
  }
  [[nodiscard]] std::size_t facts(FactKind kind) const {
    return static_cast<std::size_t>(std::count_if(effects.facts.begin(), effects.facts.end(),
                                                  [&](const Fact& f) { return f.kind == kind; }));
  }
  [[nodiscard]] Times now() const { return {clock, Wall{}}; }

  WorkerCore core;
  wire::SessionId session;
  Effects effects;
  Steady clock{Seconds{1000}};
  std::map<TaskKey, RunId> runs;  ///< the newest run of each task

 private:
  void note() {
    for (const StartRun& start : effects.starts) runs[start.offer.key] = start.run;
  }
  void append(Effects& all) {
    const auto move_to = [](auto& to, auto& from) {
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    };
    move_to(all.connects, effects.connects);
    move_to(all.sends, effects.sends);
    move_to(all.starts, effects.starts);
    move_to(all.cancels, effects.cancels);
    move_to(all.facts, effects.facts);
    all.withdraw = all.withdraw || effects.withdraw;
    all.look = all.look || effects.look;
    if (effects.exit) all.exit = effects.exit;
    effects.clear();
  }
};

}  // namespace ordo::worker
