// ordo-migrate: brings the tables of shards to what this version needs. Run it before a new broker.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/first_process.hpp"
#include "broker/store/migrate.hpp"

namespace {

// What every program of the project exits with.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 69;

int run(const ordo::MigrateSpec& spec) {
  const auto report = ordo::migrate(spec);
  if (!report) {
    std::fprintf(stderr, "ordo-migrate: %s\n", report.error().message.c_str());
    return report.error().code == ordo::Code::kUnavailable ? kUnreachable : kFailed;
  }
  for (const auto& step : report->applied) {
    std::printf("%s shard %d: %s\n", spec.is_dry_run ? "would apply to" : "applied to", step.shard,
                step.name.c_str());
  }
  if (report->applied.empty()) std::printf("nothing to do: every shard is up to date\n");
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  ordo::end_on_signals_as_first_process();
  CLI::App app("Brings the tables of shards to what this version needs. Safe to run again.");
  app.name("ordo-migrate");
  ordo::MigrateSpec spec;
  bool shows_sql = false;
  // No secret in argv: a password belongs into the environment, ~/.pgpass or a service file.
  // The broker's words for it are --database and ORDO_DATABASE; --dsn and ORDO_DSN mean the same.
  for (const char* variable : {"ORDO_DSN", "ORDO_DATABASE"}) {
    if (const char* dsn = std::getenv(variable)) spec.dsn = dsn;
  }
  app.add_option("--database,--dsn", spec.dsn,
                 "PostgreSQL connection string of the database (also ORDO_DATABASE or ORDO_DSN, "
                 "and libpq's PG… variables)");
  app.add_option("--shards", spec.shards, "How many shards the database holds")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--first-shard,--first", spec.first, "Number of the first of them")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
  app.add_flag("--dry-run", spec.is_dry_run, "Only say what would be applied");
  app.add_flag("--show-sql", shows_sql, "Print the migrations and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (spec.first + spec.shards > 4096) {
    std::fprintf(stderr, "ordo-migrate: shards are numbered 0 to 4095\n");
    return kUsage;
  }
  if (shows_sql) {
    for (const auto& migration : ordo::embedded_migrations()) {
      std::printf("-- %s\n%s\n", migration.name.c_str(), migration.sql.c_str());
    }
    return kOk;
  }
  return run(spec);
}
