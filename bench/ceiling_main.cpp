// ordo-bench-ceiling: the bare loop over commit_batch on a PostgreSQL of its own (or the one of
// --dsn).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "bench/ceiling.hpp"
#include "broker/store/migrate.hpp"
#include "tests/support/postgres_server.hpp"

namespace {

int fail_with(const ordo::Error& error) {
  std::fprintf(stderr, "ordo-bench-ceiling: %s\n", error.message.c_str());
  return error.code == ordo::Code::kUnavailable ? 69 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  ordo::bench::CeilingSpec spec;
  CLI::App app("Measures what commit_batch alone does; ends with one JSON line.");
  app.name("ordo-bench-ceiling");
  app.add_option("--dsn", spec.dsn, "A database to measure on; none: a private server is started");
  app.add_option("--sessions", spec.sessions, "Shards, each with a session")
      ->check(CLI::Range(1, 16));
  app.add_option("--batch", spec.batch, "Orders a commit")->check(CLI::Range(1, 2000));
  app.add_option("--steps", spec.steps, "Steps of an order")->check(CLI::IsMember({1, 6}));
  app.add_option("--payload", spec.payload_bytes, "Bytes of an order")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--warm-up", spec.warm_up, "Seconds before it counts")->check(CLI::Range(0, 120));
  app.add_option("--seconds", spec.seconds, "Seconds that count")->check(CLI::Range(1, 300));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::unique_ptr<ordo::testing::PostgresServer> server;
  if (spec.dsn.empty()) {
    auto made = ordo::testing::PostgresServer::create({.is_durable = true});
    if (!made) return fail_with(made.error());
    server = std::move(*made);
    spec.dsn = server->socket_dsn();
  }
  const auto migrated = ordo::migrate(
      {.dsn = spec.dsn, .first = 0, .shards = static_cast<ordo::ShardNumber>(spec.sessions)});
  if (!migrated) return fail_with(migrated.error());
  const auto report = ordo::bench::run_ceiling(spec);
  if (!report) return fail_with(report.error());
  std::printf(
      "{\"bench\":\"ceiling\",\"sessions\":%d,\"batch\":%d,\"steps\":%d,\"payload_bytes\":%d,"
      "\"seconds\":%.0f,\"orders_per_s\":%.0f,\"tasks_per_s\":%.0f,\"commits_per_s\":%.0f,"
      "\"worst_second_ratio\":%.2f}\n",
      spec.sessions, spec.batch, spec.steps, spec.payload_bytes, spec.seconds, report->orders_per_s,
      report->tasks_per_s, report->commits_per_s, report->worst_second_ratio);
  return 0;
}
