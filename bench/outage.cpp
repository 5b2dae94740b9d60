// An outage, measured: two pipelines share one worker's slots, one of them calls a supplier that is
// down for a while. What is used up while its breaker is open, what the other pipeline notices, and
// how calls come back.
//
// Shapes:  a run is 10 s of peace, `seconds` of outage, then until every order has ended. The
//          figures are medians of `rounds` runs on one server; the ramp is the last run's.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/clock.hpp"
#include "base/http_get.hpp"
#include "bench/measures.hpp"
#include "bench/system.hpp"
#include "ordo/worker.hpp"

namespace ordo::bench {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPipelines[] = {
    "pipeline: outage_supplier\nsteps:\n"
    "  fetch: { uses: supplier, timeout: 2s, retry: { attempts: 8, cap: 15m } }\n",
    "pipeline: outage_other\nsteps:\n  work: { timeout: 2s }\n"};
/// Orders a second of each pipeline, slots that both share, and what a call takes: at three
/// quarters of the slots a pipeline that took some of them away would be felt.
constexpr int kRate = 100, kSlots = 16;
constexpr auto kCall = 60ms;
constexpr auto kPeace = 10s;
/// Beginnings that the run's own beginning makes slow.
constexpr auto kWarmUp = 2s;
/// A probe goes out every 5 s; what comes sooner after the call before it is no probe.
constexpr double kProbe_s = 4.5;
constexpr auto kPatience = 120s;
constexpr int kClosed = 0;

struct Start {
  double at_s = 0;     ///< since the run began
  double delay_s = 0;  ///< after its submit
  bool is_down = false;
};

/// What handlers have noted, of one pipeline.
class Starts {
 public:
  void add(const Start& start) {
    const std::lock_guard lock(mutex_);
    all_.push_back(start);
  }
  [[nodiscard]] std::vector<Start> sorted() const {
    const std::lock_guard lock(mutex_);
    std::vector<Start> all = all_;
    std::sort(all.begin(), all.end(),
              [](const Start& a, const Start& b) { return a.at_s < b.at_s; });
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Start> all_;
};

/// One run, as it goes.
struct Run {
  Steady began = steady_now();
  std::atomic<bool> is_down{false};
  Starts supplier{}, other{};
  double down_s = 0, open_s = 0, up_s = 0, closed_s = 0;  ///< since it began; 0: not yet

  [[nodiscard]] double now_s() const {
    return std::chrono::duration<double>(steady_now() - began).count();
  }
};

struct Seen {
  double burned_before = 0;  ///< calls that failed until the breaker opened
  double probes = 0, burned_open = 0;
  double supplier_slots = 0;  ///< calls a second while it was open: what it took of the slots
  double other_held = 0;
  double other_p99_before_ms = 0, other_p99_down_ms = 0;
  double ramp_s = 0;       ///< from the first call that worked until the breaker closed
  double all_ended_s = 0;  ///< after the supplier came back
  double parked = 0, unfinished = 0;
  std::string ramp{};  ///< calls a second, second by second
};

double p99_ms(const std::vector<Start>& starts, double from, double to) {
  std::vector<double> delays;
  for (const Start& start : starts) {
    const double submitted = start.at_s - start.delay_s;
    if (submitted >= from && submitted < to) delays.push_back(start.delay_s * 1000);
  }
  if (delays.empty()) return 0;
  std::sort(delays.begin(), delays.end());
  return delays[delays.size() * 99 / 100];
}

/// Of a metric's first line that begins so; 0 where there is none.
double metric(const std::string& text, const std::string& line_begins) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(line_begins)) return std::stod(line.substr(line.rfind(' ')));
  }
  return 0;
}

Result<std::string> metrics(System& system) {
  auto reply = http_get(system.http() + "/metrics");
  if (!reply) return tl::unexpected<Error>(reply.error());
  return std::move(reply->body);
}

void submit(client::Client& client, const Run& run, int count) {
  std::vector<client::Order> orders;
  for (int i = 0; i < count; ++i) {
    for (const char* const pipeline : {"outage_supplier", "outage_other"}) {
      orders.push_back({.pipeline = pipeline, .payload = std::to_string(run.now_s())});
    }
  }
  client.submit_batch(std::move(orders));
}

TaskOutcome call(const Task& task, const Run& run, Starts& starts, bool is_down) {
  const double at = run.now_s();
  const double submitted = std::strtod(std::string(task.payload()).c_str(), nullptr);
  starts.add({at, at - submitted, is_down});
  // One that is down says so at once.
  if (is_down) return transient("the supplier is down");
  std::this_thread::sleep_for(kCall);
  return succeeded();
}

/// Breaker and faults, looked at ten times a second.
Result<void> look(System& system, Run& run, double outage_s) {
  const double now = run.now_s();
  if (run.down_s == 0 && now > kPeace.count()) {
    run.is_down = true;
    run.down_s = now;
  }
  if (run.up_s == 0 && run.down_s > 0 && now > run.down_s + outage_s) {
    run.is_down = false;
    run.up_s = now;
  }
  auto text = metrics(system);
  if (!text) return tl::unexpected<Error>(text.error());
  const double state = metric(*text, "ordo_dependency_state{dependency=\"supplier\"}");
  if (run.open_s == 0 && run.down_s > 0 && state != kClosed) run.open_s = now;
  if (run.closed_s == 0 && run.up_s > 0 && state == kClosed) run.closed_s = now;
  return {};
}

/// Offers orders for as long as it takes, then waits for their ends; how many have none.
Result<std::int64_t> drive(System& system, client::Client& client, Run& run, double outage_s) {
  const double last_s = static_cast<double>(kPeace.count()) + outage_s + 5;
  std::int64_t offered = 0, looks = 0;
  for (double now = 0; now < last_s; now = run.now_s()) {
    const auto due = static_cast<std::int64_t>(now * kRate) - offered;
    if (due > 0) submit(client, run, static_cast<int>(due));
    offered += std::max<std::int64_t>(due, 0);
    if (static_cast<std::int64_t>(now * 10) > looks) {
      looks = static_cast<std::int64_t>(now * 10);
      if (auto ok = look(system, run, outage_s); !ok) return tl::unexpected<Error>(ok.error());
    }
    usleep(5000);
  }
  const double until = run.now_s() + static_cast<double>(kPatience.count());
  for (;;) {
    if (auto ok = look(system, run, outage_s); !ok) return tl::unexpected<Error>(ok.error());
    auto owed = system.number(
        "select (select count(*) from task) + (select count(*) from deferred where state <> "
        "'parked')");
    const bool is_over = !owed || (*owed == 0 && run.closed_s > 0) || run.now_s() > until;
    if (is_over) return owed;
    usleep(100'000);
  }
}

/// Calls a second from `from` on, until they are as many as are offered.
std::string ramp_of(const std::vector<Start>& starts, double from, double to) {
  constexpr std::size_t kShown = 12;
  std::vector<int> seconds(kShown, 0);
  for (const Start& start : starts) {
    const double second = start.at_s - from;
    if (start.is_down || second < 0 || start.at_s > to) continue;
    if (second < kShown) ++seconds[static_cast<std::size_t>(second)];
  }
  std::string text;
  for (const int count : seconds) text += (text.empty() ? "" : " ") + std::to_string(count);
  return text;
}

Seen judge(const Run& run) {
  Seen seen;
  const auto calls = run.supplier.sorted();
  double last = run.open_s, first_good = 0;
  for (const Start& start : calls) {
    if (start.is_down && start.at_s < run.open_s) ++seen.burned_before;
    const bool is_open = start.is_down && start.at_s >= run.open_s;
    if (is_open) ++(start.at_s - last > kProbe_s - 1 ? seen.probes : seen.burned_open);
    if (is_open) last = start.at_s;
    if (first_good == 0 && !start.is_down && start.at_s > run.up_s) first_good = start.at_s;
  }
  seen.supplier_slots = (seen.probes + seen.burned_open) / (run.up_s - run.open_s);
  seen.ramp_s = run.closed_s - first_good;
  seen.ramp = ramp_of(calls, first_good, run.closed_s + 5);
  if (!calls.empty()) seen.all_ended_s = calls.back().at_s - run.up_s;
  const auto others = run.other.sorted();
  seen.other_p99_before_ms = p99_ms(others, kWarmUp.count(), run.down_s);
  seen.other_p99_down_ms = p99_ms(others, run.down_s, run.up_s);
  return seen;
}

Result<Seen> run_once(System& system, const MeasureSpec& spec) {
  auto client = system.connect(10'000);
  if (!client) return tl::unexpected<Error>(client.error());
  for (const char* const text : kPipelines) {
    if (auto ok = system.apply(**client, text); !ok) return tl::unexpected<Error>(ok.error());
  }
  auto before = metrics(system);
  if (!before) return tl::unexpected<Error>(before.error());
  Run run;
  Worker worker({.brokers = {system.workers_endpoint()},
                 .name = "outage",
                 .slots = kSlots,
                 .on_log = [](std::string_view) {}});
  worker.on("fetch", [&](Task& task) { return call(task, run, run.supplier, run.is_down); });
  worker.on("work", [&](Task& task) { return call(task, run, run.other, false); });
  if (auto ok = worker.start(); !ok) return tl::unexpected<Error>(ok.error());
  const auto unfinished = drive(system, **client, run, spec.seconds);
  worker.stop();
  (void)worker.wait();
  if (!unfinished) return tl::unexpected<Error>(unfinished.error());
  if (run.open_s == 0) return fail(Code::kInternal, "breaker", "the breaker did not open");
  if (run.closed_s == 0) return fail(Code::kInternal, "breaker", "the breaker did not close");
  Seen seen = judge(run);
  auto parked = system.number("select count(*) from deferred where state = 'parked'");
  auto after = metrics(system);
  if (!parked) return tl::unexpected<Error>(parked.error());
  if (!after) return tl::unexpected<Error>(after.error());
  seen.parked = static_cast<double>(*parked);
  seen.unfinished = static_cast<double>(*unfinished);
  const std::string held = "ordo_tasks_held_total{queue=\"work\"}";
  seen.other_held = metric(*after, held) - metric(*before, held);
  return seen;
}

double median(std::vector<Seen>& all, double Seen::*figure) {
  std::sort(all.begin(), all.end(),
            [&](const Seen& a, const Seen& b) { return a.*figure < b.*figure; });
  return all[all.size() / 2].*figure;
}

void tell(int round, const Seen& seen) {
  if (round == 1) {
    std::fputs(
        "run  failed before  probes  failed while  other  other p99 ms  other p99 ms  ramp s  "
        "all ended  calls a second\n"
        "     it opened              it was open   held   before        during                "
        "after s    once it is back\n",
        stderr);
  }
  fmt::print(
      stderr, "{:<5}{:<15.0f}{:<8.0f}{:<14.0f}{:<7.0f}{:<14.1f}{:<14.1f}{:<8.1f}{:<11.1f}{}\n",
      round, seen.burned_before, seen.probes, seen.burned_open, seen.other_held,
      seen.other_p99_before_ms, seen.other_p99_down_ms, seen.ramp_s, seen.all_ended_s, seen.ramp);
}

}  // namespace

Result<Figures> measure_outage(const MeasureSpec& spec) {
  auto system = System::start({.shards = spec.shards});
  if (!system) return tl::unexpected<Error>(system.error());
  std::vector<Seen> all;
  for (int round = 1; round <= spec.rounds; ++round) {
    auto seen = run_once(**system, spec);
    if (!seen) return tl::unexpected<Error>(seen.error());
    tell(round, *seen);
    all.push_back(*std::move(seen));
  }
  const std::string ramp = all.back().ramp;
  double unfinished = 0, parked = 0;
  for (const Seen& seen : all) unfinished += seen.unfinished;
  for (const Seen& seen : all) parked = std::max(parked, seen.parked);
  return Figures{{"rounds", static_cast<double>(spec.rounds)},
                 {"failed_before_open", median(all, &Seen::burned_before)},
                 {"probes", median(all, &Seen::probes)},
                 {"failed_while_open", median(all, &Seen::burned_open)},
                 {"supplier_calls_per_s_while_open", median(all, &Seen::supplier_slots)},
                 {"other_held", median(all, &Seen::other_held)},
                 {"other_start_p99_before_ms", median(all, &Seen::other_p99_before_ms)},
                 {"other_start_p99_during_ms", median(all, &Seen::other_p99_down_ms)},
                 {"ramp_s", median(all, &Seen::ramp_s)},
                 {"ramp", ramp},
                 {"all_ended_after_s", median(all, &Seen::all_ended_s)},
                 {"parked", parked},
                 {"unfinished", unfinished}};
}

}  // namespace ordo::bench
