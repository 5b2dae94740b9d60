#include "broker/store/commit_queue.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "base/check.hpp"
#include "schema/limits.hpp"

namespace ordo {

namespace {

using Fate = event::WritesDone::Outcome;

template <class... Ts> struct Overload : Ts... { using Ts::operator()...; };
template <class... Ts> Overload(Ts...) -> Overload<Ts...>;

/// Submits keep this share of a full batch, so that finishing work never starves new work.
constexpr std::size_t kSubmitShare = 4;
/// How often a batch is tried again after errors that lie with the moment: a deadlock or a lock
/// passes at once, what does not pass by then is better met with a new session.
constexpr int kMostTries = 3;

/// The task a change is about; nullptr where it is about none.
const TaskKey* task_of(const Change& change) {
  if (const auto* c = std::get_if<InsertTask>(&change)) return &c->row.key;
  if (const auto* c = std::get_if<InsertDeferred>(&change)) return &c->row.task.key;
  if (const auto* c = std::get_if<DeleteTask>(&change)) return &c->key;
  if (const auto* c = std::get_if<DeleteDeferred>(&change)) return &c->key;
  return nullptr;
}

/// The signal a change is about, by its number; 0 where it is about none.
std::int64_t signal_of(const Change& change) {
  if (const auto* c = std::get_if<InsertSignal>(&change)) return c->row.seq;
  if (const auto* c = std::get_if<DeleteSignal>(&change)) return c->seq;
  return 0;
}

bool share_a_row(const StoreWrite& a, const StoreWrite& b) {
  for (const Change& left : a.changes) {
    if (const std::int64_t signal = signal_of(left); signal != 0) {
      const auto is_it = [signal](const Change& right) { return signal_of(right) == signal; };
      if (std::any_of(b.changes.begin(), b.changes.end(), is_it)) return true;
    }
    const TaskKey* key = task_of(left);
    if (key == nullptr) continue;
    for (const Change& right : b.changes) {
      const TaskKey* other = task_of(right);
      if (other != nullptr && *other == *key) return true;
    }
  }
  return false;
}

Fate outcome_of(CommitResult::Refused::Why why) {
  switch (why) {
    case CommitResult::Refused::Why::kDuplicate: return Fate::kDuplicate;
    case CommitResult::Refused::Why::kConflict: return Fate::kConflict;
    case CommitResult::Refused::Why::kMissing: return Fate::kMissing;
  }
  return Fate::kMissing;
}

}  // namespace

// ---- queueing ----------------------------------------------------------------------------------

void CommitQueue::push(StoreOperation&& operation) {
  ORDO_CHECK(operation.shard == shard_, operation.shard, shard_);
  std::visit(Overload{[this](OpenShard& open) {
                        drop_queued();
                        is_stale_ = is_working_;
                        incarnation_ = open.incarnation;
                        state_ = State::kOpening;
                      },
                      [this](std::unique_ptr<Write>& write) { push_write(std::move(write)); },
                      [this](LoadOrders& load) { push_read(std::move(load)); },
                      [this](LoadPage& page) { push_read(std::move(page)); }},
             operation.operation);
}

void CommitQueue::push_write(std::unique_ptr<Write> write) {
  if (state_ != State::kOpen) {  // the core does not know yet that the session is gone
    if (dropped_.empty()) dropped_incarnation_ = incarnation_;
    dropped_.push_back(std::move(write));
    return;
  }
  if (rejected_.contains(write->store.order)) {
    // Decided before the core heard of the rejection: it shares that fate. A new insert starts
    // afresh.
    const auto& changes = write->store.changes;
    const bool inserts = std::any_of(changes.begin(), changes.end(), [](const Change& change) {
      return std::holds_alternative<InsertOrder>(change);
    });
    if (!inserts)
      return left_out_.push_back({std::move(write), Fate::kRejected, "follows a rejected write"});
    rejected_.erase(write->store.order);
  }
  if (segments_.empty() || segments_.back().read) segments_.emplace_back();
  Segment& segment = segments_.back();
  // A write of an order whose submit still waits must not overtake it.
  const bool goes_behind = segment.submit_orders.contains(write->store.order);
  if (write->write_class == Write::Class::kSubmit || goes_behind) {
    ++segment.submit_orders[write->store.order];
    segment.submits.push_back(std::move(write));
  } else {
    segment.progress.push_back(std::move(write));
  }
}

void CommitQueue::push_read(Read read) {
  if (state_ != State::kOpen) return;
  if (const auto* load = std::get_if<LoadOrders>(&read)) {
    for (const OrderId& id : load->ids)
      rejected_.erase(id);  // what comes now is decided on what is loaded
  }
  if (segments_.empty() || segments_.back().read) segments_.emplace_back();
  segments_.back().read = std::make_unique<Read>(std::move(read));
}

/// Writes without an outcome, oldest first, into `into`; nothing waits any more.
void CommitQueue::take_unfinished(Writes& into) {
  const auto take = [&](auto& line) {
    std::move(line.begin(), line.end(), std::back_inserter(into));
  };
  for (Writes& half : halves_) take(half);
  for (Segment& segment : segments_) {
    take(segment.progress);
    take(segment.submits);
  }
  for (auto& item : left_out_) into.push_back(std::move(item.write));
  std::sort(into.begin(), into.end(),
            [](const auto& a, const auto& b) { return a->number < b->number; });
  segments_.clear();
  halves_.clear();
  left_out_.clear();
  rejected_.clear();
}

void CommitQueue::drop_queued() {
  if (dropped_.empty()) dropped_incarnation_ = incarnation_;
  take_unfinished(dropped_);
}

void CommitQueue::report_dropped(std::vector<Event>& out) {
  if (dropped_.empty()) return;
  out.emplace_back(
      event::ShardLost{shard_, dropped_incarnation_, "taken anew", std::exchange(dropped_, {})});
}

void CommitQueue::report_left_out(std::vector<Event>& out) {
  if (left_out_.empty()) return;
  out.emplace_back(event::WritesDone{shard_, incarnation_, std::exchange(left_out_, {})});
}

/// True when an OpenShard came while this work was under way: its result is nobody's.
bool CommitQueue::finish(std::vector<Event>& out) {
  ORDO_CHECK(is_working_);
  is_working_ = false;
  if (!std::exchange(is_stale_, false)) {
    report_left_out(out);
    return false;
  }
  std::move(batch_.begin(), batch_.end(), std::back_inserter(dropped_));
  batch_.clear();
  std::sort(dropped_.begin(), dropped_.end(),
            [](const auto& a, const auto& b) { return a->number < b->number; });
  report_dropped(out);
  return true;
}

std::size_t CommitQueue::size() const {
  std::size_t count = 0;
  for (const Writes& half : halves_) count += half.size();
  for (const Segment& segment : segments_) {
    count += segment.progress.size() + segment.submits.size() + (segment.read ? 1 : 0);
  }
  return count;
}

// ---- the next work -----------------------------------------------------------------------------

/// Takes writes from the first segment's lines into a batch, within its bounds.
class CommitQueue::Gathering {
 public:
  explicit Gathering(Writes& batch) : batch_(batch) {}

  /// From the front of a line, until the batch holds `rows` changes. A write that touches a task
  /// which an earlier write of the batch touches waits for the next one (in a batch deletes come
  /// first), and with it its line.
  bool take(std::deque<std::unique_ptr<Write>>& line, std::size_t rows,
            std::unordered_map<OrderId, std::uint32_t>* orders) {
    while (!line.empty()) {
      Write& write = *line.front();
      const std::size_t count = std::max<std::size_t>(write.store.changes.size(), 1);
      const bool fits = rows_ + count <= rows && bytes_ + write.bytes <= limits::kBatchBytes;
      if (!batch_.empty() && !fits) return true;
      if (meets_itself(write)) return false;
      rows_ += count;
      bytes_ += write.bytes;
      if (orders != nullptr) release(*orders, write.store.order);
      in_batch_[write.store.order].push_back(&write.store);
      batch_.push_back(std::move(line.front()));
      line.pop_front();
    }
    return true;
  }

 private:
  [[nodiscard]] bool meets_itself(const Write& write) const {
    const auto found = in_batch_.find(write.store.order);
    if (found == in_batch_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const StoreWrite* earlier) {
      return share_a_row(*earlier, write.store);
    });
  }
  static void release(std::unordered_map<OrderId, std::uint32_t>& orders, const OrderId& order) {
    const auto it = orders.find(order);
    if (--it->second == 0) orders.erase(it);
  }

  Writes& batch_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<OrderId, std::vector<const StoreWrite*>> in_batch_;
};

void CommitQueue::gather() {
  Segment& first = segments_.front();
  Gathering gathering(batch_);
  const std::size_t kept = first.submits.empty() ? 0 : limits::kBatchRows / kSubmitShare;
  if (!gathering.take(first.progress, limits::kBatchRows - kept, nullptr)) return;
  if (!gathering.take(first.submits, limits::kBatchRows, &first.submit_orders)) return;
  gathering.take(first.progress, limits::kBatchRows, nullptr);
}

CommitQueue::Work CommitQueue::start_batch() {
  pointers_.clear();
  for (const auto& write : batch_) pointers_.push_back(&write->store);
  return Commit{pointers_};
}

CommitQueue::Work CommitQueue::next() {
  ORDO_CHECK(!is_working_);
  if (state_ == State::kOpening) {
    is_working_ = true;
    return Open{};
  }
  if (state_ == State::kClosed) return Idle{};
  if (!halves_.empty()) {
    is_working_ = true;
    batch_ = std::move(halves_.front());
    halves_.pop_front();
    return start_batch();
  }
  if (segments_.empty()) return Idle{};
  is_working_ = true;
  Segment& first = segments_.front();
  if (!first.progress.empty() || !first.submits.empty()) {
    gather();
    if (first.progress.empty() && first.submits.empty() && !first.read) segments_.pop_front();
    return start_batch();
  }
  read_ = std::move(*first.read);
  segments_.pop_front();
  if (const auto* load = std::get_if<LoadOrders>(&read_)) return Load{load->ids};
  return ReadPage{&std::get<LoadPage>(read_).spec};
}

// ---- results -----------------------------------------------------------------------------------

void CommitQueue::opened(Result<Takeover>&& result, std::vector<Event>& out) {
  if (finish(out)) return;  // a newer OpenShard waits
  report_dropped(out);
  if (result) {
    state_ = State::kOpen;
    out.emplace_back(event::ShardOpened{shard_, incarnation_, std::move(*result)});
  } else {
    state_ = State::kClosed;
    out.emplace_back(event::ShardRefused{shard_, incarnation_, std::move(result.error())});
  }
}

void CommitQueue::committed(const CommitResult& result, std::vector<Event>& out) {
  if (finish(out)) return;
  switch (result.kind) {
    case CommitResult::Kind::kLost: return lose(result.message, out);
    case CommitResult::Kind::kRejected:
      return result.may_pass_later ? try_again(result.message, out) : bisect(result.message, out);
    case CommitResult::Kind::kCommitted: break;
  }
  tries_ = 0;
  event::WritesDone done{shard_, incarnation_, {}};
  done.items.reserve(batch_.size());
  for (auto& write : batch_) done.items.push_back({std::move(write), Fate::kDurable, {}});
  batch_.clear();
  for (const auto& refused : result.refused) {
    done.items[refused.write].outcome = outcome_of(refused.why);
  }
  for (const auto& refused : result.refused) {
    if (refused.why != CommitResult::Refused::Why::kMissing)
      continue;  // an order that is known goes on
    leave_out_later(done.items[refused.write].write->store.order, Fate::kMissing, {}, done);
  }
  out.emplace_back(std::move(done));
}

/// What the core queued for an order after a write that was left out was decided on a state that
/// never came.
void CommitQueue::leave_out_later(const OrderId& order, Fate outcome, const std::string& message,
                                  event::WritesDone& done) {
  if (order.is_zero()) return;  // settings hang on nothing
  const auto sweep = [&](auto& line, auto&& released) {
    for (auto& write : line) {
      if (write->store.order != order) continue;
      released();
      done.items.push_back({std::move(write), outcome, message});
    }
    std::erase_if(line, [](const auto& write) { return write == nullptr; });
  };
  for (Writes& half : halves_) sweep(half, [] {});
  std::erase_if(halves_, [](const Writes& half) { return half.empty(); });
  for (Segment& segment : segments_) {
    sweep(segment.progress, [] {});
    sweep(segment.submits, [&] {
      const auto it = segment.submit_orders.find(order);
      if (--it->second == 0) segment.submit_orders.erase(it);
    });
  }
  std::erase_if(segments_, [](const Segment& s) {
    return s.progress.empty() && s.submits.empty() && !s.read;
  });
}

/// Nobody's fault: the same batch once more, and a new session when that does not help either.
void CommitQueue::try_again(const std::string& message, std::vector<Event>& out) {
  if (++tries_ > kMostTries) return lose("refused again and again: " + message, out);
  halves_.push_front(std::exchange(batch_, {}));
}

void CommitQueue::bisect(const std::string& message, std::vector<Event>& out) {
  std::vector<OrderId> orders;
  std::unordered_set<OrderId> seen;
  for (const auto& write : batch_) {
    if (seen.insert(write->store.order).second) orders.push_back(write->store.order);
  }
  // Settings carry no order: each of them is on its own.
  if (batch_.size() == 1) return reject_alone(message, out);
  Writes first;
  Writes second;
  if (orders.size() == 1) {
    // One order's writes: one at a time, so that only what follows the culprit falls with it.
    first.push_back(std::move(batch_.front()));
    std::move(std::next(batch_.begin()), batch_.end(), std::back_inserter(second));
  } else {
    const std::unordered_set<OrderId> left(
        orders.begin(), std::next(orders.begin(), static_cast<std::ptrdiff_t>(orders.size() / 2)));
    for (auto& write : batch_) {
      (left.contains(write->store.order) ? first : second).push_back(std::move(write));
    }
  }
  batch_.clear();
  halves_.push_front(std::move(second));
  halves_.push_front(std::move(first));
}

void CommitQueue::reject_alone(const std::string& message, std::vector<Event>& out) {
  event::WritesDone done{shard_, incarnation_, {}};
  const OrderId order = batch_.front()->store.order;
  done.items.push_back({std::move(batch_.front()), Fate::kRejected, message});
  batch_.clear();
  leave_out_later(order, Fate::kRejected, message, done);
  if (!order.is_zero()) rejected_.insert(order);
  out.emplace_back(std::move(done));
}

void CommitQueue::loaded(Result<std::vector<OrderSnapshot>>&& result, std::vector<Event>& out) {
  if (finish(out)) return;
  if (!result) return lose(result.error().message, out);
  out.emplace_back(event::OrdersLoaded{
      shard_, incarnation_, std::move(std::get<LoadOrders>(read_).ids), std::move(*result)});
}

void CommitQueue::paged(Result<Page>&& result, std::vector<Event>& out) {
  if (finish(out)) return;
  if (!result) return lose(result.error().message, out);
  out.emplace_back(event::PageLoaded{
      shard_, incarnation_, std::move(std::get<LoadPage>(read_).spec), std::move(*result)});
}

void CommitQueue::probed(const Result<void>& result, std::vector<Event>& out) {
  ORDO_CHECK(!is_working_);
  if (state_ != State::kOpen) return;
  if (!result) return lose(result.error().message, out);
  report_left_out(out);
  out.emplace_back(event::ShardProbed{shard_, incarnation_});
}

void CommitQueue::lose(std::string why, std::vector<Event>& out) {
  event::ShardLost lost{shard_, incarnation_, std::move(why), {}};
  lost.unfinished = std::exchange(batch_, {});
  take_unfinished(lost.unfinished);
  state_ = State::kClosed;
  tries_ = 0;
  out.emplace_back(std::move(lost));
}

// ---- for a thread ------------------------------------------------------------------------------

bool perform_next(CommitQueue& queue, std::unique_ptr<ShardStore>& session, const MakeStore& make,
                  std::vector<Event>& out) {
  const CommitQueue::Work work = queue.next();
  if (std::holds_alternative<CommitQueue::Idle>(work)) return false;
  if (std::holds_alternative<CommitQueue::Open>(work)) {
    session.reset();  // the old session first: its lock is the one that is wanted
    session = make();
    queue.opened(session->open(), out);
  } else if (const auto* commit = std::get_if<CommitQueue::Commit>(&work)) {
    queue.committed(session->commit(commit->batch), out);
  } else if (const auto* load = std::get_if<CommitQueue::Load>(&work)) {
    queue.loaded(session->load(load->ids), out);
  } else {
    queue.paged(session->page(*std::get<CommitQueue::ReadPage>(work).spec), out);
  }
  if (!queue.is_open()) session.reset();
  return true;
}

void perform_probe(CommitQueue& queue, std::unique_ptr<ShardStore>& session,
                   std::vector<Event>& out) {
  if (!queue.is_open() || session == nullptr) return;
  queue.probed(session->probe(), out);
  if (!queue.is_open()) session.reset();
}

}  // namespace ordo
