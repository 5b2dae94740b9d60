// A whole ordo on this machine: a private PostgreSQL, migrated shards, brokers and workers as
// processes of their own, all on free ports of 127.0.0.1. The demo shows it, the fault tests break
// it.
//
// Use:     System::create(options), start_broker(), start_worker() …; what is killed is started
//          again by number.
// Shapes:  brokers and workers have numbers from 0, names broker-N and shop-N, a log and (workers)
//          a ledger in folder().
// Errors:  kUnavailable or kNotFound with the part that does not start and its log's last lines.
// Threads: one owner, a thread that stays (children die with it). Everything ends with the object,
//          the folder too unless it is to be kept.
// Costs:   two seconds to the first order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "examples/demo/table_reader.hpp"
#include "examples/shop/ledger.hpp"
#include "ordo/result.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/postgres_server.hpp"

namespace ordo::demo {

struct SystemOptions {
  int shards = 2;
  int slots = 64;           ///< of a worker
  double time_scale = 0.1;  ///< of its services' times
  std::uint64_t seed = 1;   ///< of its services' failures
  /// fsync on, as in production. Off: kill -9 of every process loses nothing either
  bool is_durable = false;
  bool is_kept = false;                     ///< leaves the folder behind
  std::vector<std::string> broker_flags{};  ///< beside database, shards, addresses
  std::vector<std::string> worker_flags{};  ///< beside name, ledger, times and brokers
};

struct Endpoints {
  std::string clients, workers, http;  ///< "tcp://host:port", "http://host:port"
};
/// "host:port", where a broker is to listen: free ports, and those that the documents name.
Endpoints free_endpoints();
Endpoints usual_endpoints();

class System {
 public:
  /// PostgreSQL with migrated shards; no broker, no worker yet.
  static Result<std::unique_ptr<System>> create(const SystemOptions& options);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// A new broker; its number. Returns once it listens, which is before it owns shards.
  Result<std::size_t> start_broker(const Endpoints& at = free_endpoints());
  /// The same broker again after its end, on the same addresses.
  Result<void> restart_broker(std::size_t number);
  /// Waits until the broker says that it can take orders.
  Result<void> wait_ready(std::size_t number = 0);
  /// A new worker that dials every broker there is; its number.
  Result<std::size_t> start_worker();

  /// Of the workers started from now on.
  void set_time_scale(double scale) { options_.time_scale = scale; }
  void set_worker_flags(std::vector<std::string> flags) {
    options_.worker_flags = std::move(flags);
  }

  testing::PostgresServer& postgres() { return *postgres_; }
  testing::ChildProcess& broker(std::size_t number = 0) { return brokers_.at(number).process; }
  testing::ChildProcess& worker(std::size_t number) { return workers_.at(number).process; }
  [[nodiscard]] const Endpoints& endpoints(std::size_t broker = 0) const;
  [[nodiscard]] std::vector<std::string> client_endpoints() const;
  [[nodiscard]] const std::string& worker_name(std::size_t number) const;
  [[nodiscard]] std::size_t workers() const { return workers_.size(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& dsn() const { return dsn_; }
  [[nodiscard]] std::string psql() const { return postgres_->program("psql"); }
  [[nodiscard]] TableReader tables() const { return {psql(), dsn_, options_.shards}; }

  /// The effects of all workers there have been.
  [[nodiscard]] Result<std::vector<shop::Effect>> ledgers() const;
  /// Ends workers, then brokers, as an operator would. An error names who did not leave with 0.
  Result<void> stop();

 private:
  struct Broker {
    std::string name;
    Endpoints endpoints;
    testing::ChildProcess process;
  };
  struct Worker {
    std::string name, ledger;
    testing::ChildProcess process;
  };

  explicit System(SystemOptions options) : options_(std::move(options)) {}
  Result<void> start_database();
  Result<void> migrate();
  Result<testing::ChildProcess> launch_broker(const std::string& name, const Endpoints& addresses);
  Result<Endpoints> await_endpoints(const std::string& name, testing::ChildProcess& process) const;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  SystemOptions options_;
  std::string folder_;
  std::string dsn_;
  std::unique_ptr<testing::PostgresServer> postgres_;
  std::vector<Broker> brokers_;
  std::vector<Worker> workers_;
};

/// The last lines of a log, for the sentence about what does not start.
std::string tail_of(const std::string& path);

}  // namespace ordo::demo
