#include "tests/sim/scenario.hpp"

#include "base/random.hpp"

namespace ordo::sim {
namespace {

/// Draws the knobs of one seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  int between(int low, int high) {
    return low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(double p) { return random_.chance(p); }
  template <class T> T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + static_cast<std::ptrdiff_t>(random_.below(choices.size())));
  }
  /// Off in most seeds, at `usual` in some, at `extreme` in few.
  double swarm(double usual, double extreme) {
    const double roll = random_.unit();
    if (roll < 0.65) return 0;
    return roll < 0.92 ? usual * (0.3 + random_.unit()) : extreme * (0.5 + random_.unit() / 2);
  }

 private:
  Random random_;
};

void draw_settings(Dice& dice, Settings& s) {
  s.window_tasks = static_cast<std::uint32_t>(dice.one_of({2, 3, 4, 8, 16, 1000}));
  s.page_rows = static_cast<std::uint32_t>(dice.one_of({1, 2, 4, 100}));
  s.grace = Millis{dice.one_of({2000, 2000, 2000, 500, 4000, 0})};
  s.beat = Millis{dice.one_of({1000, 1000, 300})};
  s.silence = Millis{dice.one_of({3000, 3000, 5000})};
  s.reopen = Millis{dice.one_of({500, 500, 50, 2000})};
  if (dice.chance(0.1)) s.inbox_orders = static_cast<std::uint32_t>(dice.between(1, 4));
  if (dice.chance(0.1)) s.submit_rate = dice.one_of({5.0, 20.0});
  if (dice.chance(0.1)) s.client_rate = dice.one_of({2.0, 10.0});
  if (dice.chance(0.05)) s.waiting_orders = static_cast<std::uint64_t>(dice.between(2, 20));
  s.version = "sim";
}

void draw_network(Dice& dice, Scenario& s) {
  s.through_codec = dice.chance(0.1);
  s.frame_delay = Micros{dice.one_of({200, 1000, 1000, 5000, 50'000})};
  s.frame_loss = dice.swarm(0.02, 0.3);
  s.frame_double = dice.swarm(0.05, 0.5);
  s.frame_late = dice.swarm(0.03, 0.3);
  s.cut_rate = dice.swarm(0.05, 0.6);
  s.clog_rate = dice.swarm(0.03, 0.3);
}

void draw_database(Dice& dice, Scenario& s) {
  s.commit_delay = Micros{dice.one_of({300, 1500, 1500, 10'000, 100'000})};
  s.commit_slow = dice.swarm(0.01, 0.1);
  s.commit_reject = dice.swarm(0.01, 0.15);
  s.culprit = dice.swarm(0.03, 0.2);
  s.in_doubt = dice.swarm(0.01, 0.1);
  s.warning = dice.swarm(0.01, 0.1);
  s.terminate_rate = dice.swarm(0.03, 0.3);
  s.lock_lingers = dice.swarm(0.3, 1.0);
  s.open_refused = dice.swarm(0.2, 0.7);
  s.query_fails = dice.swarm(0.1, 0.5);
  s.down_rate = dice.swarm(0.02, 0.1);
}

void draw_processes(Dice& dice, Scenario& s) {
  s.broker_crash_rate = dice.swarm(0.05, 0.3);
  s.broker_freeze_rate = dice.swarm(0.05, 0.2);
  s.replaced = dice.swarm(0.5, 1.0);
  s.worker_crash_rate = dice.swarm(0.03, 0.3);
  s.worker_freeze_rate = dice.swarm(0.03, 0.2);
  s.worker_drain_rate = dice.swarm(0.03, 0.2);
  if (dice.chance(0.15)) {
    s.broker_skew = Seconds{dice.one_of({-3600, -200, -30, 30, 400, 3600})};
  }
  s.wrong_fence = dice.swarm(0.1, 0.5);
}

void draw_work(Dice& dice, Scenario& s) {
  s.orders = dice.one_of({6, 15, 25, 25, 40});
  s.pipelines = dice.between(1, 3);
  s.queues = dice.between(1, 4);
  s.same_again = dice.swarm(0.1, 0.5);
  s.other_content = dice.swarm(0.05, 0.3);
  s.cancel = dice.swarm(0.1, 0.5);
  s.deadline = dice.swarm(0.1, 0.6);
  s.delay = dice.swarm(0.15, 0.7);
  s.wait = dice.chance(0.5) ? 0.3 : 0.0;
  s.watch = dice.chance(0.3) ? 0.2 : 0.0;
  s.operate_rate = dice.swarm(0.5, 3.0);
  s.pause_rate = dice.swarm(0.1, 0.4);
  s.operator_mends = dice.chance(0.5);
  s.undoes = dice.one_of({0.0, 0.3, 0.6, 0.6, 1.0});
  s.irreversible = dice.swarm(0.1, 0.3);
  s.run = Millis{dice.one_of({5, 50, 50, 300, 1000})};
  s.transient = dice.swarm(0.1, 0.6);
  s.permanent = dice.swarm(0.03, 0.2);
  s.snooze = dice.swarm(0.05, 0.3);
  s.hang = dice.swarm(0.02, 0.15);
  s.crash = dice.swarm(0.02, 0.1);
  s.slow = dice.swarm(0.05, 0.3);
  s.outage_rate = dice.swarm(0.08, 0.3);
  s.waits = dice.swarm(0.25, 0.6);
  s.delays = dice.swarm(0.1, 0.4);
  s.signals = dice.chance(0.8) ? 0.9 : 0.3;
  s.lines = dice.one_of({0.0, 0.0, 0.0, 0.3, 0.8});
  s.withheld = dice.swarm(0.05, 0.3);
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed, const std::string& planted) {
  Dice dice(seed ^ 0x5ce7a210ULL);
  Scenario s;
  s.seed = seed;
  s.planted = planted;
  s.shards = dice.one_of({1, 1, 2, 3});
  s.workers = dice.between(1, 4);
  s.clients = dice.between(1, 2);
  s.safety = Seconds{dice.between(8, 25)};
  s.settings.shards.clear();
  for (int shard = 0; shard < s.shards; ++shard) {
    s.settings.shards.push_back(static_cast<ShardNumber>(shard));
  }
  draw_settings(dice, s.settings);
  draw_network(dice, s);
  draw_database(dice, s);
  draw_processes(dice, s);
  draw_work(dice, s);
  s.settings.waiter_patience = Millis{20'000};
  s.settings.signal_gap = Millis{50};
  s.settings.planted = planted;
  return s;
}

}  // namespace ordo::sim
