#include "broker/store/doctor/shard_checks.hpp"

#include <map>
#include <regex>

#include "broker/store/migrate.hpp"
#include "broker/store/postgres_store.hpp"
#include "schema/hash.hpp"

namespace ordo::doctor {
namespace {

/// A takeover is under way for so long at most: looked at again before it is a finding.
constexpr int kLooks = 4;
constexpr const char* kBetweenLooks = "select pg_sleep(0.3)";

/// Of today on: the broker makes them a week ahead, so less than this means that nobody does.
constexpr const char* kMissingDays =
    "select parent, to_char(day, 'YYYYMMDD'), to_char(day, 'YYYY-MM-DD') "
    "from generate_series((now() at time zone 'UTC')::date - 1, "
    "(now() at time zone 'UTC')::date + 2, interval '1 day') day "
    "cross join unnest(array['orders', 'event']) parent where not exists ("
    "select from pg_inherits i join pg_class c on c.oid = i.inhrelid "
    "join pg_class p on p.oid = i.inhparent where p.relname = parent "
    "and p.relnamespace = current_schema()::regnamespace and not i.inhdetachpending "
    "and c.relname = parent || '_' || to_char(day, 'YYYYMMDD')) order by 2, 1";
/// Outside of those days: what retention has begun to drop.
constexpr const char* kHalfDays =
    "select min(c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid "
    "join pg_class p on p.oid = i.inhparent where p.relnamespace = "
    "current_schema()::regnamespace and p.relname in ('orders', 'event') "
    "and c.relname ~ '^(orders|event)_[0-9]{8}$' and not i.inhdetachpending "
    "and to_date(right(c.relname, 8), 'YYYYMMDD') not between "
    "(now() at time zone 'UTC')::date - 1 and (now() at time zone 'UTC')::date + 2 "
    "group by right(c.relname, 8) having count(*) = 1 order by 1";
constexpr const char* kDefaultPartitions =
    "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
    "where c.relnamespace = current_schema()::regnamespace and c.relispartition "
    "and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' order by 1";
constexpr const char* kInvalidIndexes =
    "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid "
    "where c.relnamespace = current_schema()::regnamespace "
    "and not (i.indisvalid and i.indisready and i.indislive) order by 1";
constexpr const char* kOptions =
    "select relname, coalesce(array_to_string(reloptions, ','), '') from pg_class "
    "where relnamespace = current_schema()::regnamespace and relkind = 'r' order by 1";
constexpr const char* kOldest =
    "select pid, application_name, coalesce(extract(epoch from clock_timestamp() - xact_start) "
    "* 1000, 0)::bigint from pg_stat_activity where backend_xmin is not null "
    "and pid <> pg_backend_pid() and backend_type <> 'autovacuum worker' "
    "and application_name <> 'ordo doctor' order by 3 desc limit 1";
constexpr const char* kDead =
    "select relname, n_dead_tup from pg_stat_user_tables where schemaname = current_schema() "
    "and relname in ('task', 'deferred') and n_dead_tup > ";
/// Classid and objid of an advisory lock are the halves of its key.
constexpr const char* kOwner =
    "select s.epoch, coalesce(s.backend_pid, 0), coalesce(s.owner, ''), exists (select from "
    "pg_stat_activity a where a.pid = s.backend_pid and a.application_name like 'ordo owner%'), "
    "(select count(*) from h), coalesce((select min(pid) from h), 0) from shard s";

Finding finding(const Kind& kind, ShardNumber shard, std::string sentence, Repair repair) {
  return {.kind = kind,
          .shard = shard,
          .order = {},
          .sentence = std::move(sentence),
          .repair = std::move(repair)};
}

/// The last value that a migration gives each option of a table; partitions go by "%I", as the
/// function that makes them is written.
using Options = std::map<std::string, std::map<std::string, std::string>>;
const Options& migrated_options() {
  static const Options kOptionsOf = [] {
    static const std::regex kAlter(R"(alter table (%I|\w+)\s+set \(([^)]*)\))");
    static const std::regex kPair(R"((\w+)\s*=\s*([^\s,]+))");
    Options all;
    for (const Migration& migration : embedded_migrations()) {
      const std::string& sql = migration.sql;
      for (std::sregex_iterator it(sql.begin(), sql.end(), kAlter), end; it != end; ++it) {
        const std::string pairs = (*it)[2];
        for (std::sregex_iterator pair(pairs.begin(), pairs.end(), kPair); pair != end; ++pair) {
          all[(*it)[1]][(*pair)[1]] = (*pair)[2];
        }
      }
    }
    return all;
  }();
  return kOptionsOf;
}

const std::map<std::string, std::string>* options_of(const std::string& table) {
  static const std::regex kPartition("(orders|event)_[0-9]{8}");
  const auto found = migrated_options().find(std::regex_match(table, kPartition) ? "%I" : table);
  return found == migrated_options().end() ? nullptr : &found->second;
}

void check_options(pqxx::transaction_base& session, ShardNumber shard,
                   std::vector<Finding>& findings) {
  for (const auto& row : session.exec(kOptions)) {
    const auto table = row[0].as<std::string>();
    const std::string set = "," + row[1].as<std::string>() + ",";
    const auto* wanted = options_of(table);
    if (wanted == nullptr) continue;
    std::string lacking;
    for (const auto& [name, value] : *wanted) {
      if (set.find("," + name + "=" + value + ",") != std::string::npos) continue;
      lacking += (lacking.empty() ? "" : ", ") + name + " = " + value;
    }
    if (lacking.empty()) continue;
    findings.push_back(finding(kSettingDrift, shard,
                               "table `" + table + "` is not set as it was migrated: " + lacking,
                               {.statements = {{.what = "set the options of `" + table + "`",
                                                .sql = "alter table " + session.quote_name(table) +
                                                       " set (" + lacking + ")",
                                                .rows = -1}},
                                .needs_shard = false}));
  }
}

void check_partitions(pqxx::transaction_base& session, ShardNumber shard,
                      std::vector<Finding>& findings) {
  for (const auto& row : session.exec(kMissingDays)) {
    const auto day = quoted(row[2].as<std::string>());
    const auto name = row[0].as<std::string>() + "_" + row[1].as<std::string>();
    Repair repair{
        .statements = {{.what = "make the partitions of " + row[2].as<std::string>(),
                        .sql = "select make_partitions(date " + day + ", date " + day + ")",
                        .rows = -1}},
        .needs_shard = false};
    if (!session.exec("select to_regclass(" + session.quote(name) + ")")[0][0].is_null()) {
      repair = {.by_hand =
                    "it is there and not attached: attach it (or drop it where it is "
                    "empty), then run this again"};
    }
    findings.push_back(finding(kPartitionMissing, shard,
                               "there is no partition `" + name + "`: rows of that day are refused",
                               std::move(repair)));
  }
  for (const auto& row : session.exec(kHalfDays)) {
    const auto name = row[0].as<std::string>();
    findings.push_back(finding(
        kPartitionHalf, shard,
        "partition `" + name + "` is there without the other of its day: its orders are not judged",
        {.by_hand = "the broker's next maintenance drops it, where the day is past retention; "
                    "else the other was lost: see the backup"}));
  }
  for (const auto& row : session.exec(kDefaultPartitions)) {
    const auto name = row[0].as<std::string>();
    if (session.exec("select from " + session.quote_name(name) + " limit 1").empty()) continue;
    findings.push_back(finding(
        kPartitionDefault, shard,
        "the default partition `" + name + "` holds rows: it keeps partitions of their days away",
        {.by_hand = "move its rows into partitions of their days and drop it: the engine has "
                    "none"}));
  }
}

pqxx::row look_at_owner(pqxx::transaction_base& session, ShardNumber shard) {
  const auto rows = session.exec(
      "with h as (select distinct pid from pg_locks where locktype = 'advisory' and "
      "granted and objsubid = 2 and classid = " +
      std::to_string(kOwnerLockSpace) + " and objid = " + std::to_string(shard) +
      " and database = (select oid from pg_database where datname = "
      "current_database())) " +
      kOwner);
  return rows.front();
}

}  // namespace

bool check_schema(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings) {
  const std::string name = schema_of(shard);
  const auto wrong = [&](const std::string& sentence, const std::string& by_hand) {
    findings.push_back(finding(kSchemaVersion, shard, sentence, {.by_hand = by_hand}));
    return false;
  };
  const std::string table = session.quote_name(name) + ".ordo_migration";
  if (session.exec("select to_regclass(" + session.quote(table) + ")")[0][0].is_null()) {
    return wrong(
        "there are no tables of shard " + std::to_string(shard) + " (schema `" + name + "`)",
        "`ordo migrate`, or say which shards there are: --shards, --first-shard");
  }
  std::map<int, std::string> applied;
  for (const auto& row : session.exec("select number, fingerprint from " + table)) {
    applied[row[0].as<int>()] = row[1].as<std::string>();
  }
  const auto& known = embedded_migrations();
  const int at = applied.empty() ? 0 : applied.rbegin()->first;
  if (at != known.back().number) {
    return wrong("its tables are at migration " + std::to_string(at) + ", this program knows " +
                     std::to_string(known.back().number),
                 at < known.back().number ? "`ordo migrate`" : "use the doctor of that version");
  }
  for (const Migration& migration : known) {
    if (applied[migration.number] == std::to_string(content_hash(migration.sql))) continue;
    return wrong("migration " + migration.name + " was applied with another content",
                 "compare its tables with those of a shard that is well");
  }
  if (session
          .exec("select from " + session.quote_name(name) +
                ".shard where number = " + std::to_string(shard))
          .empty()) {
    return wrong("the row of its table `shard` is gone", "`ordo migrate` puts it back");
  }
  return true;
}

Owner check_owner(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings) {
  for (int look = 1;; ++look) {
    const auto row = look_at_owner(session, shard);
    const auto recorded = row[1].as<int>();
    const auto holders = row[4].as<int>();
    const auto holder = row[5].as<int>();
    const bool is_alive = row[3].as<bool>();
    const Owner owner{row[0].as<std::int64_t>(), holders > 0};
    const bool is_well = holders == 1 ? holder == recorded : holders == 0 && !is_alive;
    if (!is_well && look < kLooks) {
      session.exec(kBetweenLooks);
      continue;
    }
    const std::string pid = std::to_string(recorded);
    const std::string name = row[2].as<std::string>();
    if (holders > 1) {
      findings.push_back(finding(
          kOwnerMany, shard,
          std::to_string(holders) + " sessions hold the lock of the shard: at most one may",
          {.by_hand =
               "`select * from pg_locks where locktype = 'advisory'`: end what is no broker"}));
    } else if (holders == 1 && holder != recorded) {
      findings.push_back(finding(
          kOwnerOther, shard,
          "session " + std::to_string(holder) + " holds the lock of the shard, and " + pid +
              " is recorded as its owner",
          {.by_hand = "see in pg_stat_activity whose it is; a broker records itself at once"}));
    } else if (holders == 0 && is_alive) {
      findings.push_back(finding(
          kOwnerUnlocked, shard,
          "the owner `" + name + "` (session " + pid + ") lives, and does not hold the lock",
          {.by_hand = "restart that broker: another may take the shard from it at any time"}));
    } else if (holders == 0 && recorded != 0) {
      findings.push_back(finding(kOwnerGone, shard,
                                 "nobody owns the shard; the last owner was `" + name + "`",
                                 {.by_hand = "start a broker, unless this is meant"}));
    }
    return owner;
  }
}

void check_tables(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings) {
  check_partitions(session, shard, findings);
  check_options(session, shard, findings);
  for (const auto& row : session.exec(kInvalidIndexes)) {
    const auto name = row[0].as<std::string>();
    findings.push_back(finding(kIndexInvalid, shard, "index `" + name + "` is not valid",
                               {.by_hand = "`reindex index concurrently " + name + "`"}));
  }
}

void check_vacuum(pqxx::transaction_base& session, ShardNumber shard, const Thresholds& limits,
                  std::vector<Finding>& findings) {
  for (const auto& row : session.exec(kOldest)) {
    if (row[2].as<std::int64_t>() <= limits.old_transaction.count()) continue;
    findings.push_back(finding(
        kXminOld, shard,
        "a transaction of `" + row[1].as<std::string>() + "` (session " + row[0].as<std::string>() +
            ") has held back vacuum for " + std::to_string(row[2].as<std::int64_t>() / 1000) + " s",
        {.by_hand = "end it, or `select pg_terminate_backend(" + row[0].as<std::string>() + ")`"}));
  }
  for (const auto& row : session.exec(kDead + std::to_string(limits.dead_rows))) {
    const auto table = row[0].as<std::string>();
    findings.push_back(finding(
        kDeadRows, shard, "table `" + table + "` has " + row[1].as<std::string>() + " dead rows",
        {.by_hand =
             "`vacuum " + schema_of(shard) + "." + table + "`, after whatever holds it back"}));
  }
}

}  // namespace ordo::doctor
