// A private, throw-away PostgreSQL for tests, bench and demo: a cluster in a folder of its own,
// on a free port of 127.0.0.1 and a unix socket, gone when the object goes. Never touches a
// cluster of the system.
//
// Use:     PostgresServer::shared() is the one of this program (started at first use, stopped at
//          exit); create_database() gives each test a database. Or create() one with options.
// Errors:  kUnavailable with the last lines of the server's log.
// Threads: one owner; dsn() from anywhere. The server dies with the thread that started it
//          (PR_SET_PDEATHSIG), so start it on a thread that stays, best the main one.
// Costs:   about a second for the first start (initdb), 0.1 s for others.
// Source:  binaries of ORDO_PG_BIN, else the newest /usr/lib/postgresql/*/bin, else PATH. As root
//          the server runs as user postgres (or nobody), because PostgreSQL refuses root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::testing {

struct PostgresOptions {
  std::string folder{};  ///< where it lives and stays; empty: a temporary one, removed at the end
  bool is_durable = false;  ///< fsync on, large buffers: what is measured. Off: quick tests
  std::uint16_t port = 0;   ///< 0: a free one
  std::vector<std::pair<std::string, std::string>> settings{};  ///< more of postgresql.conf
};

class PostgresServer {
 public:
  /// Creates the cluster (unless its folder holds one) and starts it.
  static Result<std::unique_ptr<PostgresServer>> create(PostgresOptions options = {});
  /// The quick one of this program; stops the program with the reason when it cannot start.
  static PostgresServer& shared();

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// Starts it again after stop() or kill9(), on the same port; returns when it takes connections.
  Result<void> start();
  /// Fast shutdown (sessions are ended), waits until it is gone. Nothing when it does not run.
  void stop();
  /// kill -9 of the postmaster and all its children, waits until they are gone.
  void kill9();
  /// Every process of it stands still (SIGSTOP), connections stay; thaw() lets them go on.
  void freeze();
  void thaw();
  Result<void> kill9_and_restart();

  /// A fresh database `prefix_N`; its DSN. Left to go with the cluster. A copy of `original` where
  /// that is given: nobody may be connected to it then.
  Result<std::string> create_database(const std::string& prefix = "test",
                                      const std::string& original = "template1");

  /// libpq connection string, over TCP.
  [[nodiscard]] std::string dsn(const std::string& database = "postgres") const;
  /// The same over the unix socket: what is measured (less CPU a round trip).
  [[nodiscard]] std::string socket_dsn(const std::string& database = "postgres") const;
  /// The path of a program of this PostgreSQL ("psql", "pg_ctl").
  [[nodiscard]] std::string program(const std::string& name) const { return bin_ + "/" + name; }
  [[nodiscard]] std::uint16_t port() const { return options_.port; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool is_running() const { return pid_ > 0; }

 private:
  explicit PostgresServer(PostgresOptions options) : options_(std::move(options)) {}

  Result<void> make_cluster();
  Result<void> wait_until_ready();
  [[nodiscard]] std::string log_tail() const;

  PostgresOptions options_;
  std::string folder_;
  std::string bin_;
  bool is_temporary_ = false;
  pid_t pid_ = -1;
  int databases_ = 0;
};

}  // namespace ordo::testing
