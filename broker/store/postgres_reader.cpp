#include <algorithm>

#include "broker/store/connection.hpp"
#include "broker/store/postgres_store.hpp"
#include "broker/store/row_reader.hpp"
#include "broker/store/snapshots.hpp"
#include "broker/store/statements.hpp"

namespace ordo {
namespace {

constexpr const char* kByCustomer = "by_customer";
constexpr const char* kOpen = "open";
constexpr const char* kParked = "parked";
constexpr const char* kRecent = "recent";
constexpr const char* kKeptSignals = "kept_signals";
/// A person waits: what takes longer has gone wrong, and holds a snapshot open meanwhile.
constexpr Millis kPatience{10'000};

pqxx::binarystring binary(const OrderId& id) {
  return pqxx::binarystring(id.bytes().data(), id.bytes().size());
}

/// Behind every id that is drawn.
OrderId newest() {
  OrderId::Bytes bytes{};
  bytes.fill(0xff);
  return OrderId(bytes);
}

}  // namespace

class PostgresReader::Session {
 public:
  explicit Session(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)), snapshots_(*connection_) {
    connection_->prepare(kByCustomer, statements::kByCustomer);
    connection_->prepare(kOpen, statements::kOpen);
    connection_->prepare(kParked, statements::kParked);
    connection_->prepare(kRecent, statements::kRecent);
    connection_->prepare(kKeptSignals, statements::kept_signals());
  }

  Tried<std::vector<OrderRecord>> query(const QuerySpec& spec) {
    using What = QuerySpec::What;
    if (spec.what == What::kOpen) return open_orders(spec);
    if (spec.what == What::kSignals) return kept_signals(spec);
    if (spec.what == What::kOrder) return snapshots_.record(spec.id);
    if (spec.what == What::kEvents) return snapshots_.history(spec.id, spec.after_seq);
    const auto ids = list(spec, spec.after, spec.limit);
    if (!ids) return tl::unexpected(ids.error());
    return spec.what == What::kParked ? snapshots_.parked(*ids) : snapshots_.summaries(*ids);
  }

 private:
  Tried<std::vector<OrderId>> list(const QuerySpec& spec, const OrderId& after,
                                   std::uint32_t limit) {
    using What = QuerySpec::What;
    const auto rows = connection_->run([&](pqxx::transaction_base& session) {
      if (spec.what == What::kRecent) {
        return session.exec_prepared(kRecent, binary(after.is_zero() ? newest() : after), limit);
      }
      if (spec.what != What::kByCustomer) {
        return session.exec_prepared(spec.what == What::kOpen ? kOpen : kParked, binary(after),
                                     limit);
      }
      if (after.is_zero()) {
        return session.exec_prepared(kByCustomer, spec.customer, nullptr, limit);
      }
      return session.exec_prepared(kByCustomer, spec.customer, binary(after), limit);
    });
    if (!rows) return tl::unexpected(rows.error());
    std::vector<OrderId> ids;
    ids.reserve(rows->size());
    for (const auto& row : *rows) ids.push_back(RowReader(row).id());
    return ids;
  }

  Tried<std::vector<OrderRecord>> kept_signals(const QuerySpec& spec) {
    const auto rows = connection_->run([&](pqxx::transaction_base& session) {
      return session.exec_prepared(kKeptSignals, spec.after_seq, spec.limit);
    });
    if (!rows) return tl::unexpected(rows.error());
    std::vector<OrderRecord> records;
    for (const auto& row : *rows) {
      records.push_back({});
      records.back().signals.push_back(RowReader(row).signal());
      records.back().order.id = records.back().signals.front().order;
    }
    return records;
  }

  /// An order that has ended may still have a task (one that hangs off it): those are passed over.
  Tried<std::vector<OrderRecord>> open_orders(const QuerySpec& spec) {
    std::vector<OrderRecord> found;
    OrderId after = spec.after;
    while (found.size() < spec.limit) {
      const auto ids = list(spec, after, spec.limit);
      if (!ids) return tl::unexpected(ids.error());
      if (ids->empty()) break;
      auto records = snapshots_.summaries(*ids);
      if (!records) return tl::unexpected(records.error());
      for (auto& record : *records) {
        if (found.size() == spec.limit) break;
        if (!is_final(record.status)) found.push_back(std::move(record));
      }
      after = ids->back();
      if (ids->size() < spec.limit) break;
    }
    return found;
  }

  std::unique_ptr<Connection> connection_;
  Snapshots snapshots_;
};

PostgresReader::PostgresReader(PostgresSettings settings) : settings_(std::move(settings)) {}
PostgresReader::~PostgresReader() = default;

Result<std::vector<OrderRecord>> PostgresReader::query(const QuerySpec& spec) {
  // A session that died while nobody asked is not the asker's business: a fresh one is tried once.
  for (const bool is_last_try : {session_ == nullptr, true}) {
    if (!session_) {
      auto connection =
          Connection::open({.dsn = settings_.dsn,
                            .schema = schema_of(settings_.shard),
                            .program = "ordo reader " + std::to_string(settings_.shard),
                            .statement_timeout = kPatience});
      if (!connection) return tl::unexpected(connection.error());
      const auto planned = (*connection)->run([](pqxx::transaction_base& session) {
        return session.exec(statements::kPlanning);
      });
      if (!planned) return tl::unexpected(to_error(planned.error()));
      session_ = std::make_unique<Session>(std::move(*connection));
    }
    auto records = session_->query(spec);
    if (records) return std::move(*records);
    const Failure failure = records.error();
    session_.reset();
    if (is_last_try || failure.kind == Failure::Kind::kRejected) {
      return tl::unexpected(to_error(failure));
    }
  }
  return fail(Code::kUnavailable, "database", "the session with PostgreSQL is gone");
}

}  // namespace ordo
