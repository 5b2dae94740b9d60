// ordo-verify: holds the tables and the shop's ledgers against what must hold.
//
// Exit codes: 0 no violation, 1 violations, 2 usage, 69 a record cannot be read, 70 a fault of
// ours.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/clock.hpp"
#include "examples/shop/verify/records.hpp"
#include "examples/shop/verify/verify.hpp"

namespace {

using ordo::Result;
using ordo::shop::Finding;
using ordo::shop::Json;
using ordo::shop::World;

constexpr int kOk = 0;
constexpr int kViolations = 1;
constexpr int kUsage = 2;
constexpr int kMissing = 69;
constexpr int kOurFault = 70;

struct Sources {
  std::string dsn, psql = "/usr/bin/psql", ledgers, acks, metrics, output = "text";
  int shards = 1;
  std::int64_t horizon_s = 60;
};

void declare(CLI::App& app, Sources& sources) {
  app.footer(
      "Example:\n  ordo-verify --database 'host=127.0.0.1 dbname=ordo' --shards 2 --ledgers "
      "/tmp/shop\n\nThe last line of stdout is JSON: {\"violations\":0,…}");
  app.add_option("--database", sources.dsn, "libpq connection string")->required();
  app.add_option("--shards", sources.shards, "How many schemas ordo_0 … there are")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--psql", sources.psql, "The program that reads the tables")
      ->check(CLI::ExistingFile)
      ->capture_default_str();
  app.add_option("--ledgers", sources.ledgers, "Folder of ordo-shop-services");
  app.add_option("--acks", sources.acks, "Log of acks, as ordo-demo writes it");
  app.add_option("--metrics", sources.metrics, "A broker's http://host:port/metrics");
  app.add_option("--output", sources.output,
                 "text: findings, then the line of JSON; json: findings on stderr")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--horizon-s", sources.horizon_s, "How long a payment may be without its order")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400} * 365))
      ->capture_default_str();
}

Result<World> read(const Sources& sources) {
  World world;
  world.horizon_ms = sources.horizon_s * 1000;
  // Tables first: what they say is done, the ledgers have had before.
  const ordo::demo::TableReader tables(sources.psql, sources.dsn, sources.shards);
  if (auto done = read_tables(tables, world); !done) return tl::unexpected(done.error());
  if (!sources.ledgers.empty()) {
    if (auto done = read_ledgers(sources.ledgers, world); !done) {
      return tl::unexpected(done.error());
    }
  }
  if (!sources.acks.empty()) {
    if (auto done = read_acked(sources.acks, world); !done) return tl::unexpected(done.error());
  }
  if (!sources.metrics.empty()) {
    if (auto done = read_gauges(sources.metrics, world); !done) return tl::unexpected(done.error());
  }
  world.now_ms =
      std::chrono::duration_cast<ordo::Millis>(ordo::wall_now().time_since_epoch()).count();
  return world;
}

/// `words` is where sentences for people go.
int report(const World& world, std::ostream& words) {
  Json rules = Json::object();
  Json missing = Json::array();
  std::uint64_t violations = 0;
  for (const Finding& finding : verify(world)) {
    if (!finding.missing.empty()) {
      missing.push_back(finding.rule);
      words << finding.rule << ": not checked, no " << finding.missing << '\n';
      continue;
    }
    violations += finding.count;
    rules[finding.rule] = finding.count;
    if (finding.count > 0) words << finding.rule << ": " << finding.count << '\n';
    for (const std::string& example : finding.examples) words << "  " << example << '\n';
  }
  std::size_t effects = 0;
  for (const auto& [service, ledger] : world.ledgers) effects += ledger.size();
  std::cout << Json{{"violations", violations},      {"rules", rules},
                    {"not_checked", missing},        {"orders", world.orders.size()},
                    {"events", world.events.size()}, {"effects", effects}}
                   .dump()
            << std::endl;
  return violations == 0 ? kOk : kViolations;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Sources sources;
    CLI::App app("ordo-verify: what must hold after a run of the shop.", "ordo-verify");
    declare(app, sources);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? kOk : kUsage;
    }
    const auto world = read(sources);
    if (!world) {
      std::cerr << "ordo-verify: " << world.error().message << '\n';
      return kMissing;
    }
    return report(*world, sources.output == "json" ? std::cerr : std::cout);
  } catch (const std::exception& error) {
    std::cerr << "ordo-verify: " << error.what() << '\n';
    return kOurFault;
  }
}
