#include "broker/store/doctor/doctor.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <tuple>

#include "base/clock.hpp"
#include "broker/store/connection.hpp"
#include "broker/store/doctor/order_walk.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo::doctor {
namespace {

/// All cursors of the walk go along primary keys; a sort of a large table would need its disk.
constexpr const char* kSnapshot =
    "set transaction isolation level repeatable read, read only; set local enable_sort = off; "
    "set local enable_seqscan = off; set local enable_bitmapscan = off; set local jit = off";

struct StoredVersion {
  PipelineId id = 0;
  std::string name;
  int version = 0;
  std::string source;
  ShardNumber shard = 0;
};

/// What the shards say together.
struct Exam {
  const ExamSpec& spec;
  Report report{};
  std::map<PipelineId, StoredVersion> stored{};  ///< the first that is readable
  std::map<std::pair<std::string, int>, StoredVersion> named{};
};

Error failed(ShardNumber shard, const Failure& failure) {
  return {Code::kUnavailable,
          "database",
          "shard " + std::to_string(shard) + " could not be examined: " + failure.message,
          {}};
}

Result<std::unique_ptr<Connection>> open(const ExamSpec& spec, ShardNumber shard) {
  return Connection::open({.dsn = spec.dsns.at(shard),
                           .schema = schema_of(shard),
                           .program = "ordo doctor",
                           .statement_timeout = spec.statement_timeout});
}

Versions read_versions(pqxx::transaction_base& session, ShardNumber shard,
                       std::vector<StoredVersion>& stored) {
  Versions versions;
  for (const auto& row :
       session.exec("select id, name, version, source from pipeline order by 1")) {
    StoredVersion one{row[0].as<PipelineId>(), row[1].as<std::string>(), row[2].as<int>(),
                      row[3].as<std::string>(), shard};
    versions[one.id] = read_version(one.id, one.source);
    stored.push_back(std::move(one));
  }
  return versions;
}

void judge_versions(Exam& exam, const Versions& versions, std::vector<StoredVersion>& stored) {
  for (StoredVersion& one : stored) {
    const std::string title = "`" + one.name + "` version " + std::to_string(one.version);
    const auto tell = [&](const Kind& kind, std::string sentence, std::string by_hand) {
      exam.report.findings.push_back({.kind = kind,
                                      .shard = one.shard,
                                      .sentence = std::move(sentence),
                                      .repair = {.by_hand = std::move(by_hand)},
                                      .pipeline = one.id});
    };
    if (versions.at(one.id) == nullptr) {
      tell(kPipelineCorrupt, "the text of " + title + " is not the one that was applied",
           "put back its text from a shard that is well, or from a backup: the id is its hash");
      continue;
    }
    const auto first = exam.named.emplace(std::pair{one.name, one.version}, one).first;
    if (first->second.id != one.id) {
      tell(kPipelineDiffers,
           title + " is another one than in shard " + std::to_string(first->second.shard),
           "apply the one that is meant under a new version: orders keep the one they have");
    }
    exam.stored.emplace(one.id, one);
  }
}

/// One shard in one snapshot.
Result<void> examine_tables(Exam& exam, Connection& connection, const Owner& owner,
                            ShardExam& counts) {
  std::map<std::string_view, std::size_t> kept;
  const auto found = [&](Finding finding) {
    if (kept[finding.kind.word] == exam.spec.kept) {
      ++counts.left_off[std::string(finding.kind.word)];
      return;
    }
    ++kept[finding.kind.word];
    exam.report.findings.push_back(std::move(finding));
  };
  const auto done = connection.transact([&](pqxx::transaction_base& session) {
    session.exec(kSnapshot);
    std::vector<StoredVersion> stored;
    const Versions versions = read_versions(session, counts.shard, stored);
    judge_versions(exam, versions, stored);
    const auto row = session.exec(
        "select epoch, (extract(epoch from clock_timestamp()) * 1000)::bigint from shard")[0];
    const auto count = walk_orders(session,
                                   {.circumstances = {.shard = counts.shard,
                                                      .epoch = row[0].as<std::int64_t>(),
                                                      .now = row[1].as<std::int64_t>(),
                                                      .overdue = exam.spec.limits.overdue.count(),
                                                      .is_owned = owner.is_there},
                                    .versions = &versions},
                                   found);
    counts.orders = count.orders;
    counts.events = count.events;
    return pqxx::result{};
  });
  if (!done) return tl::unexpected(failed(counts.shard, done.error()));
  return {};
}

Result<void> examine_shard(Exam& exam, ShardNumber shard) {
  const Steady began = steady_now();
  auto connection = open(exam.spec, shard);
  if (!connection) return tl::unexpected(connection.error());
  auto& findings = exam.report.findings;
  Owner owner;
  bool has_tables = false;
  const auto looked = (*connection)->run([&](pqxx::transaction_base& session) {
    has_tables = check_schema(session, shard, findings);
    if (!has_tables) return pqxx::result{};
    owner = check_owner(session, shard, findings);
    check_tables(session, shard, findings);
    check_vacuum(session, shard, exam.spec.limits, findings);
    return pqxx::result{};
  });
  if (!looked) return tl::unexpected(failed(shard, looked.error()));
  ShardExam counts{.shard = shard};
  if (has_tables) {
    if (auto done = examine_tables(exam, **connection, owner, counts); !done) return done;
  }
  counts.took = std::chrono::duration_cast<Millis>(steady_now() - began);
  exam.report.shards.push_back(std::move(counts));
  return {};
}

/// A version that one shard lacks and another has can be copied.
void lend_versions(Exam& exam) {
  for (Finding& finding : exam.report.findings) {
    if (finding.kind.word != kPipelineMissing.word) continue;
    const auto found = exam.stored.find(finding.pipeline);
    if (found == exam.stored.end()) continue;
    const StoredVersion& one = found->second;
    finding.repair = {
        .statements = {{.what = "copy `" + one.name + "` version " + std::to_string(one.version) +
                                " from shard " + std::to_string(one.shard),
                        .sql = "insert into pipeline (id, name, version, source) values (" +
                               std::to_string(one.id) + ", " + quoted(one.name) + ", " +
                               std::to_string(one.version) + ", " + quoted(one.source) + ")"}}};
  }
}

/// Statements that did not do what they were to do: nothing of the repair stays.
struct NotAsPlanned : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One shard that is being repaired.
class Surgery {
 public:
  Surgery(const ExamSpec& spec, ShardNumber shard, Signature& signature)
      : spec_(spec), shard_(shard), signature_(signature) {}

  std::string operate(const Finding& finding) {
    if (!connection_) {
      auto opened = open(spec_, shard_);
      if (!opened) return opened.error().message;
      connection_ = *std::move(opened);
    }
    if (finding.repair.needs_shard && !is_taken_) {
      const std::string refused = take();
      if (!refused.empty()) return refused;
    }
    const auto done = connection_->transact([&](pqxx::transaction_base& session) {
      session.exec("set local lock_timeout = '2s'; set local standard_conforming_strings = on");
      if (!finding.order.empty()) find_again(session, finding);
      for (const Statement& statement : finding.repair.statements) {
        const auto result = session.exec(settle(statement, signature_));
        ++signature_.number;
        if (statement.rows >= 0 && static_cast<int>(result.affected_rows()) != statement.rows) {
          throw NotAsPlanned("it is not as it was: look again");
        }
      }
      return pqxx::result{};
    });
    if (done) return {};
    if (!connection_->is_open()) {
      connection_.reset();
      is_taken_ = false;
    }
    return done.error().message;
  }

 private:
  /// Owns the shard as a broker does, until the session ends: what is repaired stands still.
  std::string take() {
    const std::string number = std::to_string(shard_);
    const auto taken = connection_->transact([&](pqxx::transaction_base& session) {
      const auto locked = session.exec("select pg_try_advisory_lock(" +
                                       std::to_string(kOwnerLockSpace) + ", " + number + ")");
      if (!locked[0][0].as<bool>()) {
        throw NotAsPlanned("a broker owns shard " + number +
                           ": stop the brokers of that shard, then run this again");
      }
      session.exec(
          "update shard set epoch = epoch + 1, backend_pid = pg_backend_pid(), "
          "owner = 'ordo-doctor', taken_at = clock_timestamp()");
      std::vector<StoredVersion> stored;
      versions_ = read_versions(session, shard_, stored);
      return pqxx::result{};
    });
    is_taken_ = taken.has_value();
    return taken ? std::string() : taken.error().message;
  }

  /// The same rules on the same order, now that nobody else can change it.
  void find_again(pqxx::transaction_base& session, const Finding& finding) const {
    bool is_there = false;
    const auto epoch = session.exec("select epoch from shard")[0][0].as<std::int64_t>();
    walk_orders(session,
                {.circumstances = {.shard = shard_, .epoch = epoch},
                 .versions = &versions_,
                 .order = finding.order},
                [&](const Finding& found) {
                  is_there = is_there || (found.kind.word == finding.kind.word &&
                                          found.repair == finding.repair);
                });
    if (!is_there) throw NotAsPlanned("it is not there any more: nothing to do");
  }

  const ExamSpec& spec_;
  ShardNumber shard_;
  Signature& signature_;
  std::unique_ptr<Connection> connection_;
  bool is_taken_ = false;
  Versions versions_;
};

}  // namespace

Result<Report> examine(const ExamSpec& spec) {
  Exam exam{.spec = spec};
  for (const auto& [shard, dsn] : spec.dsns) {
    if (auto done = examine_shard(exam, shard); !done) return tl::unexpected(done.error());
  }
  lend_versions(exam);
  auto& findings = exam.report.findings;
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tuple(b.kind.severity, a.shard, !a.order.empty()) <
           std::tuple(a.kind.severity, b.shard, !b.order.empty());
  });
  return std::move(exam.report);
}

std::vector<Outcome> repair(const ExamSpec& spec, const std::vector<Finding>& findings,
                            const Signature& signature) {
  std::vector<Outcome> outcomes;
  Signature next = signature;
  for (const auto& [shard, dsn] : spec.dsns) {
    Surgery surgery(spec, shard, next);
    // What is of the whole shard first: an event of a repair must come after those of the order.
    for (const bool is_of_order : {false, true}) {
      for (std::size_t i = 0; i < findings.size(); ++i) {
        const Finding& one = findings[i];
        if (one.shard != shard || one.repair.statements.empty()) continue;
        if (!one.order.empty() == is_of_order) outcomes.push_back({i, surgery.operate(one)});
      }
    }
  }
  return outcomes;
}

}  // namespace ordo::doctor
