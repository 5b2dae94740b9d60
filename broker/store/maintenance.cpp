#include "broker/store/maintenance.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/check.hpp"
#include "broker/store/connection.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo {
namespace {

/// A day's partition as the catalog shows it.
struct Partition {
  std::string parent;  ///< orders or event
  std::string day;     ///< "20260131"
  bool is_attached = false;
  bool is_pending = false;  ///< a detach that was interrupted

  [[nodiscard]] std::string name() const { return parent + "_" + day; }
};

/// Every partition of the current schema, attached or left over by a run that ended between its
/// steps.
constexpr const char* kPartitions =
    "select case when c.relname like 'orders%' then 'orders' else 'event' end, "
    "right(c.relname, 8), i.inhrelid is not null, coalesce(i.inhdetachpending, false) "
    "from pg_class c left join pg_inherits i on i.inhrelid = c.oid "
    "where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' "
    "and c.relname ~ '^(orders|event)_[0-9]{8}$' order by 2, 1";

/// "20260131"
std::string name_of(std::chrono::days day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const auto number = static_cast<int>(date.year()) * 10'000 +
                      static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
                      static_cast<int>(static_cast<unsigned>(date.day()));
  return std::to_string(number);
}

/// One session that looks after one shard.
class Caretaker {
 public:
  Caretaker(Connection& connection, const MaintenanceSettings& settings, Wall now)
      : connection_(connection), settings_(settings), now_(now) {}

  Result<MaintenanceReport> run() {
    if (auto made = make_ahead(); !made) return tl::unexpected(made.error());
    const auto all = stored();
    if (!all) return tl::unexpected(to_error(all.error()));
    report_.made_until = end_of_days(*all);
    const auto partitions = past(*all);
    if (!partitions) return tl::unexpected(to_error(partitions.error()));
    for (std::size_t i = 0; i < partitions->size();) {
      // Orders and events of one day go together.
      std::size_t end = i;
      while (end < partitions->size() && (*partitions)[end].day == (*partitions)[i].day) ++end;
      retire({partitions->begin() + static_cast<std::ptrdiff_t>(i),
              partitions->begin() + static_cast<std::ptrdiff_t>(end)});
      i = end;
    }
    return report_;
  }

 private:
  [[nodiscard]] std::string moment() const {
    return "(to_timestamp(" + std::to_string(to_ms(now_) / 1000) + ") at time zone 'UTC')::date";
  }

  Tried<pqxx::result> run_one(const std::string& sql) {
    return connection_.run([&](pqxx::transaction_base& session) { return session.exec(sql); });
  }

  Result<void> make_ahead() {
    const auto made = run_one("select make_partitions(" + moment() + " - 1, " + moment() + " + " +
                              std::to_string(settings_.days_ahead) + ")");
    if (made) {
      report_.days_made = (*made)[0][0].as<int>();
      return {};
    }
    if (made.error().kind == Failure::Kind::kLost) return tl::unexpected(to_error(made.error()));
    report_.troubles.push_back("making partitions: " + made.error().message);
    return {};
  }

  Tried<std::vector<Partition>> stored() {
    const auto rows = run_one(kPartitions);
    if (!rows) return tl::unexpected(rows.error());
    std::vector<Partition> found;
    for (const auto& row : *rows) {
      found.push_back({row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<bool>(),
                       row[3].as<bool>()});
    }
    return found;
  }

  /// The first day from today on that lacks a partition.
  [[nodiscard]] Wall end_of_days(const std::vector<Partition>& all) const {
    std::map<std::string, int> attached;
    for (const Partition& one : all) attached[one.day] += one.is_attached && !one.is_pending;
    auto day = std::chrono::floor<std::chrono::days>(now_.time_since_epoch());
    while (attached[name_of(day)] == 2) ++day;
    return Wall(day);
  }

  Tried<std::vector<Partition>> past(const std::vector<Partition>& all) {
    const auto limit = run_one("select to_char(" + moment() + " - " +
                               std::to_string(settings_.retention_days) + ", 'YYYYMMDD')");
    if (!limit) return tl::unexpected(limit.error());
    const auto oldest_kept = (*limit)[0][0].as<std::string>();
    std::vector<Partition> found;
    for (const Partition& one : all) {
      if (one.day < oldest_kept) found.push_back(one);
    }
    return found;
  }

  /// Lets one day go, unless something of it is not finished.
  void retire(const std::vector<Partition>& partitions) {
    const std::string& day = partitions.front().day;
    const std::string start = "to_date('" + day + "', 'YYYYMMDD')";
    const auto unfinished = run_one("select has_unfinished(id_floor(" + start +
                                    "::timestamp at time zone 'UTC'), "
                                    "id_floor((" +
                                    start + " + 1)::timestamp at time zone 'UTC'))");
    if (!unfinished) return note(day, unfinished.error());
    if ((*unfinished)[0][0].as<bool>()) {
      report_.kept.push_back(day);
      return;
    }
    for (const Partition& one : partitions) {
      if (!drop(one)) return;
    }
    report_.dropped.push_back(day);
  }

  bool drop(const Partition& one) {
    if (one.is_attached) {
      const auto detached = run_one("alter table " + one.parent + " detach partition " +
                                    one.name() + (one.is_pending ? " finalize" : " concurrently"));
      if (!detached) {
        note(one.name(), detached.error());
        return false;
      }
    }
    const auto dropped = run_one("drop table " + one.name());
    if (!dropped) note(one.name(), dropped.error());
    return dropped.has_value();
  }

  void note(const std::string& what, const Failure& failure) {
    report_.troubles.push_back(what + ": " + failure.message);
  }

  Connection& connection_;
  const MaintenanceSettings& settings_;
  Wall now_;
  MaintenanceReport report_;
};

}  // namespace

Result<MaintenanceReport> maintain(const MaintenanceSettings& settings, Wall now) {
  ORDO_CHECK(settings.retention_days >= 2 && settings.days_ahead >= 1, settings.retention_days,
             settings.days_ahead);
  auto connection = Connection::open({.dsn = settings.dsn,
                                      .schema = schema_of(settings.shard),
                                      .program = "ordo maintenance",
                                      .statement_timeout = Millis{0}});
  if (!connection) return tl::unexpected(connection.error());
  const auto limited = (*connection)->run([&](pqxx::transaction_base& session) {
    return session.exec("set lock_timeout = " + std::to_string(settings.lock_timeout.count()));
  });
  if (!limited) return tl::unexpected(to_error(limited.error()));
  return Caretaker(**connection, settings, now).run();
}

}  // namespace ordo
