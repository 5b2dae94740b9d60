#include "tests/transcripts/stage.hpp"

#include <algorithm>
#include <stdexcept>

namespace ordo::transcript {
namespace {

/// Where the story's clocks begin: 2026-01-01 and an arbitrary moment of the steady one.
constexpr Wall kBeginning{Millis{1'767'225'600'000}};
constexpr Steady kSteadyBeginning{Seconds{1000}};
/// How often peers beat: Settings::beat.
constexpr Micros kBeat = Seconds{1};
/// How long a session is idle before it proves that it still owns its shard.
constexpr Micros kProbe = Millis{300};
/// A loop is woken with this granularity.
constexpr Micros kWake = Millis{1};
/// A payload or a result that begins like this breaks a CHECK of the tables, whoever writes it.
constexpr std::string_view kCulprit = "culprit";

bool breaks_a_check(const StoreWrite& write) {
  return std::any_of(write.changes.begin(), write.changes.end(), [](const Change& change) {
    const auto* order = std::get_if<InsertOrder>(&change);
    const auto* event = std::get_if<AppendEvent>(&change);
    const bool is_result = event != nullptr && event->row.kind == EventKind::kSucceeded;
    return (order != nullptr && view(order->row.payload).starts_with(kCulprit)) ||
           (is_result && view(event->row.detail).starts_with(kCulprit));
  });
}

std::string word_of(event::WritesDone::Outcome outcome) {
  switch (outcome) {
    case event::WritesDone::Outcome::kDurable: return "is durable";
    case event::WritesDone::Outcome::kDuplicate: return "is a duplicate";
    case event::WritesDone::Outcome::kConflict: return "is a conflict";
    case event::WritesDone::Outcome::kMissing: return "misses a row";
    case event::WritesDone::Outcome::kRejected: return "is rejected";
  }
  return "?";
}

}  // namespace

Stage::Stage(Cast& cast)
    : cast_(cast),
      wording_(cast, kBeginning),
      now_(kSteadyBeginning),
      next_beat_(now_ + kBeat),
      next_probe_(now_ + kProbe),
      told_at_(now_) {}

Wall Stage::wall() const { return kBeginning + (now_ - kSteadyBeginning); }

void Stage::want_broker() const {
  if (engine_ == nullptr) throw std::runtime_error("no broker runs: `open` comes first");
}

Lines Stage::lines() {
  told_at_ = now_;
  return std::exchange(lines_, {});
}

void Stage::print(std::string line) {
  if (told_at_ != now_) {
    told_at_ = now_;
    lines_.push_back("[" + to_text(now_ - kSteadyBeginning) + "]");
  }
  lines_.push_back(std::move(line));
}

// ---- what may be done --------------------------------------------------------------------------

void Stage::open(const Settings& settings) {
  if (const auto problem = settings.problem()) throw std::runtime_error(*problem);
  session_.reset();
  events_.clear();
  queries_.clear();
  numbers_.clear();
  queue_ = std::make_unique<CommitQueue>(database_.shard());
  engine_ = std::make_unique<Engine>(settings);
  engine_->start(times(), effects_);
  perform();
  settle();
}

void Stage::say(Event&& event) {
  want_broker();
  events_.push_back(std::move(event));
  settle();
}

void Stage::commit(Fate fate) {
  want_broker();
  work(fate);
  settle();
}

void Stage::hold(bool is_held) {
  is_held_ = is_held;
  settle();
}

void Stage::lose_session() {
  want_broker();
  database_.terminate_owner();
  std::vector<Event> told;
  queue_->probed(fail(Code::kUnavailable, "lost", "the session is gone"), told);
  session_.reset();
  for (auto& event : told) events_.push_back(std::move(event));
  print("store loses its session");
  settle();
}

void Stage::pass(Micros time) {
  want_broker();
  const Steady end = now_ + time;
  do {
    Steady next = std::min({end, next_beat_, next_probe_});
    if (const auto wanted = engine_->next_deadline()) {
      next = std::min(next, std::max(*wanted, now_ + kWake));
    }
    now_ = next;
    if (now_ >= next_probe_) probe();
    if (now_ >= next_beat_) beat();
    events_.push_back(event::TimePassed{});
    settle();
  } while (now_ < end);
}

void Stage::beat() {
  next_beat_ = now_ + kBeat;
  for (const auto& [name, peer] : cast_.peers()) {
    if (peer.is_silent || !peer.is_connected) continue;
    if (peer.side == Send::To::kWorker) {
      events_.push_back(event::FromWorker{peer.number, wire::Beat{0, peer.offers, {}}});
    } else {
      events_.push_back(event::FromClient{peer.number, wire::Beat{}});
    }
  }
}

void Stage::probe() {
  next_probe_ = now_ + kProbe;
  if (is_held_ || session_ == nullptr || !queue_->is_open()) return;
  std::vector<Event> told;
  queue_->probed(session_->probe(), told);
  for (auto& event : told) events_.push_back(std::move(event));
}

// ---- the broker --------------------------------------------------------------------------------

/// Until nothing moves any more without time.
void Stage::settle() {
  while (true) {
    if (!events_.empty()) {
      Event event = std::move(events_.front());
      events_.pop_front();
      step(std::move(event));
    } else if (!queries_.empty()) {
      const Query query = std::move(queries_.front());
      queries_.pop_front();
      answer(query);
    } else if (!is_held_ && has_work()) {
      work(Fate::kFine);
    } else {
      return;
    }
  }
}

bool Stage::has_work() const { return queue_ != nullptr && (is_opening_ || queue_->size() > 0); }

void Stage::step(Event&& event) {
  engine_->step(times(), std::move(event), effects_);
  perform();
}

void Stage::perform() {
  write_down(effects_);
  for (auto& operation : effects_.store) {
    if (const auto* write = std::get_if<std::unique_ptr<Write>>(&operation.operation)) {
      numbers_[&(*write)->store] = (*write)->number;
    }
    queue_->push(std::move(operation));
  }
  for (auto& query : effects_.queries) queries_.push_back(std::move(query));
  effects_.clear();
}

void Stage::write_down(const Effects& effects) {
  for (const Fact& fact : effects.facts) {
    // Every story begins with its pipelines: nothing new is said by that.
    if (fact.kind != FactKind::kPipelineKnown) print(wording_.fact(fact));
  }
  for (const auto& operation : effects.store) {
    if (const auto* write = std::get_if<std::unique_ptr<Write>>(&operation.operation)) {
      for (auto& line : wording_.write(**write)) print(std::move(line));
    } else if (const auto* load = std::get_if<LoadOrders>(&operation.operation)) {
      for (const auto& id : load->ids) print("load  " + cast_.name(id));
    } else if (const auto* page = std::get_if<LoadPage>(&operation.operation)) {
      print("load  " + wording_.page(page->spec));
    } else {
      is_opening_ = true;
      print("open  shard 0");
    }
  }
  for (const Send& send : effects.sends) {
    note_send(send);
    const Lines told = wording_.send(send);
    for (const auto& line : told) print((&line == &told.front() ? "send  " : "") + line);
  }
}

/// What a worker learns from a frame.
void Stage::note_send(const Send& send) {
  if (send.to != Send::To::kWorker) return;
  Peer* worker = cast_.peer(send.to, send.peer);
  if (worker == nullptr) return;
  if (const auto* offer = std::get_if<wire::Offer>(&send.item)) {
    ++worker->offers;
    worker->fences[{offer->key, offer->fence.attempt}] = offer->fence;
  } else if (const auto* regrant = std::get_if<wire::Regrant>(&send.item)) {
    worker->fences[{regrant->key, regrant->new_fence.attempt}] = regrant->new_fence;
  }
}

void Stage::answer(const Query& query) {
  events_.push_back(event::QueryDone{query.query, MemoryReader(database_).query(query.spec)});
}

// ---- the store ---------------------------------------------------------------------------------

void Stage::work(Fate fate) {
  const CommitQueue::Work work = queue_->next();
  std::vector<Event> told;
  if (const auto* commit = std::get_if<CommitQueue::Commit>(&work)) return carry_out(*commit, fate);
  if (fate != Fate::kFine) throw std::runtime_error("the store's next work is no commit");
  if (std::holds_alternative<CommitQueue::Idle>(work)) {
    throw std::runtime_error("the store has nothing to do");
  }
  if (std::holds_alternative<CommitQueue::Open>(work)) {
    session_.reset();
    is_opening_ = false;
    database_.set_now(wall());
    session_ = std::make_unique<MemoryStore>(database_);
    auto taken = session_->open();
    print("store opens: epoch " + std::to_string(database_.epoch()));
    queue_->opened(std::move(taken), told);
  } else if (const auto* load = std::get_if<CommitQueue::Load>(&work)) {
    auto found = session_->load(load->ids);
    print("store loads: " + std::to_string(found->size()) + " found");
    queue_->loaded(std::move(found), told);
  } else {
    auto page = session_->page(*std::get<CommitQueue::ReadPage>(work).spec);
    print("store reads a page: " + std::to_string(page->rows.size() + page->signals.size()) +
          " rows");
    queue_->paged(std::move(page), told);
  }
  for (auto& event : told) events_.push_back(std::move(event));
}

void Stage::carry_out(const CommitQueue::Commit& commit, Fate fate) {
  std::string text = "store commits";
  for (const StoreWrite* write : commit.batch) text += " " + std::to_string(numbers_.at(write));
  const bool has_culprit =
      std::any_of(commit.batch.begin(), commit.batch.end(),
                  [](const StoreWrite* write) { return breaks_a_check(*write); });
  const CommitResult lost{CommitResult::Kind::kLost, {}, "server closed the connection"};
  CommitResult result;
  switch (has_culprit ? Fate::kRejected : fate) {
    case Fate::kFine: result = session_->commit(commit.batch); break;
    case Fate::kRejected:
      text += ": rejected";
      result = {CommitResult::Kind::kRejected, {}, "new row violates a check constraint"};
      break;
    case Fate::kTryAgain:
      text += ": not now";
      result = {CommitResult::Kind::kRejected, {}, "canceling statement due to lock timeout", true};
      break;
    case Fate::kLostBefore:
      text += ": the session is lost before";
      result = lost;
      break;
    case Fate::kLostAfter:
      text += ": the session is lost after";
      result = session_->commit(commit.batch);
      result = lost;
      break;
  }
  print(std::move(text));
  std::vector<Event> told;
  queue_->committed(result, told);
  if (!queue_->is_open()) session_.reset();
  tell_outcomes(told);
  for (auto& event : told) events_.push_back(std::move(event));
}

void Stage::tell_outcomes(const std::vector<Event>& events) {
  for (const auto& event : events) {
    const auto* done = std::get_if<event::WritesDone>(&event);
    if (done == nullptr) continue;
    for (const auto& item : done->items) {
      if (item.outcome == event::WritesDone::Outcome::kDurable) continue;
      print("store write " + std::to_string(item.write->number) + " " + word_of(item.outcome));
    }
  }
}

void Stage::show_tables(std::optional<OrderId> only) {
  const auto is_shown = [&](const OrderId& id) { return !only || *only == id; };
  for (const auto& [id, row] : database_.orders()) {
    if (!is_shown(id)) continue;
    print(wording_.order_row(row) + " [" + std::string(to_string(database_.status(id))) + "]");
    for (const auto& [key, task] : database_.tasks()) {
      if (key.order == id) print("  " + wording_.task_row(task));
    }
    for (const auto& [key, deferred] : database_.deferred()) {
      if (key.order == id) print("  " + wording_.deferred_row(deferred));
    }
    for (const auto& [key, signal] : database_.signals()) {
      if (key.first == id) print("  " + wording_.signal_row(signal));
    }
    const auto* events = database_.events(id);
    if (events == nullptr) continue;
    for (const auto& [seq, event] : *events) print("  " + wording_.event_row(event));
  }
}

}  // namespace ordo::transcript
