#include "bench/ceiling.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo::bench {
namespace {

constexpr int kMaxSeconds = 600;

/// What the threads tell the one that waits. Each counts into the second it is in.
struct Scores {
  std::atomic<bool> is_over = false;
  std::array<std::atomic<std::uint64_t>, kMaxSeconds> orders{};
  std::array<std::atomic<std::uint64_t>, kMaxSeconds> tasks{};
  std::array<std::atomic<std::uint64_t>, kMaxSeconds> commits{};
};

/// The steps that a step's end opens, in the pipeline that is measured.
std::vector<StepIndex> successors(int steps, StepIndex done) {
  if (steps == 1) return {};
  switch (done) {
    case 0: return {1, 2};
    case 2: return {3};  // the join: its other branch ended in a commit before
    case 3: return {4};
    case 4: return {5};
    default: return {};
  }
}

/// One shard, driven as fast as one session goes.
class Driver {
 public:
  Driver(const CeilingSpec& spec, int shard, Scores& scores)
      : spec_(spec),
        shard_(static_cast<ShardNumber>(shard)),
        scores_(scores),
        store_({.dsn = spec.dsn, .shard = shard_, .owner = "ceiling"}),
        random_(static_cast<std::uint64_t>(shard) + 1),
        payload_(make_bytes(std::string(static_cast<std::size_t>(spec.payload_bytes), 'x'))) {}

  Result<void> open() {
    auto takeover = store_.open();
    if (!takeover) return tl::unexpected(takeover.error());
    epoch_ = takeover->epoch;
    return {};
  }

  /// One batch of orders through all of its commits.
  Result<void> turn(Steady start) {
    std::vector<StoreWrite> writes;
    std::vector<OrderId> ids;
    for (int i = 0; i < spec_.batch; ++i) {
      ids.push_back(OrderId::make(to_ms(wall_now()), shard_, random_.next()));
      writes.push_back(submit(ids.back()));
    }
    if (auto done = commit(writes); !done) return done;
    if (const auto now = second_of(start)) scores_.commits[*now] += 1;
    for (int step = 0; step < spec_.steps; ++step) {
      writes.clear();
      for (const OrderId& id : ids) writes.push_back(complete(id, static_cast<StepIndex>(step)));
      if (auto done = commit(writes); !done) return done;
      count(start, step + 1 == spec_.steps);
    }
    return {};
  }

 private:
  TaskRow task(const OrderId& id, StepIndex step) {
    TaskRow row;
    row.key = {id, step, 0, TaskKind::kForward};
    row.queue = "bench";
    row.seq = next_seq();
    return row;
  }

  StoreWrite submit(const OrderId& id) {
    OrderRow order;
    order.id = id;
    order.pipeline = 1;
    order.payload = payload_;
    order.submit_hash = random_.next();
    order.accepted = wall_now();
    StoreWrite write{.order = id, .changes = {}};
    write.changes.push_back(InsertOrder{std::move(order)});
    write.changes.push_back(InsertTask{task(id, 0)});
    return write;
  }

  StoreWrite complete(const OrderId& id, StepIndex step) {
    StoreWrite write{.order = id, .changes = {}};
    write.changes.push_back(DeleteTask{{id, step, 0, TaskKind::kForward}});
    EventRow event;
    event.order = id;
    event.seq = next_seq();
    event.at = wall_now();
    event.step = step;
    event.attempt = 1;
    event.worker = "bench-worker-1";
    event.ms = 1;
    if (step + 1 == spec_.steps) event.status = OrderStatus::kSucceeded;
    write.changes.push_back(AppendEvent{std::move(event)});
    for (const StepIndex next : successors(spec_.steps, step)) {
      write.changes.push_back(InsertTask{task(id, next)});
    }
    return write;
  }

  Result<void> commit(const std::vector<StoreWrite>& writes) {
    std::vector<const StoreWrite*> batch;
    batch.reserve(writes.size());
    for (const StoreWrite& write : writes) batch.push_back(&write);
    const CommitResult result = store_.commit(batch);
    if (result.kind == CommitResult::Kind::kCommitted && result.refused.empty()) return {};
    return fail(Code::kInternal, "commit", "a batch was refused: " + result.message);
  }

  /// Which second of the run this is, where it is counted.
  static std::optional<std::size_t> second_of(Steady start) {
    const auto second =
        static_cast<std::size_t>((steady_now() - start).count() / Micros::period::den);
    return second < kMaxSeconds ? std::optional(second) : std::nullopt;
  }

  void count(Steady start, bool is_end) {
    const auto second = second_of(start);
    if (!second) return;
    const auto batch = static_cast<std::uint64_t>(spec_.batch);
    scores_.tasks[*second] += batch;
    scores_.commits[*second] += 1;
    if (is_end) scores_.orders[*second] += batch;
  }

  std::int64_t next_seq() { return (static_cast<std::int64_t>(epoch_) << 40) | ++counter_; }

  const CeilingSpec& spec_;
  ShardNumber shard_;
  Scores& scores_;
  PostgresStore store_;
  Random random_;
  Bytes payload_;
  std::uint32_t epoch_ = 0;
  std::int64_t counter_ = 0;
};

using Seconds_of = std::array<std::atomic<std::uint64_t>, kMaxSeconds>;

double sum(const Seconds_of& counts, std::size_t from, std::size_t to) {
  double total = 0;
  for (std::size_t i = from; i < to; ++i) total += static_cast<double>(counts[i].load());
  return total;
}

CeilingReport report_of(const Scores& scores, std::size_t from, std::size_t to) {
  const auto seconds = static_cast<double>(to - from);
  CeilingReport report;
  report.orders_per_s = sum(scores.orders, from, to) / seconds;
  report.tasks_per_s = sum(scores.tasks, from, to) / seconds;
  report.commits_per_s = sum(scores.commits, from, to) / seconds;
  double worst = report.tasks_per_s;
  for (std::size_t i = from; i < to; ++i) worst = std::min(worst, sum(scores.tasks, i, i + 1));
  report.worst_second_ratio = report.tasks_per_s > 0 ? worst / report.tasks_per_s : 0;
  return report;
}

}  // namespace

Result<CeilingReport> run_ceiling(const CeilingSpec& spec) {
  Scores scores;
  std::vector<std::unique_ptr<Driver>> drivers;
  for (int shard = 0; shard < spec.sessions; ++shard) {
    drivers.push_back(std::make_unique<Driver>(spec, shard, scores));
    if (auto opened = drivers.back()->open(); !opened) return tl::unexpected(opened.error());
  }
  const auto from = static_cast<std::size_t>(spec.warm_up);
  const auto to = from + std::max<std::size_t>(1, static_cast<std::size_t>(spec.seconds));
  const Steady start = steady_now();
  std::vector<Result<void>> outcomes(drivers.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    threads.emplace_back([&, i] {
      while (!scores.is_over && outcomes[i]) outcomes[i] = drivers[i]->turn(start);
    });
  }
  std::this_thread::sleep_until(
      std::chrono::steady_clock::time_point(start.time_since_epoch() + std::chrono::seconds(to)));
  scores.is_over = true;
  for (auto& thread : threads) thread.join();
  for (const auto& outcome : outcomes) {
    if (!outcome) return tl::unexpected(outcome.error());
  }
  return report_of(scores, from, to);
}

}  // namespace ordo::bench
