#include "broker/store/connection.hpp"

#include <string_view>

namespace ordo {
namespace {

/// Defaults of every session; what the DSN says wins. A host that does not answer is given up after
/// 3 s, a cable that is cut after 5 s: an owner must know within seconds that its session is lost.
constexpr std::pair<std::string_view, std::string_view> kDefaults[]{
    {"connect_timeout", "3"}, {"tcp_user_timeout", "5000"}, {"keepalives", "1"},
    {"keepalives_idle", "2"}, {"keepalives_interval", "1"}, {"keepalives_count", "3"}};

std::string with_defaults(const std::string& dsn) {
  const bool is_uri = dsn.starts_with("postgres://") || dsn.starts_with("postgresql://");
  std::string all = is_uri ? dsn : "";
  for (const auto& [name, value] : kDefaults) {
    const std::string pair = std::string(name) + "=" + std::string(value);
    if (!is_uri) {
      all += pair + " ";
    } else if (dsn.find(std::string(name) + "=") == std::string::npos) {
      all += (all.find('?') == std::string::npos ? "?" : "&") + pair;
    }
  }
  return is_uri ? all : all + dsn;
}

/// Classes after which the session or the outcome is not certain: connection exceptions, shutdown
/// and crash of the server, "statement completion unknown".
bool is_lost(std::string_view sqlstate) {
  return sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P") ||
         sqlstate == "40003";
}

std::string first_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

/// Sessions ask for warnings only, so whatever arrives during a commit puts it in doubt.
class Connection::Notices : public pqxx::errorhandler {
 public:
  explicit Notices(pqxx::connection& session) : pqxx::errorhandler(session) {}
  bool operator()(const char message[]) noexcept override {
    try {
      text_ += message;
    } catch (...) {
      has_overflowed_ = true;
    }
    return false;
  }
  void clear() {
    text_.clear();
    has_overflowed_ = false;
  }
  [[nodiscard]] bool is_empty() const { return text_.empty() && !has_overflowed_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool has_overflowed_ = false;
};

Connection::Connection(const std::string& dsn)
    : session_(std::make_unique<pqxx::connection>(dsn)),
      notices_(std::make_unique<Notices>(*session_)) {
  // A silent reconnect would be a session without the lock. Deprecated: 7.0 never reconnects.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  session_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionSettings& settings) {
  std::unique_ptr<Connection> made;
  try {
    made.reset(new Connection(with_defaults(settings.dsn)));
  } catch (const std::exception& error) {
    return fail(Code::kUnavailable, "database",
                "PostgreSQL cannot be reached: " + first_line(error.what()));
  }
  // The server watches the cable as we do, so that a machine that vanished frees its shards.
  const auto prepared = made->run([&](pqxx::transaction_base& session) {
    std::string setup =
        "set client_min_messages = warning; set timezone = 'UTC'; set datestyle = 'ISO';"
        "set bytea_output = 'hex'; set synchronous_commit = on; set lock_timeout = 0;"
        "set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = "
        "3;"
        "set tcp_user_timeout = 5000; set idle_session_timeout = 0; set "
        "idle_in_transaction_session_timeout = 0;"
        "set statement_timeout = " +
        std::to_string(settings.statement_timeout.count()) +
        ";"
        "set application_name = " +
        session.quote(settings.program) + ";";
    if (!settings.schema.empty()) {
      setup += "set search_path = " + session.quote_name(settings.schema) + ", pg_catalog;";
    }
    session.exec(setup);
    return session.exec("select pg_backend_pid()");
  });
  if (!prepared) {
    return fail(Code::kUnavailable, "database",
                "the session with PostgreSQL failed: " + prepared.error().message);
  }
  // The server tells its process number when it greets; a proxy that shares sessions makes one up.
  if ((*prepared)[0][0].as<int>() != made->session_->backendpid()) {
    return fail(Code::kConflict, "pooling_proxy",
                "a pooling proxy stands between this program and PostgreSQL, which would break the "
                "ownership of shards: give the address of the server itself");
  }
  return made;
}

Tried<pqxx::result> Connection::guarded(const std::function<pqxx::result()>& work) {
  const auto lost = [](const std::exception& error, std::string sqlstate = "") {
    return tl::unexpected(
        Failure{Failure::Kind::kLost, first_line(error.what()), std::move(sqlstate)});
  };
  notices_->clear();
  try {
    pqxx::result result = work();
    if (!notices_->is_empty()) {
      return tl::unexpected(Failure{
          Failure::Kind::kLost,
          "PostgreSQL warned, so what was committed is in doubt: " + first_line(notices_->text()),
          ""});
    }
    return result;
  } catch (const pqxx::in_doubt_error& error) {
    return lost(error);
  } catch (const pqxx::broken_connection& error) {
    return lost(error);
  } catch (const pqxx::statement_completion_unknown& error) {
    return lost(error, "40003");
  } catch (const pqxx::transaction_rollback& error) {
    return tl::unexpected(Failure{Failure::Kind::kRejected, first_line(error.what()), "40000"});
  } catch (const pqxx::sql_error& error) {
    if (!session_->is_open() || is_lost(error.sqlstate())) return lost(error, error.sqlstate());
    return tl::unexpected(
        Failure{Failure::Kind::kRejected, first_line(error.what()), error.sqlstate()});
  } catch (const std::exception& error) {
    return lost(error);
  }
}

Tried<pqxx::result> Connection::run(
    const std::function<pqxx::result(pqxx::transaction_base&)>& work) {
  return guarded([&] {
    pqxx::nontransaction session(*session_);
    return work(session);
  });
}

Tried<pqxx::result> Connection::transact(
    const std::function<pqxx::result(pqxx::transaction_base&)>& work) {
  return guarded([&] {
    pqxx::work transaction(*session_);
    pqxx::result result = work(transaction);
    transaction.commit();
    return result;
  });
}

void Connection::prepare(const std::string& name, const std::string& statement) {
  session_->prepare(name, statement);
}

bool Connection::is_open() const { return session_->is_open(); }

std::string Connection::quote_name(const std::string& name) const {
  return session_->quote_name(name);
}

Error to_error(const Failure& failure) {
  return Error{Code::kUnavailable, "database", failure.message, {}};
}

}  // namespace ordo
