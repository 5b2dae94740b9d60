// A worker's sessions with brokers: dialling, hellos, beats, silence, and the frames of results.
#include "worker/core/worker_core.hpp"

#include <algorithm>
#include <utility>

#include "worker/core/worker_core_parts.hpp"

namespace ordo::worker {
namespace {

/// A connection that does not come about is made anew after this: names may resolve differently by
/// then.
constexpr Millis kDialPatience{10'000};
/// Without a welcome the hello is said again; a lost one must not cost a whole silence.
constexpr Millis kHelloPatience{1'000};
/// Results of tasks in the inventory wait this long for the new fences that a restarted broker
/// gives out: sent under the old ones they would be refused.
constexpr Millis kSettle{250};

std::size_t weight_of(const wire::TaskResult& result) {
  constexpr std::size_t kFixed = 96;  // key, fence, headers
  return kFixed + result.result.size() + result.context.size() + result.error.size() +
         result.reason.size();
}

}  // namespace

template <class Other> void WorkerCore::on_message(LinkIndex, Other&) {
  tell(FactKind::kFrameIgnored);
}

void WorkerCore::on(const event::Connected& event) {
  if (event.link < links_.size()) greet(event.link);
}

void WorkerCore::on(const event::Disconnected& event) {
  if (event.link >= links_.size()) return;
  Link& link = links_[event.link];
  link.state = Link::State::kDialling;
  link.give_up_at = now_ + kDialPatience;
  if (!event.why_not.empty()) tell(FactKind::kFrameRefused, {}, {}, event.why_not);
}

void WorkerCore::on(event::Received& event) {
  if (event.link >= links_.size()) return;
  links_[event.link].heard_at = now_;
  std::visit([&](auto& message) { on_message(event.link, message); }, event.message);
}

void WorkerCore::on_message(LinkIndex index, wire::Welcome& message) {
  if (message.session != settings_.session) return tell(FactKind::kFrameIgnored);
  Link& link = links_[index];
  if (link.state == Link::State::kDialling) return;
  // Also the second of two: a broker that stalled takes each of the hellos that crossed it, begins
  // to count anew at each, and counts what it offered in between as lost.
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
  // One restart answers every frame that was under way with a SayHello: one hello is enough for all
  // of them.
  const bool has_just_greeted =
      link.state == Link::State::kGreeting && now_ < link.greeted_at + kHelloPatience / 2;
  if (!has_just_greeted) greet(index);
}

void WorkerCore::on_message(LinkIndex index, wire::Beat& message) {
  Link& link = links_[index];
  if (message.received > link.confirmed || message.received >= link.sent) link.confirmed_at = now_;
  link.confirmed = message.received;
}

void WorkerCore::on_message(LinkIndex, wire::Refusal& message) {
  tell(FactKind::kFrameRefused, {}, {}, message.reason + ": " + message.message);
}

void WorkerCore::dial(LinkIndex index) {
  Link& link = links_[index];
  link.state = Link::State::kDialling;
  link.give_up_at = now_ + kDialPatience;
  out_->connects.push_back(index);
}

/// What one broker may have here at a time. Constant: a new hello in the middle of work would miss
/// the offers that are under way, and the broker would give them to somebody else.
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
  list_held(hello.held);
  out_->sends.push_back({index, std::move(hello)});
}

/// The inventory. Revoked tasks too: they keep their slots, and a broker that died may not have
/// written what it said. What has not ended comes first; of the results those that fit, the rest
/// are sent after the welcome anyway.
void WorkerCore::list_held(std::vector<wire::HeldTask>& list) const {
  for (const Held& held : held_) {
    if (held.state == Held::State::kOpen) list.push_back({held.key, held.fence, false});
  }
  for (const Held& held : held_) {
    if (list.size() >= limits::kFrameHeld) return;
    if (held.state == Held::State::kEnded) list.push_back({held.key, held.fence, true});
  }
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
    case Link::State::kGreeting: return std::min(link.give_up_at, link.greeted_at + kHelloPatience);
    case Link::State::kWelcome: return std::min(link.beat_at, link.heard_at + link.silence);
  }
  return Steady::max();
}

/// Does what is due on a link.
void WorkerCore::tend(LinkIndex index) {
  Link& link = links_[index];
  if (now_ < deadline_of(link)) return;
  const bool is_silent = link.state == Link::State::kWelcome ? now_ >= link.heard_at + link.silence
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

void WorkerCore::send_results(LinkIndex index, wire::Results results) {
  Link& link = links_[index];
  if (link.sent <= link.confirmed) link.confirmed_at = now_;
  link.sent += results.items.size();
  out_->sends.push_back({index, std::move(results)});
}

}  // namespace ordo::worker
