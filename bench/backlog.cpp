// Millions waiting: the broker's memory, the rate of draining them, a restart in the middle; and
// overload.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/clock.hpp"
#include "bench/load.hpp"
#include "bench/measures.hpp"
#include "bench/progress.hpp"
#include "bench/system.hpp"

namespace ordo::bench {
namespace {

/// More steps than this can run before the tables have them.
constexpr std::uint64_t kInFlight = 20'000;

/// Draining what waits, of `orders` in all, until the tables owe nothing any more: orders a second
/// since the first step that ran after the call. Steps tell how far it is, the tables when it ends.
Result<double> drain_rate(System& system, std::uint64_t orders) {
  const std::uint64_t before = system.page()->last_steps;
  while (system.page()->last_steps == before) usleep(1000);
  const std::uint64_t first = system.page()->last_steps;
  const Steady began = steady_now();
  std::uint64_t seen = first;
  Steady moved = began;
  Progress progress("draining");
  for (;;) {
    usleep(static_cast<useconds_t>(std::max<std::int64_t>(
        2'000, std::chrono::duration_cast<Micros>(steady_now() - began).count() / 200)));
    progress.tell(seen - first);
    const Steady now = steady_now();
    if (const std::uint64_t steps = system.page()->last_steps; steps != seen) {
      seen = steps;
      moved = now;
    } else if (now - moved > Seconds{60}) {
      return fail(Code::kInternal, "stuck", "draining stopped at " + std::to_string(seen));
    }
    if (seen + kInFlight < orders) continue;
    const auto owed = system.number(
        "select (exists (select from task) or exists (select from deferred where state = "
        "'backlog' and queue = 'bench'))::int");
    if (!owed) return tl::unexpected<Error>(owed.error());
    if (*owed > 0) continue;
    const auto took = static_cast<double>((steady_now() - began).count()) / 1e6;
    return static_cast<double>(orders - first) / took;
  }
}

Result<void> fill(System& system, client::Client& client, std::uint64_t orders) {
  Load load(client, "bench1", 100);
  {
    Progress progress("filling");
    load.fill(orders, [&](std::uint64_t acked) { progress.tell(acked); });
  }
  if (load.counts.failed > 0) {
    return fail(Code::kInternal, "submit",
                std::to_string(load.counts.failed.load()) + " submits failed");
  }
  static_cast<void>(system);
  return {};
}

/// From the broker's death until half of `steady_rate` is reached again (over 200 ms), seconds.
Result<double> restart_seconds(System& system, double steady_rate) {
  system.broker().kill9();
  const Steady killed = steady_now();
  if (auto ok = system.start_broker(); !ok) return tl::unexpected<Error>(ok.error());
  constexpr Micros kSlice{200'000};
  std::uint64_t before = system.page()->last_steps;
  Steady slice = steady_now();
  while (steady_now() - killed < Seconds{60}) {
    usleep(5000);
    if (steady_now() - slice < kSlice) continue;
    const std::uint64_t now = system.page()->last_steps;
    const double rate = static_cast<double>(now - before) /
                        (static_cast<double>((steady_now() - slice).count()) / 1e6);
    if (rate >= steady_rate / 2) {
      return static_cast<double>((slice - killed).count()) /
             1e6;  // the slice that reached it began here
    }
    before = now;
    slice = steady_now();
  }
  return fail(Code::kInternal, "restart", "half the rate was not reached again within 60 s");
}

}  // namespace

Result<Figures> measure_backlog(const MeasureSpec& spec) {
  auto system = System::start({.shards = spec.shards});
  if (!system) return tl::unexpected<Error>(system.error());
  auto client = (*system)->connect(50'000);
  if (!client) return tl::unexpected<Error>(client.error());
  if (auto ok = (*system)->apply(**client, 1); !ok) return tl::unexpected<Error>(ok.error());
  auto figures = describe(**system, {});
  if (!figures) return figures;
  // A small drain takes less than a second: the median of three, the first of which also warms up
  // the rest.
  constexpr std::uint64_t kSmall = 100'000;
  constexpr int kSmallRuns = 3;
  std::vector<double> small_rates;
  for (int run = 1; run <= kSmallRuns; ++run) {
    if (auto ok = fill(**system, **client, kSmall); !ok) return tl::unexpected<Error>(ok.error());
    if (auto ok = (*system)->start_workers({}); !ok) return tl::unexpected<Error>(ok.error());
    const auto rate = drain_rate(**system, kSmall);
    if (!rate) return tl::unexpected<Error>(rate.error());
    small_rates.push_back(*rate);
    (*system)->stop_workers();
  }
  std::sort(small_rates.begin(), small_rates.end());
  const double small = small_rates[kSmallRuns / 2];
  const Steady began = steady_now();
  if (auto ok = fill(**system, **client, spec.orders); !ok)
    return tl::unexpected<Error>(ok.error());
  const auto filled = static_cast<double>((steady_now() - began).count()) / 1e6;
  figures->emplace_back("orders", static_cast<double>(spec.orders));
  figures->emplace_back("fill_per_s", static_cast<double>(spec.orders) / filled);
  figures->emplace_back("rss_full_mib", (*system)->broker().peak_mib());
  double restart = 0;
  double rss = (*system)->broker().peak_mib();
  {
    // Half a million drained at full speed, then the broker dies with the rest waiting.
    if (auto ok = (*system)->start_workers({}); !ok) return tl::unexpected<Error>(ok.error());
    const std::uint64_t some = std::min<std::uint64_t>(spec.orders / 4, 500'000);
    // A page of memory shared with the workers: nothing there can wake who waits for it.
    const Steady until = steady_now() + Seconds{60};
    while ((*system)->page()->last_steps < some && steady_now() < until) usleep(5000);
    if ((*system)->page()->last_steps < some) {
      return fail(Code::kUnavailable, "stuck", "the first orders were not drained within 60 s");
    }
    auto took = restart_seconds(**system, small);
    if (!took) return tl::unexpected<Error>(took.error());
    restart = *took;
  }
  const auto large = drain_rate(**system, spec.orders);
  if (!large) return tl::unexpected<Error>(large.error());
  rss = std::max(rss, (*system)->broker().peak_mib());
  auto ended = (*system)->number("select count(*) from event where order_status = 'succeeded'");
  if (!ended) return tl::unexpected<Error>(ended.error());
  figures->insert(figures->end(), {{"drain_small_per_s", small},
                                   {"drain_per_s", *large},
                                   {"drain_ratio", *large / small},
                                   {"restart_s", restart},
                                   {"rss_mib", rss},
                                   {"lost", static_cast<double>(spec.orders + kSmallRuns * kSmall) -
                                                static_cast<double>(*ended)}});
  return figures;
}

Result<Figures> measure_restart(const MeasureSpec& spec) { return measure_backlog(spec); }

Result<Figures> measure_overload(const MeasureSpec& spec) {
  // 50 slots of 10 ms hold 5,000 tasks a second; a second's worth may wait, then submits are
  // refused.
  auto system =
      System::start({.shards = spec.shards, .broker_flags = {"--waiting-orders", "5000"}});
  if (!system) return tl::unexpected<Error>(system.error());
  auto client = (*system)->connect(200'000);
  if (!client) return tl::unexpected<Error>(client.error());
  if (auto ok = (*system)->apply(**client, 1); !ok) return tl::unexpected<Error>(ok.error());
  const WorkerSpec workers{.slots = 50, .take_ahead = 50, .handler_micros = 9'900};
  if (auto ok = (*system)->start_workers(workers); !ok) return tl::unexpected<Error>(ok.error());
  auto figures = describe(**system, workers);
  if (!figures) return figures;
  const auto goodput = [&](double rate, LoadCounts*& counts, std::unique_ptr<Load>& load) {
    load = std::make_unique<Load>(**client, "bench1", 100);
    const Micros expected{static_cast<std::int64_t>((spec.warm_up / 3 + spec.seconds) * 1e6)};
    Progress progress("at " + std::to_string(std::lround(rate)) + " orders/s", expected);
    const auto until = [&progress](double seconds) {
      const Steady end = steady_now() + Micros{static_cast<std::int64_t>(seconds * 1e6)};
      return [end, &progress] {
        progress.tell(0);
        return steady_now() >= end;
      };
    };
    load->open_loop(rate, false, until(spec.warm_up / 3));
    load->counts.reject.reset();
    load->counts.busy = 0;
    const std::uint64_t before = (*system)->page()->last_steps;
    load->open_loop(rate, false, until(spec.seconds));
    const double done = static_cast<double>((*system)->page()->last_steps - before) / spec.seconds;
    load->settle();
    counts = &load->counts;
    return done;
  };
  LoadCounts* counts = nullptr;
  std::unique_ptr<Load> load;
  const double normal = goodput(6'000, counts, load);
  const double flooded = goodput(50'000, counts, load);
  figures->insert(figures->end(),
                  {{"capacity_per_s", normal},
                   {"goodput_per_s", flooded},
                   {"goodput_ratio", flooded / normal},
                   {"rejects_per_s", static_cast<double>(counts->busy) / spec.seconds},
                   {"reject_p50_ms", counts->reject.percentile_ms(0.5)},
                   {"reject_p99_ms", counts->reject.percentile_ms(0.99)},
                   {"failed", static_cast<double>(counts->failed)},
                   {"rss_mib", (*system)->broker().peak_mib()}});
  return figures;
}

}  // namespace ordo::bench
