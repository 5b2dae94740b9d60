#include "worker/core/worker_core.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.hpp"

namespace ordo::worker {
namespace {

/// A connection that does not come about is made anew after this: names may resolve differently by then.
constexpr Millis kDialPatience{10'000};
/// Without a welcome the hello is said again; a lost one must not cost a whole silence.
constexpr Millis kHelloPatience{1'000};
/// Results of tasks in the inventory wait this long for the new fences that a restarted broker gives out: sent under
/// the old ones they would be refused.
constexpr Millis kSettle{250};
/// Until a result is sent again, doubled each time up to the cap: a commit takes milliseconds, so two seconds of
/// silence mean that a frame was lost.
constexpr Millis kResendFirst{2'000};
constexpr Millis kResendCap{10'000};
/// A late result is evidence, not work: after this many sends it is let go.
constexpr std::uint8_t kLateSends = 4;
/// How long what is left may still finish after it was told to stop, at the end of a drain.
constexpr Millis kLastWord{1'000};
/// With every slot hung only results can still leave.
constexpr Millis kHungDrain{3'000};
/// How often hung handlers are looked for once one may be.
constexpr Millis kLookAgain{1'000};
/// A broker that offers twice what it may (plus a frame in flight) is ignored past that.
constexpr std::size_t kCreditFactor = 2;

Millis bounded(std::uint64_t ms, std::chrono::milliseconds most) {
  return Millis{static_cast<std::int64_t>(
      std::min(ms, static_cast<std::uint64_t>(most.count())))};
}

std::string clipped(std::string text) {
  if (text.size() <= limits::kTextBytes) return text;
  std::size_t end = limits::kTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a character
  text.resize(end);
  return text;
}

std::uint32_t place_of(RunId run) { return static_cast<std::uint32_t>(run); }
RunId run_of(std::uint32_t place, std::uint32_t generation) {
  return (RunId{generation} << 32) | place;
}

Fence term_of(const Fence& fence) { return {fence.timeline, fence.epoch, 0}; }

std::size_t weight_of(const wire::TaskResult& result) {
  constexpr std::size_t kFixed = 96;  // key, fence, headers
  return kFixed + result.result.size() + result.context.size() + result.error.size() +
         result.reason.size();
}

}  // namespace

WorkerCore::WorkerCore(Settings settings) : settings_(std::move(settings)) {
  ORDO_CHECK(settings_.links >= 1 && settings_.slots >= 1);
  const std::size_t capacity = std::size_t{settings_.slots} + settings_.take_ahead;
  ORDO_CHECK(capacity <= limits::kWorkerSlots, capacity);
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
  if (now_ >= due_) ring_all();
  for (LinkIndex link = 0; link < links_.size(); ++link) tend(link);
  flush();
  check_drained();
}

std::optional<Steady> WorkerCore::next_deadline() const {
  if (has_left_) return std::nullopt;
  Steady earliest = std::min({due_, last_word_at_, drained_at_});
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

// ---- events ------------------------------------------------------------------------------------

void WorkerCore::on(const event::Connected& event) {
  if (event.link < links_.size()) greet(event.link);
}

void WorkerCore::on(const event::Disconnected& event) {
  if (event.link >= links_.size()) return;
  Link& link = links_[event.link];
  link.state = Link::State::kDialling;
  link.give_up_at = now_ + kDialPatience;
}

void WorkerCore::on(event::Received& event) {
  if (event.link >= links_.size()) return;
  links_[event.link].heard_at = now_;
  std::visit([&](auto& message) { on_message(event.link, message); }, event.message);
}

void WorkerCore::on(event::Ended& event) {
  for (RunEnded& ended : event.runs) end(ended);
}

void WorkerCore::on(event::Noted& event) {
  for (RunNote& note : event.notes) {
    Held* const held = find(note.run);
    if (held == nullptr || held->is_fenced) continue;
    held->note = clipped(std::move(note.note));
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

// ---- messages ----------------------------------------------------------------------------------

void WorkerCore::on_message(LinkIndex index, wire::Welcome& message) {
  if (message.session != settings_.session) return tell(FactKind::kFrameIgnored);
  Link& link = links_[index];
  if (link.state != Link::State::kGreeting) return;
  link.state = Link::State::kWelcome;
  link.beat = std::max(bounded(message.beat_ms, Millis{60'000}), Millis{10});
  link.silence = std::max(bounded(message.silence_ms, Millis{600'000}), 2 * link.beat);
  link.beat_at = now_ + link.beat;
  link.received = 0;
  link.confirmed = 0;
  link.confirmed_at = now_;
  link.settled_at = by_key_.empty() ? now_ : now_ + kSettle;
  tell(FactKind::kWelcomed, {}, {}, message.broker);
  if (is_draining_) out_->sends.push_back({index, wire::Drain{}});
  for (std::uint32_t place = 0; place < held_.size(); ++place) {
    Held& held = held_[place];
    if (held.state != Held::State::kEnded || held.link != index) continue;
    held.patience = kResendFirst;
    set_due(held, link.settled_at);
  }
}

void WorkerCore::on_message(LinkIndex index, wire::SayHello&) {
  const Link& link = links_[index];
  // One restart answers every frame that was under way with a SayHello: one hello is enough for all of them.
  const bool has_just_greeted =
      link.state == Link::State::kGreeting && now_ < link.greeted_at + kHelloPatience / 2;
  if (!has_just_greeted) greet(index);
}

void WorkerCore::on_message(LinkIndex index, wire::Beat& message) {
  Link& link = links_[index];
  if (message.received > link.confirmed || message.received >= link.sent) link.confirmed_at = now_;
  link.confirmed = message.received;
}

void WorkerCore::on_message(LinkIndex index, wire::Offers& message) {
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

void WorkerCore::on_message(LinkIndex, wire::Revokes& message) {
  for (const wire::Revoked& item : message.items) {
    const auto found = by_key_.find(item.key);
    if (found == by_key_.end() || item.fence < held_[found->second].fence) continue;
    revoke(found->second, item.reason);
  }
}

void WorkerCore::on_message(LinkIndex, wire::Refusal& message) {
  tell(FactKind::kFrameRefused, {}, {}, message.reason + ": " + message.message);
}

template <class Other>
void WorkerCore::on_message(LinkIndex, Other&) {
  tell(FactKind::kFrameIgnored);
}

// ---- links -------------------------------------------------------------------------------------

void WorkerCore::dial(LinkIndex index) {
  Link& link = links_[index];
  link.state = Link::State::kDialling;
  link.give_up_at = now_ + kDialPatience;
  out_->connects.push_back(index);
}

/// What one broker may have here at a time. Constant: a new hello in the middle of work would miss the offers that
/// are under way, and the broker would give them to somebody else.
std::uint32_t WorkerCore::share() const {
  const std::size_t all = std::size_t{settings_.slots} + settings_.take_ahead;
  return static_cast<std::uint32_t>((all + links_.size() - 1) / links_.size());
}

void WorkerCore::greet(LinkIndex index) {
  Link& link = links_[index];
  if (link.state != Link::State::kGreeting) link.give_up_at = now_ + link.silence;
  link.state = Link::State::kGreeting;
  link.greeted_at = now_;
  link.heard_at = now_;
  link.sent = 0;
  wire::WorkerHello hello;
  hello.session = settings_.session;
  hello.name = settings_.name;
  hello.version = settings_.version;
  hello.queues = settings_.queues;
  hello.slots = share();
  for (const Held& held : held_) {
    // Revoked ones too: they keep their slots, and a broker that died may not have written what it said.
    if (held.state == Held::State::kFree) continue;
    hello.held.push_back({held.key, held.fence, held.state == Held::State::kEnded});
  }
  out_->sends.push_back({index, std::move(hello)});
}

void WorkerCore::beat(LinkIndex index) {
  Link& link = links_[index];
  link.beat_at = now_ + link.beat;
  wire::Beat message;
  message.sent = link.sent;
  message.received = link.received;
  std::size_t bytes = 0;
  for (Held& held : held_) {
    if (!held.has_news || held.link != index) continue;
    if (bytes > limits::kFrameTargetBytes || message.progress.size() >= limits::kFrameItems) break;
    held.has_news = false;
    bytes += held.note.size();
    message.progress.push_back({held.key, held.fence, held.note});
  }
  out_->sends.push_back({index, std::move(message)});
}

Steady WorkerCore::deadline_of(const Link& link) const {
  switch (link.state) {
    case Link::State::kDialling: return link.give_up_at;
    case Link::State::kGreeting:
      return std::min(link.give_up_at, link.greeted_at + kHelloPatience);
    case Link::State::kWelcome: return std::min(link.beat_at, link.heard_at + link.silence);
  }
  return Steady::max();
}

/// Does what is due on a link.
void WorkerCore::tend(LinkIndex index) {
  Link& link = links_[index];
  if (now_ < deadline_of(link)) return;
  const bool is_silent =
      link.state == Link::State::kWelcome ? now_ >= link.heard_at + link.silence
                                          : now_ >= link.give_up_at;
  // A broker that beats but does not get what is sent is as good as silent.
  const bool is_deaf = link.state == Link::State::kWelcome && link.confirmed < link.sent &&
                       now_ >= link.confirmed_at + link.silence + link.beat;
  if (is_silent || is_deaf) {
    tell(FactKind::kReconnecting, {}, {}, is_deaf ? "deaf" : "silent");
    return dial(index);
  }
  if (link.state == Link::State::kGreeting) return greet(index);
  beat(index);
}

// ---- tasks -------------------------------------------------------------------------------------

/// Whether an offer must not be taken: it is stale, known, or more than was asked for.
bool WorkerCore::refuses(const wire::Offer& offer) {
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
  const Seen& seen = finished_[std::hash<TaskKey>{}(offer.key) & (finished_.size() - 1)];
  if (seen.key == offer.key && offer.fence <= seen.fence) {
    tell(FactKind::kOfferRepeated, offer.key, offer.fence);
    return true;
  }
  const std::size_t most =
      kCreditFactor * (std::size_t{settings_.slots} + settings_.take_ahead) + limits::kFrameOffers;
  if (held_.size() - free_.size() < most) return false;
  tell(FactKind::kOverCredit, offer.key, offer.fence);
  return true;
}

void WorkerCore::take(LinkIndex link, wire::Offer& offer) {
  if (refuses(offer)) return;
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
  // It stood in the line until its timeout: that is a failed attempt like any other. Of a revoked one the broker
  // only needs to hear that its place is free.
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
  result.error = clipped(std::move(ending.error));
  result.reason = clipped(std::move(ending.reason));
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

/// The task is no longer ours. Its run keeps its slot until the handler returns, and a late result is sent as
/// evidence.
void WorkerCore::revoke(std::uint32_t place, const std::string& reason) {
  Held& held = held_[place];
  tell(FactKind::kRevoked, held.key, held.fence, reason);
  by_key_.erase(held.key);
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
  held.sends = static_cast<std::uint8_t>(std::min(held.sends + 1, 255));
  if (held.sends > 1) tell(FactKind::kResultRepeated, held.key, held.fence);
  set_due(held, now_ + held.patience);
  held.patience = std::min(2 * held.patience, kResendCap);
}

void WorkerCore::ring_all() {
  due_ = Steady::max();
  for (std::uint32_t place = 0; place < held_.size(); ++place) {
    Held& held = held_[place];
    if (held.state == Held::State::kFree) continue;
    if (held.due <= now_) ring(place);
    if (held.state != Held::State::kFree) due_ = std::min(due_, held.due);
  }
}

/// Sends what this step decided to send, in as few frames as the bounds allow.
void WorkerCore::flush() {
  for (LinkIndex link = 0; link < links_.size(); ++link) {
    if (!returns_[link].empty()) {
      if (links_[link].state == Link::State::kWelcome) {
        out_->sends.push_back({link, wire::Drain{std::move(returns_[link])}});
      }
      returns_[link].clear();
    }
    wire::Results results;
    std::size_t bytes = 0;
    for (const std::uint32_t place : to_send_) {
      Held& held = held_[place];
      if (!held.is_leaving || held.link != link) continue;
      held.is_leaving = false;
      bytes += weight_of(held.result);
      results.items.push_back(held.result);
      if (bytes < limits::kFrameTargetBytes && results.items.size() < limits::kFrameItems) continue;
      send_results(link, std::exchange(results, {}));
      bytes = 0;
    }
    if (!results.items.empty()) send_results(link, std::move(results));
  }
  to_send_.clear();
}

// ---- leaving -----------------------------------------------------------------------------------

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
    if (links_[link].state != Link::State::kWelcome) continue;
    out_->sends.push_back({link, wire::Goodbye{exit_code_ == kExitHung ? "hung" : "drained"}});
  }
  tell(FactKind::kLeft);
  out_->exit = exit_code_;
}

// ---- places ------------------------------------------------------------------------------------

std::uint32_t WorkerCore::place_for(const TaskKey& key) {
  std::uint32_t place = 0;
  if (free_.empty()) {
    place = static_cast<std::uint32_t>(held_.size());
    held_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  Held& held = held_[place];
  held.state = Held::State::kOpen;
  held.key = key;
  by_key_[key] = place;
  ++open_;
  return place;
}

void WorkerCore::release(std::uint32_t place) {
  Held& held = held_[place];
  ORDO_CHECK(held.state != Held::State::kFree, place);
  if (held.state == Held::State::kOpen) --open_;
  if (held.is_fenced) {
    --fenced_;
  } else {
    by_key_.erase(held.key);
    if (held.state == Held::State::kEnded) --ended_;
  }
  Seen& seen = finished_[std::hash<TaskKey>{}(held.key) & (finished_.size() - 1)];
  seen.key = held.key;
  seen.fence = held.fence;
  const std::uint32_t generation = held.generation + 1;
  held = Held{};
  held.generation = generation;
  free_.push_back(place);
}

WorkerCore::Held* WorkerCore::find(RunId run) {
  const std::uint32_t place = place_of(run);
  if (place >= held_.size()) return nullptr;
  Held& held = held_[place];
  const bool is_it = held.state != Held::State::kFree && run == run_of(place, held.generation);
  return is_it ? &held : nullptr;
}

WorkerCore::Held* WorkerCore::find(const TaskKey& key, const Fence& fence) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end() && held_[found->second].fence == fence) return &held_[found->second];
  if (fenced_ == 0) return nullptr;
  for (Held& held : held_) {
    const bool is_late = held.state != Held::State::kFree && held.is_fenced;
    if (is_late && held.key == key && held.fence == fence) return &held;
  }
  return nullptr;
}

void WorkerCore::set_due(Held& held, Steady due) {
  held.due = due;
  due_ = std::min(due_, due);
}

void WorkerCore::send_results(LinkIndex index, wire::Results results) {
  Link& link = links_[index];
  if (link.sent <= link.confirmed) link.confirmed_at = now_;
  link.sent += results.items.size();
  out_->sends.push_back({index, std::move(results)});
}

void WorkerCore::tell(FactKind kind, const TaskKey& key, const Fence& fence, std::string text) {
  out_->facts.push_back({kind, key, fence, std::move(text)});
}

}  // namespace ordo::worker
