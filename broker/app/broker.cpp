#include "broker/app/broker.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metric_text.hpp"
#include "base/process_metrics.hpp"
#include "broker/app/loop.hpp"
#include "broker/app/maintenance_thread.hpp"
#include "broker/store/memory_store.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo {
namespace {

struct ShardMakers {
  MakeStore store;
  std::function<std::unique_ptr<ShardReader>()> reader;
};

ShardMakers postgres_makers(const BrokerOptions& options, ShardNumber shard) {
  const PostgresSettings settings{options.dsns.at(shard), shard, options.engine.broker_name};
  return {[settings] { return std::make_unique<PostgresStore>(settings); },
          [settings] { return std::make_unique<PostgresReader>(settings); }};
}

ShardMakers memory_makers(ShardNumber shard) {
  auto database = std::make_shared<MemoryDatabase>(shard);
  return {[database] {
            database->set_now(wall_now());
            return std::make_unique<MemoryStore>(*database);
          },
          [database]() -> std::unique_ptr<ShardReader> {
            // The maker, which owns the database, lives as long as the reader.
            return std::make_unique<MemoryReader>(*database);
          }};
}

}  // namespace

std::string Endpoints::to_json() const {
  return nlohmann::json{
      {"clients", clients}, {"workers", workers}, {"http", http}, {"pid", ::getpid()}}
      .dump();
}

/// Members are destroyed bottom up: first what asks, last what is asked.
class Broker::Shell {
 public:
  explicit Shell(const BrokerOptions& given)
      : options(given),
        health(given.engine.shards.size(), steady_now()),
        view(health, given.health),
        watch(given.system, given.name, given.health),
        engine(given.engine),
        done(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    ORDO_CHECK(done >= 0);
    book.gauge(metrics::kBuildInfo, {given.engine.version, "g++ " __VERSION__}).set(1);
  }
  ~Shell() { ::close(done); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  Result<void> open();
  void start_shards();
  void stop_threads();

  BrokerOptions options;
  MetricBook book;
  Health health;
  HealthView view;
  health::HealthBook watch;
  Endpoints endpoints;
  Engine engine;
  Mailbox mailbox;
  std::unique_ptr<Gateway> gateway;
  std::map<ShardNumber, ShardMakers> makers;
  std::map<ShardNumber, StoreMetrics> store_metrics;
  std::map<ShardNumber, ShardThreads> shards;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<MaintenanceThread> maintenance;
  HttpServer http;
  int done;
  std::thread thread;
};

Result<void> Broker::Shell::open() {
  auto opened = Gateway::open({.clients = options.clients,
                               .workers = options.workers,
                               .plaintext = options.plaintext,
                               .keyring = options.keyring,
                               .secret_key_file = options.secret_key_file});
  if (!opened) return tl::unexpected(opened.error());
  gateway = *std::move(opened);
  if (options.metrics == "on") {
    http.get("/metrics", [this] {
      MetricText now;  // what is asked for at the scrape, and counted nowhere
      now.value(metrics::kLoopAge, {},
                static_cast<double>(Micros(health.age(steady_now())).count()));
      write_process_metrics(now);
      return HttpAnswer{200, std::string(MetricText::kType), book.text() + now.text()};
    });
    http.get("/metrics/health", [this] { return view.metrics(steady_now()); });
    http.get("/api/v1/health", [this] { return view.json(steady_now()); });
  }
  http.get("/livez", [this] { return health.livez(steady_now()); });
  http.get("/readyz", [this] { return health.readyz(steady_now()); });
  http.get("/standbyz", [this] { return health.standbyz(steady_now()); });
  if (!options.http.is_loopback() && !options.open_http) {
    return fail(Code::kMalformed, "plaintext",
                "refusing to serve HTTP on " + options.http.to_string() +
                    " without encryption: listen on 127.0.0.1, or say open-http = true where "
                    "whoever reaches it may read metrics and health");
  }
  auto served = http.start(options.http.host, options.http.port);
  if (!served) return served;
  endpoints.clients = "tcp://" + gateway->address(Gateway::Side::kClient).to_string();
  endpoints.workers = "tcp://" + gateway->address(Gateway::Side::kWorker).to_string();
  endpoints.http = http.endpoint();
  return {};
}

void Broker::Shell::start_shards() {
  const bool is_memory = options.store == "memory";
  for (const ShardNumber shard : options.engine.shards) {
    auto& maker = makers[shard] =
        is_memory ? memory_makers(shard) : postgres_makers(options, shard);
    auto& cells = store_metrics.try_emplace(shard, book, shard).first->second;
    const StoreLock lock = is_memory ? std::make_shared<std::mutex>() : nullptr;
    const MakeStore make = [&maker, &cells, lock] {
      return std::make_unique<MeasuredStore>(maker.store(), cells, lock);
    };
    auto reader = std::make_unique<MeasuredReader>(maker.reader(), cells, lock);
    shards[shard].store = std::make_unique<StoreThread>(shard, make, cells, mailbox);
    shards[shard].reader = std::make_unique<ReaderThread>(std::move(reader), mailbox);
    if (is_memory) continue;
    shards[shard].probe = std::make_unique<ProbeThread>(
        ShardProbe(options.dsns.at(shard), shard, options.name, endpoints.clients), shard, book);
  }
  if (is_memory) return;
  maintenance = std::make_unique<MaintenanceThread>(
      MaintenancePlan{options.dsns, static_cast<int>(options.days_ahead),
                      static_cast<int>(options.retention_days), options.maintenance_every},
      book);
}

void Broker::Shell::stop_threads() {
  // All are told before any is waited for.
  if (maintenance) maintenance->stop();
  for (auto& [number, shard] : shards) {
    shard.store->stop();
    shard.reader->stop();
    if (shard.probe) shard.probe->stop();
  }
  shards.clear();
  maintenance.reset();
}

Broker::Broker(std::unique_ptr<Shell> shell) : shell_(std::move(shell)) {}

Broker::~Broker() {
  if (shell_->thread.joinable()) drain();
  if (const auto finished = finish(); !finished) log::error(finished.error().message);
}

Result<std::unique_ptr<Broker>> Broker::start(const BrokerOptions& options) {
  auto shell = std::make_unique<Shell>(options);
  auto opened = shell->open();
  if (!opened) return tl::unexpected(opened.error());
  shell->start_shards();
  shell->loop = std::make_unique<Loop>(Loop::Parts{
      shell->engine, *shell->gateway, shell->mailbox, shell->shards, shell->book, shell->health,
      shell->view, shell->watch, options.drain, options.metrics == "on"});
  shell->thread = std::thread([inside = shell.get()] {
    inside->loop->run();
    const std::uint64_t one = 1;
    ORDO_CHECK(::write(inside->done, &one, sizeof(one)) == sizeof(one));
  });
  pthread_setname_np(shell->thread.native_handle(), "loop");
  return std::unique_ptr<Broker>(new Broker(std::move(shell)));
}

const Endpoints& Broker::endpoints() const { return shell_->endpoints; }
void Broker::drain() { shell_->loop->drain(); }
int Broker::done_fd() const { return shell_->done; }

Result<void> Broker::finish() {
  if (!shell_->thread.joinable()) return {};
  shell_->thread.join();
  shell_->http.stop();
  shell_->stop_threads();
  const auto failure = shell_->loop->failure();
  // Frames that wait leave now: libzmq lingers for a bounded time.
  shell_->loop.reset();
  shell_->gateway.reset();
  if (failure) return tl::unexpected(*failure);
  return {};
}

}  // namespace ordo
