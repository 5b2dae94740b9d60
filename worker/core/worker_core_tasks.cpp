// A worker's tasks: offers, runs, results, regrants and revokes.
#include "worker/core/worker_core.hpp"

#include <algorithm>
#include <utility>

#include "schema/text.hpp"
#include "worker/core/worker_core_parts.hpp"

namespace ordo::worker {
namespace {

/// A late result is evidence, not work: after this many sends it is let go.
constexpr std::uint8_t kLateSends = 4;
/// Sends without an answer on one link before the next is tried.
constexpr std::uint8_t kSendsPerLink = 2;
constexpr int kMostSends = 254;  // counted no further; a multiple of the above
/// With many results waiting to be recorded their timers ring together, this far apart: looking
/// through them for each would cost more than they do.
constexpr std::size_t kMany = 8192;
constexpr Millis kScanPause{50};
/// How often hung handlers are looked for once one may be.
constexpr Millis kLookAgain{1'000};
/// A broker that offers twice what it may (plus a frame in flight) is ignored past that. Tasks
/// whose result is on its way count no more: their slots are free.
constexpr std::size_t kCreditFactor = 2;
/// Results that wait to be recorded: a stalled database must not fill the worker's memory.
constexpr std::size_t kMostKept = 262'144;

}  // namespace

void WorkerCore::on_message(LinkIndex index, wire::Offers& message) {
  // What comes between a hello and its welcome is not in the inventory: the broker gives it out
  // again.
  if (links_[index].state == Link::State::kGreeting) return;
  links_[index].received += message.items.size();
  for (wire::Offer& offer : message.items) take(index, offer);
}

void WorkerCore::on_message(LinkIndex, wire::RecordedItems& message) {
  for (const wire::Recorded& item : message.items) {
    const FactKind kind = item.code == 0 ? FactKind::kResultRecorded : FactKind::kResultRefused;
    const Held* const held = find(item.key, item.fence);
    // A word about a task that still runs says nothing: there is no result yet.
    if (held == nullptr || held->state != Held::State::kEnded) continue;
    tell(kind, item.key, item.fence);
    release(static_cast<std::uint32_t>(held - held_.data()));
  }
}

void WorkerCore::on_message(LinkIndex index, wire::Regrants& message) {
  for (const wire::Regrant& item : message.items) {
    Held* const found = find(item.key, item.old_fence);
    if (found == nullptr || item.new_fence < item.old_fence) continue;
    if (find(item.key, item.new_fence) != nullptr) continue;  // a copy, or nonsense
    Held& held = *found;
    Fence& highest = highest_[static_cast<ShardNumber>(item.key.order.shard())];
    if (term_of(item.new_fence) < highest) continue;
    highest = term_of(item.new_fence);
    if (held.is_fenced && !take_back(held)) continue;
    held.fence = item.new_fence;
    held.link = index;
    tell(FactKind::kRegranted, held.key, held.fence);
    if (held.state != Held::State::kEnded) continue;
    held.result.fence = item.new_fence;
    held.patience = kResendFirst;
    set_due(held, now_);
  }
}

void WorkerCore::on_message(LinkIndex index, wire::Revokes& message) {
  for (const wire::Revoked& item : message.items) {
    const auto found = by_key_.find(item.key);
    if (found != by_key_.end() && held_[found->second].fence <= item.fence) {
      revoke(found->second, item.reason);
    } else if (find(item.key, item.fence) == nullptr) {
      // It is not here (the offer was lost, or it ended long ago): its slot is free, and the broker
      // must know.
      wire::Results gone;
      gone.items.push_back({.key = item.key,
                            .fence = item.fence,
                            .outcome = static_cast<std::uint8_t>(Outcome::kUnknown)});
      send_results(index, std::move(gone));
    }
  }
}

/// Whether an offer must not be taken: it is stale, known, or more than was asked for.
bool WorkerCore::refuses(LinkIndex link, const wire::Offer& offer) {
  const auto shard = static_cast<ShardNumber>(offer.key.order.shard());
  Fence& highest = highest_[shard];
  if (term_of(offer.fence) < highest) {
    tell(FactKind::kOfferRefused, offer.key, offer.fence);
    return true;
  }
  highest = term_of(offer.fence);
  const auto found = by_key_.find(offer.key);
  if (found != by_key_.end() && offer.fence <= held_[found->second].fence) {
    const bool is_same = offer.fence == held_[found->second].fence;
    tell(is_same ? FactKind::kOfferRepeated : FactKind::kOfferRefused, offer.key, offer.fence);
    return true;
  }
  const Seen* const seen = last_seen(offer.key);
  if (seen != nullptr && offer.fence <= seen->fence) {
    tell(FactKind::kOfferRepeated, offer.key, offer.fence);
    return true;
  }
  const std::size_t most =
      kCreditFactor * (std::size_t{settings_.slots} + settings_.take_ahead) + limits::kFrameOffers;
  const std::size_t all = held_.size() - free_.size();
  if (open_ < most && all < kMostKept) return false;
  --links_[link]
        .received;  // not taken: the broker will see that it is missing and ask what is held
  tell(FactKind::kOverCredit, offer.key, offer.fence);
  return true;
}

void WorkerCore::take(LinkIndex link, wire::Offer& offer) {
  if (refuses(link, offer)) return;
  if (is_draining_) {
    tell(FactKind::kHandedBack, offer.key, offer.fence);
    returns_[link].push_back({offer.key, offer.fence, false});
    return;
  }
  // A newer attempt of what runs here: the broker gave the older one up.
  const auto found = by_key_.find(offer.key);
  if (found != by_key_.end()) revoke(found->second, "superseded");

  const std::uint32_t place = place_for(offer.key);
  Held& held = held_[place];
  held.link = link;
  held.fence = offer.fence;
  const auto timeout = offer.timeout_ms == 0
                           ? std::chrono::duration_cast<Millis>(limits::kStepTimeoutMax)
                           : bounded(offer.timeout_ms, limits::kStepTimeoutMax);
  held.timeout_at = now_ + timeout;
  set_due(held, held.timeout_at);
  StartRun start;
  start.run = run_of(place, held.generation);
  start.timeout_at = held.timeout_at;
  if (offer.deadline_ms != 0) {
    start.order_ends = now_ + bounded(offer.deadline_ms, limits::kDeadlineMax);
  }
  start.offer = std::move(offer);
  out_->starts.push_back(std::move(start));
}

void WorkerCore::end(RunEnded& ended) {
  Held* const held = find(ended.run);
  if (held == nullptr || held->state != Held::State::kOpen) return;
  const std::uint32_t place = place_of(ended.run);
  if (held->is_hung) {
    held->is_hung = false;
    --hung_;
  }
  if (ended.has_begun) return keep_result(place, ended.ending);
  if (!held->is_fenced && is_draining_) return hand_back(place);
  // It stood in the line until its timeout: that is a failed attempt like any other. Of a revoked
  // one the broker only needs to hear that its place is free.
  Ending late;
  late.outcome = held->is_fenced ? Outcome::kUnknown : Outcome::kTransient;
  late.error = "not begun within its timeout: every slot of the worker was taken";
  keep_result(place, late);
}

void WorkerCore::keep_result(std::uint32_t place, Ending& ending) {
  Held& held = held_[place];
  held.state = Held::State::kEnded;
  held.has_news = false;
  --open_;
  if (!held.is_fenced) ++ended_;
  wire::TaskResult& result = held.result;
  result.key = held.key;
  result.fence = held.fence;
  result.outcome = static_cast<std::uint8_t>(ending.outcome);
  result.result = std::move(ending.result);
  result.context = std::move(ending.context);
  result.error = clean_text(ending.error, limits::kTextBytes);
  result.reason = clean_text(ending.reason, limits::kTextBytes);
  result.delay_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(ending.delay.count(), 0));
  held.patience = kResendFirst;
  held.sends = 0;
  ring(place);
}

/// Gives a task back that was not begun.
void WorkerCore::hand_back(std::uint32_t place) {
  const Held& held = held_[place];
  tell(FactKind::kHandedBack, held.key, held.fence);
  returns_[held.link].push_back({held.key, held.fence, false});
  release(place);
}

/// The task is no longer ours. Its run keeps its slot until the handler returns, and a late result
/// is sent as evidence.
void WorkerCore::revoke(std::uint32_t place, const std::string& reason) {
  Held& held = held_[place];
  tell(FactKind::kRevoked, held.key, held.fence, reason);
  by_key_.erase(held.key);
  remember(held);
  held.is_fenced = true;
  held.has_news = false;
  ++fenced_;
  if (held.state == Held::State::kEnded) {
    --ended_;
    return;
  }
  if (!held.is_cancelled) out_->cancels.push_back({run_of(place, held.generation), reason});
  held.is_cancelled = true;
}

/// A revoked task that its broker, or the next one, gives to this worker after all.
bool WorkerCore::take_back(Held& held) {
  const auto place = static_cast<std::uint32_t>(&held - held_.data());
  if (!by_key_.try_emplace(held.key, place).second) return false;  // a newer attempt is here
  held.is_fenced = false;
  --fenced_;
  if (held.state == Held::State::kEnded) ++ended_;
  return true;
}

/// Where a result goes: to the broker that gave the task out. Where that is away, or has had it and
/// says nothing, another one may own the shard by now; who does not own it ignores it.
LinkIndex WorkerCore::way_of(const Held& held) const {
  const bool is_up = links_[held.link].state == Link::State::kWelcome;
  if (is_up && (held.sends == 0 || held.sends % kSendsPerLink != 0)) return held.link;
  for (std::size_t i = 1; i < links_.size(); ++i) {
    const auto next = static_cast<LinkIndex>((held.link + i) % links_.size());
    if (links_[next].state == Link::State::kWelcome) return next;
  }
  return held.link;
}

/// The timer of a held task: a timeout, a look for hung handlers, or a result to send (again).
void WorkerCore::ring(std::uint32_t place) {
  Held& held = held_[place];
  if (held.state == Held::State::kOpen) {
    const Steady hung_at = held.timeout_at + settings_.hang_grace;
    if (now_ < hung_at) {
      if (!held.is_cancelled) {
        held.is_cancelled = true;
        tell(FactKind::kTimedOut, held.key, held.fence);
        out_->cancels.push_back({run_of(place, held.generation), "timeout"});
      }
      return set_due(held, hung_at);
    }
    out_->look = out_->look || !held.is_hung;
    return set_due(held, held.is_hung ? Steady::max() : now_ + kLookAgain);
  }
  if (const LinkIndex way = way_of(held); way != held.link) {
    held.link = way;
    held.patience = kResendFirst;
  }
  const Link& link = links_[held.link];
  const bool is_welcome = link.state == Link::State::kWelcome;
  if (is_welcome && now_ < link.settled_at) return set_due(held, link.settled_at);
  if (held.is_fenced && held.sends >= kLateSends) return release(place);
  // Ours waits for the next welcome; a late one gives up in the end.
  if (!is_welcome && !held.is_fenced) return set_due(held, Steady::max());
  if (is_welcome && !held.is_leaving) {
    held.is_leaving = true;
    to_send_.push_back(place);
  }
  held.sends = static_cast<std::uint8_t>(std::min(held.sends + 1, kMostSends));
  if (held.sends > 1) tell(FactKind::kResultRepeated, held.key, held.fence);
  set_due(held, now_ + held.patience);
  held.patience = std::min(2 * held.patience, kResendCap);
}

void WorkerCore::ring_all() {
  if (held_.size() > kMany) scan_at_ = now_ + kScanPause;
  due_ = Steady::max();
  for (std::uint32_t place = 0; place < held_.size(); ++place) {
    Held& held = held_[place];
    if (held.state == Held::State::kFree) continue;
    if (held.due <= now_) ring(place);
    if (held.state != Held::State::kFree) due_ = std::min(due_, held.due);
  }
}

}  // namespace ordo::worker
