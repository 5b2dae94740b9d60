// The life of a worker: events, one step, leaving.
#include "worker/core/worker_core.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.hpp"
#include "schema/text.hpp"
#include "worker/core/worker_core_parts.hpp"

namespace ordo::worker {
namespace {

/// How long what is left may still finish after it was told to stop, at the end of a drain.
constexpr Millis kLastWord{1'000};
/// With every slot hung only results can still leave.
constexpr Millis kHungDrain{3'000};

}  // namespace

WorkerCore::WorkerCore(Settings settings) : settings_(std::move(settings)) {
  ORDO_CHECK(settings_.links >= 1 && settings_.slots >= 1);
  const std::size_t capacity = std::size_t{settings_.slots} + settings_.take_ahead;
  ORDO_CHECK(capacity <= kMostCapacity, capacity);
  links_.resize(settings_.links);
  returns_.resize(settings_.links);
  finished_.resize(std::bit_ceil(std::max<std::size_t>(8 * capacity, 1024)));
}

void WorkerCore::start(Times now, Effects& out) {
  now_ = now.steady;
  out_ = &out;
  for (LinkIndex link = 0; link < links_.size(); ++link) dial(link);
}

void WorkerCore::step(Times now, Event&& event, Effects& out) {
  if (has_left_) return;
  now_ = now.steady;
  out_ = &out;
  std::visit([this](auto& what) { on(what); }, event);
  if (now_ >= std::max(due_, scan_at_)) ring_all();
  for (LinkIndex link = 0; link < links_.size(); ++link) tend(link);
  flush();
  check_drained();
}

std::optional<Steady> WorkerCore::next_deadline() const {
  if (has_left_) return std::nullopt;
  Steady earliest = std::min({std::max(due_, scan_at_), last_word_at_, drained_at_});
  for (const Link& link : links_) earliest = std::min(earliest, deadline_of(link));
  return earliest;
}

WorkerCounts WorkerCore::counts() const {
  WorkerCounts counts;
  counts.open = by_key_.size() - ended_;
  counts.results = ended_;
  counts.fenced = fenced_;
  counts.hung = hung_;
  for (const Link& link : links_) counts.welcome_links += link.state == Link::State::kWelcome;
  counts.is_draining = is_draining_;
  counts.has_left = has_left_;
  return counts;
}

std::optional<Fence> WorkerCore::fence_of(const TaskKey& key) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  return held_[found->second].fence;
}

void WorkerCore::on(event::Ended& event) {
  for (RunEnded& ended : event.runs) end(ended);
}

void WorkerCore::on(event::Noted& event) {
  for (RunNote& note : event.notes) {
    Held* const held = find(note.run);
    if (held == nullptr || held->is_fenced) continue;
    held->note = clean_text(note.note, limits::kTextBytes);
    held->has_news = true;
  }
}

void WorkerCore::on(const event::Looked& event) {
  for (const RunId run : event.in_slots) {
    Held* const held = find(run);
    if (held == nullptr || held->is_hung) continue;
    if (now_ < held->timeout_at + settings_.hang_grace) continue;
    held->is_hung = true;
    ++hung_;
    tell(FactKind::kHung, held->key, held->fence);
  }
  if (hung_ >= settings_.slots) begin_drain(kHungDrain, kExitHung);
}

void WorkerCore::on(const event::DrainRequested&) {
  begin_drain(settings_.drain_timeout, kExitDrained);
}

void WorkerCore::on(const event::TimePassed&) {}

void WorkerCore::begin_drain(Millis timeout, int exit_code) {
  exit_code_ = std::max(exit_code_, exit_code);
  const Steady end = now_ + timeout;
  if (is_draining_ && end >= drained_at_) return;
  drained_at_ = end;
  last_word_at_ = end - std::min<Micros>(kLastWord, Micros{timeout} / 4);
  if (is_draining_) return;
  is_draining_ = true;
  tell(FactKind::kDraining);
  for (LinkIndex link = 0; link < links_.size(); ++link) {
    if (links_[link].state == Link::State::kWelcome) out_->sends.push_back({link, wire::Drain{}});
  }
  out_->withdraw = true;
}

void WorkerCore::check_drained() {
  if (!is_draining_) return;
  const bool is_idle = open_ == hung_ && ended_ == 0;
  if (!is_idle && now_ >= last_word_at_ && !is_last_word_) {
    is_last_word_ = true;
    last_word_at_ = Steady::max();
    for (std::uint32_t place = 0; place < held_.size(); ++place) {
      Held& held = held_[place];
      if (held.state != Held::State::kOpen || held.is_cancelled) continue;
      held.is_cancelled = true;
      out_->cancels.push_back({run_of(place, held.generation), "draining"});
    }
  }
  if (!is_idle && now_ < drained_at_) return;
  if (!is_idle && exit_code_ == kExitDrained) exit_code_ = kExitDrainTimedOut;
  has_left_ = true;
  for (LinkIndex link = 0; link < links_.size(); ++link) {
    if (links_[link].state == Link::State::kDialling) continue;  // nobody to say it to
    out_->sends.push_back({link, wire::Goodbye{exit_code_ == kExitHung ? "hung" : "drained"}});
  }
  tell(FactKind::kLeft);
  out_->exit = exit_code_;
}

void WorkerCore::tell(FactKind kind, const TaskKey& key, const Fence& fence, std::string text) {
  out_->facts.push_back({kind, key, fence, std::move(text)});
}

}  // namespace ordo::worker
