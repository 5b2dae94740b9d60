#include "broker/store/doctor/order_walk.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "broker/store/doctor/order_repairs.hpp"

namespace ordo::doctor {
namespace {

/// Rows that a cursor gives at once: a round trip is small against them, and they are small against
/// memory.
constexpr int kFetch = 4000;
/// A signal that came before its order is normal for this long.
constexpr const char* kSignalPatience = "15 minutes";

template <class T> T number(const pqxx::field& field) {
  T value{};
  const std::string_view text(field.c_str(), field.size());
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view text(const pqxx::field& field) {
  return field.is_null() ? std::string_view{} : std::string_view(field.c_str(), field.size());
}

/// One table in the order of its ids; the first column is the id.
class Stream {
 public:
  Stream(pqxx::transaction_base& session, std::string name, const std::string& select)
      : session_(session), name_("doctor_" + std::move(name)) {
    session_.exec("declare " + name_ + " no scroll cursor for " + select);
    fetch();
  }
  ~Stream() {
    try {
      session_.exec("close " + name_);
    } catch (const std::exception&) {  // the transaction is broken, and the cursor with it
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// The id of the row it stands at; greater than all ids at its end.
  [[nodiscard]] std::string_view id() const {
    static constexpr std::string_view kEnd = "~";
    return place_ < rows_.size() ? text(rows_[place_][0]) : kEnd;
  }
  [[nodiscard]] bool is_over() const { return place_ >= rows_.size(); }
  [[nodiscard]] pqxx::row row() const { return rows_[place_]; }
  void next() {
    if (++place_ == rows_.size()) fetch();
  }

 private:
  void fetch() {
    rows_ = session_.exec("fetch " + std::to_string(kFetch) + " from " + name_);
    place_ = 0;
  }

  pqxx::transaction_base& session_;
  std::string name_;
  pqxx::result rows_;
  pqxx::result::size_type place_ = 0;
};

/// What one table says of many orders, told once.
struct Shared {
  std::uint64_t orders = 0;
  std::string first;
  std::int64_t most = 0;

  void add(std::string_view order, std::int64_t value) {
    if (orders++ == 0) first = order;
    most = std::max(most, value);
  }
};

/// Days of which only orders or only events are there: retention was interrupted between the two.
constexpr const char* kHalfDays =
    "select to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' from pg_inherits i "
    "join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent "
    "where p.relnamespace = current_schema()::regnamespace and p.relname in ('orders', 'event') "
    "and c.relname ~ '^(orders|event)_[0-9]{8}$' and not i.inhdetachpending "
    "group by 1 having count(*) = 1";

/// The day of an id, which begins with 48 bits of milliseconds since 1970.
std::int64_t day_of(std::string_view id) {
  std::int64_t high = 0;
  std::int64_t low = 0;
  std::from_chars(id.data(), id.data() + 8, high, 16);
  std::from_chars(id.data() + 9, id.data() + 13, low, 16);
  return ((high << 16) | low) / 86'400'000;
}

class Walk {
 public:
  Walk(pqxx::transaction_base& session, const WalkSpec& spec,
       const std::function<void(Finding)>& found)
      : spec_(spec),
        found_(found),
        orders_(session, "orders",
                "select id, pipeline_id, priority from orders" + only("id") + " order by id"),
        task_(session, "task",
              "select order_id, step, branch, kind, queue, seq from task" + only("order_id") +
                  " order by order_id"),
        deferred_(session, "deferred",
                  "select order_id, step, branch, kind, queue, seq, state, "
                  "(extract(epoch from run_at) * 1000)::bigint from deferred" +
                      only("order_id") + " order by order_id"),
        signal_(session, "signal",
                "select order_id, at < now() - interval '" + std::string(kSignalPatience) +
                    "', coalesce(next_at < now() - interval '" + std::string(kSignalPatience) +
                    "', false) from signal" + only("order_id") + " order by order_id"),
        event_(session, "event",
               "select order_id, seq, kind, order_status, step, branch, task_kind, attempt "
               "from event" +
                   only("order_id") + " order by order_id, seq") {
    for (const auto& row : session.exec(kHalfDays)) half_days_.insert(row[0].as<std::int64_t>());
  }

  WalkCount run() {
    for (;;) {
      const std::string id(
          std::min({orders_.id(), task_.id(), deferred_.id(), signal_.id(), event_.id()}));
      if (id == "~") break;
      if (half_days_.contains(day_of(id))) {
        skip(id);
      } else if (orders_.id() == id) {
        one(id);
      } else {
        orphan(id);
      }
    }
    tell_shared();
    return count_;
  }

 private:
  [[nodiscard]] std::string only(const char* column) const {
    return spec_.order.empty() ? "" : std::string(" where ") + column + " = " + quoted(spec_.order);
  }

  /// Of an order whose history may be gone nothing can be said.
  void skip(const std::string& id) {
    for (Stream* stream : {&orders_, &task_, &deferred_, &signal_, &event_}) {
      while (stream->id() == id) stream->next();
    }
  }

  void one(const std::string& id) {
    ++count_.orders;
    const auto row = orders_.row();
    const auto pipeline = number<PipelineId>(row[1]);
    const auto version = spec_.versions->find(pipeline);
    const bool is_known = version != spec_.versions->end();
    if (!is_known) missing_[pipeline].add(id, 0);
    case_.start(id, number<int>(row[2]), is_known ? version->second.get() : nullptr);
    orders_.next();
    for (; task_.id() == id; task_.next()) case_.owe(owed(task_.row(), false));
    for (; deferred_.id() == id; deferred_.next()) case_.owe(owed(deferred_.row(), true));
    bool is_overdue = false;
    for (; signal_.id() == id; signal_.next()) {
      is_overdue = is_overdue || signal_.row()[2].as<bool>();
    }
    if (is_overdue) {
      tell(
          kSignalUndelivered, id, "a signal that is kept for it is not delivered",
          {.by_hand = "see the log of the broker that owns the shard: it should look each minute"});
    }
    for (; event_.id() == id; event_.next()) see(event_.row());
    findings_.clear();
    case_.judge(spec_.circumstances, findings_);
    for (Finding& finding : findings_) found_(std::move(finding));
  }

  void check_epoch(std::string_view id, std::int64_t seq) {
    const std::int64_t epoch = seq >> 40;
    if (epoch > spec_.circumstances.epoch) ahead_.add(id, epoch);
  }

  OwedRow owed(const pqxx::row& row, bool is_deferred) {
    OwedRow owed{.is_deferred = is_deferred,
                 .step = number<int>(row[1]),
                 .branch = number<int>(row[2]),
                 .kind = number<int>(row[3]),
                 .queue = std::string(text(row[4])),
                 .seq = number<std::int64_t>(row[5]),
                 .state = {},
                 .run_at = {}};
    check_epoch(text(row[0]), owed.seq);
    if (!is_deferred) return owed;
    owed.state = text(row[6]);
    if (!row[7].is_null()) owed.run_at = number<std::int64_t>(row[7]);
    return owed;
  }

  void see(const pqxx::row& row) {
    ++count_.events;
    SeenEvent event{.seq = number<std::int64_t>(row[1]),
                    .kind = text(row[2]),
                    .status = text(row[3]),
                    .step = {},
                    .branch = number<int>(row[5]),
                    .task_kind = number<int>(row[6]),
                    .attempt = number<int>(row[7])};
    if (!row[4].is_null()) event.step = number<int>(row[4]);
    check_epoch(text(row[0]), event.seq);
    case_.see(event);
  }

  void orphan(const std::string& id) {
    for (Stream* stream : {&task_, &deferred_}) {
      for (; stream->id() == id; stream->next()) orphan_row(id, *stream);
    }
    std::uint64_t events = 0;
    for (; event_.id() == id; event_.next()) ++events;
    if (events > 0) {
      tell(
          kEventOrphan, id, std::to_string(events) + " events tell of it, and it is not there",
          {.by_hand = "the order was lost: see the backup, and ask its client to submit it again"});
    }
    bool is_old = false;
    for (; signal_.id() == id; signal_.next()) is_old = is_old || signal_.row()[1].as<bool>();
    if (is_old) {
      tell(kSignalOrphan, id, "a signal waits for it, and it is not there",
           {.by_hand = "nothing: it is kept for an order that may still come"});
    }
  }

  void orphan_row(const std::string& id, const Stream& stream) {
    const auto row = stream.row();
    const RowName name{&stream == &task_ ? "task" : "deferred", id, number<int>(row[1]),
                       number<int>(row[2]), number<int>(row[3])};
    Statement gone = delete_row(name);
    gone.sql += " and not exists (select from orders where id = " + quoted(id) + ")";
    tell(kRowOrphan, id,
         "a row in `" + name.table + "` (step " + std::to_string(name.step) +
             ") is owed to it, and it is not there",
         {.statements = {std::move(gone)}});
  }

  void tell(const Kind& kind, const std::string& order, std::string sentence, Repair repair,
            PipelineId pipeline = 0) {
    found_({.kind = kind,
            .shard = spec_.circumstances.shard,
            .order = order,
            .sentence = std::move(sentence),
            .repair = std::move(repair),
            .pipeline = pipeline});
  }

  void tell_shared() {
    for (const auto& [pipeline, shared] : missing_) {
      tell(kPipelineMissing, "",
           std::to_string(shared.orders) + " orders have the pipeline version " +
               std::to_string(pipeline) + ", which is not in the tables; the first is " +
               shared.first,
           {.by_hand = "`ordo pipeline apply` the file of that version, unchanged"}, pipeline);
    }
    if (ahead_.orders == 0) return;
    const std::string epoch = std::to_string(ahead_.most);
    tell(kEpochAhead, "",
         std::to_string(ahead_.orders) + " rows are of epoch " + epoch +
             " or below, and the shard is at " + std::to_string(spec_.circumstances.epoch) +
             "; the first is of order " + ahead_.first,
         {.statements = {{.what = "raise the shard's epoch to " + epoch,
                          .sql = "update shard set epoch = greatest(epoch, " + epoch + ")"}}});
  }

  const WalkSpec& spec_;
  const std::function<void(Finding)>& found_;
  Stream orders_, task_, deferred_, signal_, event_;
  std::set<std::int64_t> half_days_;
  OrderCase case_;
  std::vector<Finding> findings_;
  std::map<PipelineId, Shared> missing_;
  Shared ahead_;
  WalkCount count_;
};

}  // namespace

WalkCount walk_orders(pqxx::transaction_base& session, const WalkSpec& spec,
                      const std::function<void(Finding)>& found) {
  return Walk(session, spec, found).run();
}

}  // namespace ordo::doctor
