#include "examples/demo/trouble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"

namespace ordo::demo {
namespace {

/// A run that is over in seconds has an outage, too.
constexpr double kShortestOutage_s = 2;
/// Of a rate that nobody has set.
constexpr double kUsualRate = 100;

}  // namespace

Trouble::Trouble(System& system, const Street& street, std::function<void(const std::string&)> say)
    : system_(system), street_(street), say_(std::move(say)), last_kill_(steady_now()) {}

Result<void> Trouble::step(std::size_t tried, std::size_t total, double rate) {
  if (outage_s_ == 0 && tried * 4 >= total) {
    if (auto done = begin_outage(total, rate); !done) return done;
  }
  const bool is_half_way = kills_.empty() && tried * 2 >= total;
  if (is_half_way || steady_now() - last_kill_ > kKillEvery) return kill_one();
  return {};
}

Result<void> Trouble::begin_outage(std::size_t total, double rate) {
  const double seconds = static_cast<double>(total) / (rate > 0 ? rate : kUsualRate);
  outage_s_ =
      std::clamp(seconds / 2, kShortestOutage_s, static_cast<double>(kLongestOutage.count()));
  say_(fmt::format("the supplier is down for {:.0f} s", outage_s_));
  return street_.take_down("supplier", Millis{static_cast<std::int64_t>(outage_s_ * 1000)});
}

Result<void> Trouble::kill_one() {
  last_kill_ = steady_now();
  const std::size_t victim = next_victim_++;
  kills_.push_back({.worker = system_.worker_name(victim),
                    .monotonic_ms = shop::monotonic_ms(),
                    .wall_ms = to_ms(wall_now())});
  system_.worker(victim).kill9();
  const auto started = system_.start_worker();
  if (!started) return tl::unexpected(started.error());
  say_("killed worker " + kills_.back().worker + " with -9; " + system_.worker_name(*started) +
       " takes its place");
  return {};
}

}  // namespace ordo::demo
