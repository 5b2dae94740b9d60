// ordo-bench: measures ordo on this machine. `ordo bench WHAT` and `./dev bench WHAT` run it.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/machine.hpp"
#include "bench/measures.hpp"
#include "bench/system.hpp"

#ifndef ORDO_COMMIT
#define ORDO_COMMIT "unknown"
#endif

namespace {

using ordo::bench::Figure;
using ordo::bench::Figures;
using ordo::bench::MeasureSpec;

nlohmann::ordered_json to_json(const Figure& figure) {
  if (const auto* words = std::get_if<std::string>(&figure)) return *words;
  const double number = std::get<double>(figure);
  const double shown =
      std::abs(number) >= 100 ? std::round(number) : std::round(number * 1000) / 1000;
  if (shown == std::trunc(shown)) return static_cast<std::int64_t>(shown);
  return shown;
}

int report(const MeasureSpec& spec, const Figures& figures) {
  const ordo::bench::Machine machine = ordo::bench::this_machine();
  nlohmann::ordered_json line;
  line["bench"] = spec.what;
  line["steps"] = spec.steps;
  line["shards"] = spec.shards;
  line["payload_bytes"] = spec.payload_bytes;
  line["warm_up_s"] = spec.warm_up;
  line["seconds"] = spec.seconds;
  for (const auto& [name, figure] : figures) line[name] = to_json(figure);
  line["cpu"] = machine.cpu;
  line["cores"] = machine.cores;
  line["ram_mib"] = machine.ram_mib;
  line["kernel"] = machine.kernel;
  line["commit"] = ORDO_COMMIT;
  std::printf("%s\n", line.dump().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) {
    return ordo::bench::run_worker_process(argc - 1, argv + 1);
  }
  MeasureSpec spec;
  CLI::App app("Measures ordo: its own PostgreSQL, broker and workers, on this machine alone.");
  app.name("ordo-bench");
  app.add_option("what", spec.what,
                 "throughput, latency, backlog, restart, overload, outage, ceiling or cost")
      ->required()
      ->check(CLI::IsMember({"throughput", "latency", "backlog", "restart", "overload", "outage",
                             "ceiling", "cost"}));
  app.add_option("--steps", spec.steps, "Steps of an order")->check(CLI::IsMember({1, 6}));
  app.add_option("--shards", spec.shards, "Shards, all in one database")->check(CLI::Range(1, 16));
  app.add_option("--payload", spec.payload_bytes, "Bytes of an order")->check(CLI::Range(8, 65536));
  app.add_option("--warm-up", spec.warm_up, "Seconds before it counts")->check(CLI::Range(1, 300));
  app.add_option("--seconds", spec.seconds, "Seconds that count")->check(CLI::Range(1, 600));
  app.add_option("--orders", spec.orders, "Orders that wait (backlog, restart)")
      ->check(CLI::Range(100'000, 100'000'000));
  app.add_option("--in-flight", spec.in_flight,
                 "Orders between submit and end (throughput); 0: 8000, or 3000 of six steps");
  app.add_option("--batch", spec.batch,
                 "Orders a commit of the ceiling; 0: the mean of the run beside it, 500 alone")
      ->check(CLI::Range(0, 2000));
  app.add_option("--rate", spec.rate,
                 "Orders a second at half load (latency); 0: half of what it reaches");
  app.add_option("--rounds", spec.rounds,
                 "Runs of each side (cost), of --seconds each; outages (outage: 5), of --seconds")
      ->check(CLI::Range(1, 100));
  app.add_flag("--hold-snapshot", spec.hold_snapshot, "Once more with a transaction held open");
  app.add_flag("!--no-ceiling", spec.with_ceiling, "Without the ceiling beside it");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // Many short runs: connections, first pages and allocators are warm within two seconds.
  if (spec.what == "cost" && app.count("--warm-up") == 0) spec.warm_up = 2;
  if (spec.what == "cost" && app.count("--seconds") == 0) spec.seconds = 10;
  if (spec.what == "outage" && app.count("--rounds") == 0) spec.rounds = 5;
  using Measure = ordo::Result<Figures> (*)(const MeasureSpec&);
  const std::map<std::string, Measure> measures{
      {"throughput", ordo::bench::measure_throughput}, {"latency", ordo::bench::measure_latency},
      {"backlog", ordo::bench::measure_backlog},       {"restart", ordo::bench::measure_restart},
      {"overload", ordo::bench::measure_overload},     {"outage", ordo::bench::measure_outage},
      {"ceiling", ordo::bench::measure_ceiling},       {"cost", ordo::bench::measure_cost}};
  const auto figures = measures.at(spec.what)(spec);
  if (!figures) {
    std::fprintf(stderr, "ordo-bench: %s\n", figures.error().message.c_str());
    return figures.error().code == ordo::Code::kUnavailable ? 69 : 1;
  }
  return report(spec, *figures);
}
