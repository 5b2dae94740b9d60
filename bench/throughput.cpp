// Throughput in a closed loop, with the ceiling of the same server in the same run beside it; and
// latency.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/clock.hpp"
#include "bench/ceiling.hpp"
#include "bench/load.hpp"
#include "bench/measures.hpp"
#include "bench/progress.hpp"
#include "bench/system.hpp"
#include "broker/store/migrate.hpp"

namespace ordo::bench {
namespace {

/// Orders a commit of a ceiling that stands alone: full batches.
constexpr int kBatchAlone = 500;
/// The most that a ceiling is asked for.
constexpr long kMostBatch = 2000;

Micros micros_of(double seconds) { return Micros{static_cast<std::int64_t>(seconds * 1e6)}; }

std::function<bool()> after(double seconds) {
  const Steady until = steady_now() + micros_of(seconds);
  return [until] { return steady_now() >= until; };
}

/// Orders in flight: eight thousand keep two shards' batches full; of six steps each they would
/// leave the broker's window for its backlog, and that would be measured.
std::uint64_t in_flight_of(const MeasureSpec& spec) {
  if (spec.in_flight > 0) return spec.in_flight;
  return spec.steps == 1 ? 8000 : 3000;
}

struct Cpu {
  double client, broker, worker, postgres;
};
Cpu cpu_of(System& system) {
  return {cpu_seconds_of_self(), system.broker().cpu_seconds(), system.workers().cpu_seconds(),
          cpu_seconds_of_tree(system.postgres().pid())};
}

/// One measured stretch: warm-up with a checkpoint inside, then what counts.
Result<Counted> stretch(System& system, client::Client& client, const MeasureSpec& spec,
                        Figures& figures, const std::string& suffix) {
  Load load(client, spec.steps == 1 ? "bench1" : "bench6",
            static_cast<std::size_t>(spec.payload_bytes));
  const std::uint64_t base = system.page()->last_steps;
  const auto ended = [&] { return system.page()->last_steps.load() - base; };
  const auto drive = [&](const char* what, double seconds) {
    Progress progress(what, micros_of(seconds));
    load.closed_loop(in_flight_of(spec), ended, [&, is_over = after(seconds)] {
      progress.tell(ended());
      return is_over();
    });
  };
  drive("warm-up", spec.warm_up / 2);
  if (auto done = system.checkpoint(); !done) return tl::unexpected<Error>(done.error());
  drive("warm-up", spec.warm_up / 2);
  const auto committed = system.commits();
  if (!committed) return tl::unexpected<Error>(committed.error());
  const std::int64_t from = to_ms(wall_now());
  const Cpu before = cpu_of(system);
  const Steady began = steady_now();
  drive("counted", spec.seconds);
  const double took = static_cast<double>((steady_now() - began).count()) / 1e6;
  const Cpu cpu = cpu_of(system);
  const auto commits = system.commits();
  if (!commits) return tl::unexpected<Error>(commits.error());
  load.settle();
  const std::uint64_t submitted = load.counts.acked;
  for (int i = 0; i < 200 && ended() < submitted; ++i) usleep(50'000);
  auto counted = system.count(spec.seconds, from);
  if (!counted) return counted;
  const double batches = std::max(commits->batches - committed->batches, 1.0);
  counted->batch_writes = (commits->writes - committed->writes) / batches;
  const double tasks = counted->tasks_per_s * took;
  const auto share = [&](double used) { return used / tasks * 1e6; };
  figures.insert(figures.end(), {{"orders_per_s" + suffix, counted->orders_per_s},
                                 {"tasks_per_s" + suffix, counted->tasks_per_s},
                                 {"worst_second_ratio" + suffix, counted->worst_second_ratio},
                                 {"batch_writes" + suffix, counted->batch_writes},
                                 {"ack_p50_ms" + suffix, load.counts.ack.percentile_ms(0.5)},
                                 {"ack_p99_ms" + suffix, load.counts.ack.percentile_ms(0.99)},
                                 {"failed" + suffix, static_cast<double>(load.counts.failed)}});
  if (suffix.empty()) {
    figures.insert(figures.end(), {{"client_us_a_task", share(cpu.client - before.client)},
                                   {"broker_us_a_task", share(cpu.broker - before.broker)},
                                   {"worker_us_a_task", share(cpu.worker - before.worker)},
                                   {"postgres_us_a_task", share(cpu.postgres - before.postgres)},
                                   {"rss_mib", system.broker().peak_mib()}});
  }
  return counted;
}

Result<CeilingReport> ceiling_on(System& system, const MeasureSpec& spec, int batch) {
  const Progress progress("ceiling", micros_of(std::min(spec.seconds, 15.0) + 2));
  auto database = system.postgres().create_database("ceiling");
  if (!database) return tl::unexpected<Error>(database.error());
  const std::string name = database->substr(database->rfind("ceiling_"));
  CeilingSpec ceiling;
  ceiling.dsn = system.postgres().socket_dsn(name.substr(0, name.find_first_of(" '\"")));
  ceiling.sessions = spec.shards;
  ceiling.batch = batch;
  ceiling.steps = spec.steps;
  ceiling.payload_bytes = spec.payload_bytes;
  ceiling.seconds = std::min(spec.seconds, 15.0);
  const auto migrated =
      migrate({.dsn = ceiling.dsn, .first = 0, .shards = static_cast<ShardNumber>(spec.shards)});
  if (!migrated) return tl::unexpected<Error>(migrated.error());
  return run_ceiling(ceiling);
}

/// What a rate is compared with: orders of one step, tasks of six.
double per_s(const CeilingReport& report, const MeasureSpec& spec) {
  return spec.steps == 1 ? report.orders_per_s : report.tasks_per_s;
}

/// The ceiling with the batches of the run, and the ratio to it.
Result<void> compare(System& system, const MeasureSpec& spec, const Counted& counted,
                     Figures& figures) {
  const int mean = static_cast<int>(std::clamp(std::lround(counted.batch_writes), 1L, kMostBatch));
  const int batch = spec.batch > 0 ? spec.batch : mean;
  auto report = ceiling_on(system, spec, batch);
  if (!report) return tl::unexpected<Error>(report.error());
  const double ceiling = per_s(*report, spec);
  const double reached = spec.steps == 1 ? counted.orders_per_s : counted.tasks_per_s;
  figures.insert(figures.end(), {{"ceiling_batch", static_cast<double>(batch)},
                                 {"ceiling_per_s", ceiling},
                                 {"ratio", reached / ceiling}});
  return {};
}

}  // namespace

Result<Figures> describe(System& system, const WorkerSpec& workers) {
  auto version = system.postgres_version();
  if (!version) return tl::unexpected<Error>(version.error());
  return Figures{{"postgres", std::move(*version)},
                 {"slots", static_cast<double>(workers.slots)},
                 {"take_ahead", static_cast<double>(workers.take_ahead)}};
}

Result<Figures> measure_ceiling(const MeasureSpec& spec) {
  auto system = System::start({.shards = spec.shards});
  if (!system) return tl::unexpected<Error>(system.error());
  auto version = (*system)->postgres_version();
  if (!version) return tl::unexpected<Error>(version.error());
  const int batch = spec.batch > 0 ? spec.batch : kBatchAlone;
  auto report = ceiling_on(**system, spec, batch);
  if (!report) return tl::unexpected<Error>(report.error());
  return Figures{{"postgres", std::move(*version)},
                 {"ceiling_batch", static_cast<double>(batch)},
                 {"ceiling_per_s", per_s(*report, spec)},
                 {"ceiling_orders_per_s", report->orders_per_s},
                 {"ceiling_tasks_per_s", report->tasks_per_s},
                 {"worst_second_ratio", report->worst_second_ratio}};
}

Result<Figures> measure_throughput(const MeasureSpec& spec) {
  auto system = System::start({.shards = spec.shards});
  if (!system) return tl::unexpected<Error>(system.error());
  auto client = (*system)->connect(100'000);
  if (!client) return tl::unexpected<Error>(client.error());
  if (auto ok = (*system)->apply(**client, spec.steps); !ok)
    return tl::unexpected<Error>(ok.error());
  const WorkerSpec workers;
  if (auto ok = (*system)->start_workers(workers); !ok) return tl::unexpected<Error>(ok.error());
  auto figures = describe(**system, workers);
  if (!figures) return figures;
  figures->emplace_back("in_flight", static_cast<double>(in_flight_of(spec)));
  auto counted = stretch(**system, **client, spec, *figures, "");
  if (!counted) return tl::unexpected<Error>(counted.error());
  if (spec.hold_snapshot) {
    // A transaction that is held open keeps every dead row: what costs most queues their rate.
    auto holder =
        Connection::open({.dsn = (*system)->dsn(), .schema = "ordo_0", .program = "holder"});
    if (!holder) return tl::unexpected<Error>(holder.error());
    auto begun = (*holder)->run([](pqxx::transaction_base& t) {
      t.exec("begin isolation level repeatable read");
      return t.exec("select count(*) from task");
    });
    if (!begun) return fail(Code::kUnavailable, "snapshot", begun.error().message);
    auto held = spec;
    held.seconds = std::max(spec.seconds, 120 - spec.warm_up);
    auto second = stretch(**system, **client, held, *figures, "_held");
    if (!second) return tl::unexpected<Error>(second.error());
    figures->emplace_back("held_ratio", second->orders_per_s / counted->orders_per_s);
  }
  if (spec.with_ceiling) {
    (*system)->stop_workers();
    if (auto ok = compare(**system, spec, *counted, *figures); !ok) {
      return tl::unexpected<Error>(ok.error());
    }
  }
  return figures;
}

Result<Figures> measure_latency(const MeasureSpec& spec) {
  auto system = System::start({.shards = spec.shards});
  if (!system) return tl::unexpected<Error>(system.error());
  auto client = (*system)->connect(100'000);
  if (!client) return tl::unexpected<Error>(client.error());
  if (auto ok = (*system)->apply(**client, 1); !ok) return tl::unexpected<Error>(ok.error());
  const WorkerSpec workers;
  if (auto ok = (*system)->start_workers(workers); !ok) return tl::unexpected<Error>(ok.error());
  auto figures = describe(**system, workers);
  if (!figures) return figures;
  Histogram idle;
  for (int i = 0; i < 2500; ++i) {
    client::Order order{.pipeline = "bench1", .payload = std::string(100, 'x')};
    const std::int64_t at = steady_micros();
    auto receipt = (*client)->submit(std::move(order));
    if (!receipt) return tl::unexpected<Error>(receipt.error());
    if (i >= 500) idle.add(steady_micros() - at);
  }
  figures->emplace_back("ack_p50_ms", idle.percentile_ms(0.5));
  figures->emplace_back("ack_p99_ms", idle.percentile_ms(0.99));
  double rate = spec.rate;
  if (rate <= 0) {
    MeasureSpec quick = spec;
    quick.steps = 1;
    quick.warm_up = std::min(spec.warm_up, 10.0);
    quick.seconds = 10;
    Figures ignored;
    auto full = stretch(**system, **client, quick, ignored, "");
    if (!full) return tl::unexpected<Error>(full.error());
    rate = full->orders_per_s / 2;
    figures->emplace_back("in_flight", static_cast<double>(in_flight_of(quick)));
    figures->emplace_back("full_orders_per_s", full->orders_per_s);
  }
  Load load(**client, "bench1", 100);
  const auto drive = [&](const char* what, double seconds) {
    Progress progress(what, micros_of(seconds));
    load.open_loop(rate, true, [&, is_over = after(seconds)] {
      progress.tell(0);
      return is_over();
    });
  };
  drive("warm-up at half load", spec.warm_up / 2);
  load.counts.ack.reset();
  (*system)->page()->start.reset();
  drive("counted at half load", spec.seconds);
  load.settle();
  figures->insert(figures->end(), {{"rate", rate},
                                   {"loaded_ack_p50_ms", load.counts.ack.percentile_ms(0.5)},
                                   {"loaded_ack_p99_ms", load.counts.ack.percentile_ms(0.99)},
                                   {"start_p50_ms", (*system)->page()->start.percentile_ms(0.5)},
                                   {"start_p99_ms", (*system)->page()->start.percentile_ms(0.99)}});
  return figures;
}

}  // namespace ordo::bench
