// A whole ordo for a bench: PostgreSQL with its durable settings, shards, a broker and workers as
// processes of their own, and what the tables say about them.
//
// Errors:  Result; the first part that does not start says why.
// Threads: one owner.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/process.hpp"
#include "bench/shared_page.hpp"
#include "broker/store/connection.hpp"
#include "ordo/client.hpp"
#include "tests/support/postgres_server.hpp"

namespace ordo::bench {

/// Where the keys of all parties are; an empty keyring: plain text.
struct KeyFiles {
  std::string keyring, broker, broker_public, client, worker;
};

struct SystemSpec {
  int shards = 2;
  std::vector<std::string> broker_flags{};  ///< beside DSN, shards and addresses
  KeyFiles keys{};
};

struct WorkerSpec {
  int slots = 2;
  int take_ahead = 4000;
  int handler_micros = 0;  ///< each handler waits that long; 0: returns at once
};

/// What happened in a stretch of time, counted in the tables.
struct Counted {
  double orders_per_s = 0;
  double tasks_per_s = 0;
  double worst_second_ratio = 0;
  double batch_writes = 0;  ///< orders' writes a commit, by the broker's metrics
};

/// What the broker has committed since it started, by its own metrics.
struct Commits {
  double batches = 0;
  double writes = 0;  ///< of orders, in all batches
};

class System {
 public:
  static Result<std::unique_ptr<System>> start(const SystemSpec& spec);

  Result<void> start_broker();
  /// The same database under a broker of other flags or keys; clients and workers are gone before.
  Result<void> restart_broker(const SystemSpec& spec);
  Result<void> use_up_fresh_wal();
  Result<void> start_workers(const WorkerSpec& spec);
  void stop_workers() { workers_.reset(); }
  /// Waits until the broker has all its shards open.
  Result<void> wait_ready(std::chrono::milliseconds patience);
  /// A client with room for `in_flight` requests.
  Result<std::unique_ptr<client::Client>> connect(std::size_t in_flight);
  /// Stores the one-step (`bench1`) or six-step (`bench6`) pipeline.
  Result<void> apply(client::Client& client, int steps);
  Result<void> apply(client::Client& client, const std::string& pipeline);

  /// Ended orders and succeeded tasks of `seconds` that began `ago` seconds before now, by the
  /// events.
  Result<Counted> count(double seconds, std::int64_t from_ms);
  Result<std::int64_t> number(const std::string& sql);  ///< summed over the shards
  Result<Commits> commits();                            ///< summed over the shards
  Result<std::string> postgres_version();
  Result<void> checkpoint();

  testing::PostgresServer& postgres() { return *postgres_; }
  Process& broker() { return *broker_; }
  Process& workers() { return *workers_; }
  PageMapping& page() { return page_; }
  [[nodiscard]] const std::string& dsn() const { return dsn_; }
  [[nodiscard]] const std::string& workers_endpoint() const { return workers_endpoint_; }
  [[nodiscard]] std::string http() const { return "http://" + http_; }
  [[nodiscard]] int shards() const { return spec_.shards; }

 private:
  explicit System(SystemSpec spec) : spec_(std::move(spec)) {}
  Result<Connection*> session(int shard);

  SystemSpec spec_;
  std::unique_ptr<testing::PostgresServer> postgres_;
  std::string dsn_;
  std::string folder_;
  std::string clients_, workers_endpoint_, http_;
  PageMapping page_;
  std::vector<std::unique_ptr<Connection>> sessions_;
  std::unique_ptr<Process> broker_;
  std::unique_ptr<Process> workers_;
};

/// The worker process: `ordo-bench worker …`, started by System. Returns its exit code.
int run_worker_process(int argc, char** argv);

}  // namespace ordo::bench
