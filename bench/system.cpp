#include "bench/system.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/clock.hpp"
#include "base/http_get.hpp"
#include "broker/store/migrate.hpp"

namespace ordo::bench {
namespace {

/// A port that nobody listens on now.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

/// The six steps of REQ-shaped orders: a parallel pair, then a join, as in a shop.
constexpr const char* kSixSteps = R"(pipeline: bench6
version: 1
steps:
  a: { queue: bench }
  b: { queue: bench, after: a }
  c: { queue: bench, after: a }
  d: { queue: bench, after: [b, c] }
  e: { queue: bench, after: d }
  f: { queue: bench, after: e }
)";
constexpr const char* kOneStep = R"(pipeline: bench1
version: 1
steps:
  f: { queue: bench }
)";

std::string schema_of(int shard) { return "ordo_" + std::to_string(shard); }

Error of_failure(const Failure& failure) {
  return {Code::kUnavailable, "database", failure.message, {}};
}

}  // namespace

Result<std::unique_ptr<System>> System::start(const SystemSpec& spec) {
  std::unique_ptr<System> system(new System(spec));
  auto server = testing::PostgresServer::create({.is_durable = true});
  if (!server) return tl::unexpected<Error>(server.error());
  system->postgres_ = std::move(*server);
  auto database = system->postgres_->create_database("bench");
  if (!database) return tl::unexpected<Error>(database.error());
  const std::string name = database->substr(database->rfind("bench_"));
  system->dsn_ = system->postgres_->socket_dsn(name.substr(0, name.find_first_of(" '\"")));
  const auto migrated =
      migrate({.dsn = system->dsn_, .first = 0, .shards = static_cast<ShardNumber>(spec.shards)});
  if (!migrated) return tl::unexpected<Error>(migrated.error());
  if (auto ok = system->use_up_fresh_wal(); !ok) return tl::unexpected<Error>(ok.error());
  system->clients_ = "127.0.0.1:" + std::to_string(free_port());
  system->workers_endpoint_ = "127.0.0.1:" + std::to_string(free_port());
  system->http_ = "127.0.0.1:" + std::to_string(free_port());
  if (auto ok = system->start_broker(); !ok) return tl::unexpected<Error>(ok.error());
  return system;
}

/// A cluster that was just made writes zeros for each new WAL segment, which stops every commit for
/// some 20 ms; one that has run for a while reuses old segments. Measured is the latter.
Result<void> System::use_up_fresh_wal() {
  auto connection = Connection::open({.dsn = dsn_, .schema = "public", .program = "bench"});
  if (!connection) return tl::unexpected<Error>(connection.error());
  const auto run = [&](const std::string& sql) -> Result<void> {
    auto done = (*connection)->run([&](pqxx::transaction_base& t) { return t.exec(sql); });
    if (!done) return fail(Code::kUnavailable, "wal", done.error().message);
    return {};
  };
  if (auto ok = run("select count(pg_logical_emit_message(false, 'bench', repeat('x', 1048576))) "
                    "from generate_series(1, 3500)");
      !ok) {
    return ok;
  }
  return run("checkpoint");
}

Result<void> System::start_broker() {
  std::vector<std::string> arguments{
      "--database",       dsn_,     "--shards",         std::to_string(spec_.shards),
      "--listen-clients", clients_, "--listen-workers", workers_endpoint_,
      "--listen-http",    http_,    "--log-level",      "warn"};
  if (spec_.keys.keyring.empty()) {
    arguments.emplace_back("--plaintext");
  } else {
    arguments.insert(arguments.end(),
                     {"--keys", spec_.keys.keyring, "--secret-key-file", spec_.keys.broker});
  }
  arguments.insert(arguments.end(), spec_.broker_flags.begin(), spec_.broker_flags.end());
  auto started = Process::start("ordo-broker", std::move(arguments));
  if (!started) return tl::unexpected<Error>(started.error());
  broker_ = std::move(*started);
  return {};
}

Result<void> System::restart_broker(const SystemSpec& spec) {
  broker_.reset();
  spec_.broker_flags = spec.broker_flags;
  spec_.keys = spec.keys;
  return start_broker();
}

Result<void> System::start_workers(const WorkerSpec& spec) {
  page_->tasks = 0;
  page_->first_steps = 0;
  page_->last_steps = 0;
  page_->start.reset();
  auto started = Process::start(
      "/proc/self/exe",
      {"worker", "--broker", "tcp://" + workers_endpoint_, "--slots", std::to_string(spec.slots),
       "--take-ahead", std::to_string(spec.take_ahead), "--micros",
       std::to_string(spec.handler_micros), "--page", std::to_string(page_.descriptor()),
       "--key-file", spec_.keys.worker, "--broker-key", spec_.keys.broker_public});
  if (!started) return tl::unexpected<Error>(started.error());
  workers_ = std::move(*started);
  return {};
}

Result<std::unique_ptr<client::Client>> System::connect(std::size_t in_flight) {
  client::Options options;
  options.endpoints = {"tcp://" + clients_};
  options.key_file = spec_.keys.client;
  options.broker_key = spec_.keys.broker_public;
  options.max_in_flight = in_flight;
  options.max_bytes = 256u << 20;
  options.timeout = std::chrono::milliseconds(30'000);
  auto made = std::make_unique<client::Client>(std::move(options));
  if (auto ready = made->ready(std::chrono::milliseconds(20'000)); !ready) {
    return tl::unexpected<Error>(ready.error());
  }
  return made;
}

Result<void> System::apply(client::Client& client, int steps) {
  return apply(client, steps == 1 ? kOneStep : kSixSteps);
}

Result<void> System::apply(client::Client& client, const std::string& pipeline) {
  const Steady until = steady_now() + Seconds{20};
  for (;;) {
    auto put = client.put_pipeline(pipeline);
    if (put) return {};
    if (put.error().code != Code::kUnavailable || steady_now() > until) {
      return tl::unexpected<Error>(put.error());
    }
    usleep(50'000);  // the broker is still taking its shards
  }
}

Result<Connection*> System::session(int shard) {
  while (static_cast<int>(sessions_.size()) <= shard) {
    auto opened = Connection::open({.dsn = dsn_,
                                    .schema = schema_of(static_cast<int>(sessions_.size())),
                                    .program = "ordo-bench"});
    if (!opened) return tl::unexpected<Error>(opened.error());
    sessions_.push_back(std::move(*opened));
  }
  return sessions_[static_cast<std::size_t>(shard)].get();
}

Result<std::int64_t> System::number(const std::string& sql) {
  std::int64_t sum = 0;
  for (int shard = 0; shard < spec_.shards; ++shard) {
    auto connection = session(shard);
    if (!connection) return tl::unexpected<Error>(connection.error());
    auto rows = (*connection)->run([&](pqxx::transaction_base& t) { return t.exec(sql); });
    if (!rows) return tl::unexpected<Error>(of_failure(rows.error()));
    if (!rows->empty() && !(*rows)[0][0].is_null()) sum += (*rows)[0][0].as<std::int64_t>();
  }
  return sum;
}

Result<Commits> System::commits() {
  auto reply = http_get("http://" + http_ + "/metrics");
  if (!reply) return tl::unexpected<Error>(reply.error());
  Commits commits;
  std::istringstream lines(reply->body);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.starts_with("ordo_commit_writes_sum")) commits.writes += std::stod(line.substr(space));
    if (line.starts_with("ordo_commit_writes_count")) {
      commits.batches += std::stod(line.substr(space));
    }
  }
  if (commits.batches > 0) return commits;
  return fail(Code::kInternal, "metrics", "the broker's metrics tell of no commit");
}

Result<std::string> System::postgres_version() {
  auto connection = session(0);
  if (!connection) return tl::unexpected<Error>(connection.error());
  auto rows =
      (*connection)->run([](pqxx::transaction_base& t) { return t.exec("show server_version"); });
  if (!rows) return tl::unexpected<Error>(of_failure(rows.error()));
  return (*rows)[0][0].as<std::string>();
}

Result<void> System::checkpoint() {
  auto connection = session(0);
  if (!connection) return tl::unexpected<Error>(connection.error());
  auto done = (*connection)->run([](pqxx::transaction_base& t) { return t.exec("checkpoint"); });
  if (!done) return tl::unexpected<Error>(of_failure(done.error()));
  return {};
}

Result<Counted> System::count(double seconds, std::int64_t from_ms) {
  const auto buckets = static_cast<std::size_t>(std::max(1.0, std::floor(seconds)));
  std::vector<double> orders(buckets, 0.0);
  double tasks = 0;
  const std::string from = std::to_string(from_ms);
  const std::string sql = "select floor(extract(epoch from at) - " + from +
                          " / 1000.0)::int as second, "
                          "count(*), count(*) filter (where order_status = 'succeeded') from event "
                          "where kind = 'succeeded' and at >= to_timestamp(" +
                          from +
                          " / 1000.0) "
                          "and at < to_timestamp(" +
                          from + " / 1000.0 + " + std::to_string(buckets) + ") group by 1";
  for (int shard = 0; shard < spec_.shards; ++shard) {
    auto connection = session(shard);
    if (!connection) return tl::unexpected<Error>(connection.error());
    auto rows = (*connection)->run([&](pqxx::transaction_base& t) { return t.exec(sql); });
    if (!rows) return tl::unexpected<Error>(of_failure(rows.error()));
    for (const auto& row : *rows) {
      const auto second = row[0].as<std::size_t>();
      tasks += row[1].as<double>();
      if (second < buckets) orders[second] += row[2].as<double>();
    }
  }
  Counted counted;
  double sum = 0;
  for (const double one : orders) sum += one;
  counted.orders_per_s = sum / static_cast<double>(buckets);
  counted.tasks_per_s = tasks / static_cast<double>(buckets);
  const double worst = *std::min_element(orders.begin(), orders.end());
  counted.worst_second_ratio = counted.orders_per_s > 0 ? worst / counted.orders_per_s : 0;
  return counted;
}

}  // namespace ordo::bench
