// What goes wrong while orders are under way: a worker is killed with -9 every now and then, and a
// service that many orders need is down for a while.
//
// Rule:    at least one worker dies, half way; then one every kKillEvery. The outage begins with
//          the second quarter of the orders.
// Threads: one owner.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "examples/demo/report.hpp"
#include "examples/demo/street.hpp"
#include "examples/demo/system.hpp"

namespace ordo::demo {

class Trouble {
 public:
  static constexpr std::chrono::seconds kKillEvery{20};
  static constexpr std::chrono::seconds kLongestOutage{30};

  /// `say` is told what was done, in a sentence.
  Trouble(System& system, const Street& street, std::function<void(const std::string&)> say);

  /// Of `tried` orders of `total`, offered at `rate` a second (0: unknown).
  Result<void> step(std::size_t tried, std::size_t total, double rate);
  [[nodiscard]] const std::vector<Kill>& kills() const { return kills_; }
  [[nodiscard]] double outage_s() const { return outage_s_; }

 private:
  Result<void> kill_one();
  Result<void> begin_outage(std::size_t total, double rate);

  System& system_;
  const Street& street_;
  const std::function<void(const std::string&)> say_;
  Steady last_kill_;
  std::size_t next_victim_ = 0;
  double outage_s_ = 0;
  std::vector<Kill> kills_;
};

}  // namespace ordo::demo
