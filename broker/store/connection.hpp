// One session with PostgreSQL that is used once: it never reconnects by itself (that would lose the
// advisory lock), and every way in which it can fail becomes a value here.
//
// Errors:  a Failure is definite (`kRejected`: the server reported an error and rolled back, the
//          session goes on) or not (`kLost`: the session is dead or a commit is in doubt; make a
//          new one).
// Threads: one owner.
// Source:  libpqxx 6.4; classes of SQLSTATE in PostgreSQL's manual, appendix A.
#pragma once

#include <functional>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <tl/expected.hpp>

#include "base/time.hpp"
#include "ordo/result.hpp"

namespace ordo {

struct Failure {
  enum class Kind : std::uint8_t { kRejected, kLost };
  Kind kind = Kind::kLost;
  std::string message;
  std::string sqlstate;  ///< empty where the server had no say
};

template <class T> using Tried = tl::expected<T, Failure>;

struct ConnectionSettings {
  std::string dsn{};            ///< libpq's key=value or URI form
  std::string schema;           ///< search_path; empty: the server's default
  std::string program{"ordo"};  ///< application_name
  Millis statement_timeout{0};  ///< 0: none. A session that commits must have none
};

class Connection {
 public:
  /// Connects and prepares the session. kUnavailable: cannot be reached; kConflict: a pooling
  /// proxy.
  static Result<std::unique_ptr<Connection>> open(const ConnectionSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs `work` with a transaction of its own per statement (autocommit).
  Tried<pqxx::result> run(const std::function<pqxx::result(pqxx::transaction_base&)>& work);
  /// Runs `work` in one transaction and commits it.
  Tried<pqxx::result> transact(const std::function<pqxx::result(pqxx::transaction_base&)>& work);

  void prepare(const std::string& name, const std::string& statement);
  [[nodiscard]] bool is_open() const;
  /// A name quoted as an identifier.
  [[nodiscard]] std::string quote_name(const std::string& name) const;

 private:
  class Notices;
  explicit Connection(const std::string& dsn);

  Tried<pqxx::result> guarded(const std::function<pqxx::result()>& work);

  std::unique_ptr<pqxx::connection> session_;
  std::unique_ptr<Notices> notices_;  ///< goes before the session
};

/// What a caller of the port is told about a failure of a read.
Error to_error(const Failure& failure);

}  // namespace ordo
