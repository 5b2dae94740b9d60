// The part of ClientCore that keeps links, finds the way for requests and puts them into frames.
#include <algorithm>
#include <utility>

#include "client/core/client_core.hpp"
#include "schema/limits.hpp"

namespace ordo::client {
namespace {

/// Endpoints a client ever learns of (its own, from welcomes and from not_owner): bounds what a
/// broker can make it dial.
constexpr std::size_t kLinks = 64;

/// The frame of a request that does not travel in batches.
wire::Message as_message(const Request& request) {
  return std::visit(
      [](const auto& asked) -> wire::Message {
        if constexpr (std::is_same_v<std::decay_t<decltype(asked)>, wire::OrderRequest>) {
          return wire::Submit{{asked}};
        } else {
          return asked;
        }
      },
      request);
}

}  // namespace

// ---- links -------------------------------------------------------------------------------------

LinkIndex ClientCore::link_of(const std::string& endpoint) {
  for (LinkIndex i = 0; i < links_.size(); ++i) {
    if (links_[i].endpoint == endpoint) return i;
  }
  if (links_.size() >= kLinks) return kNoLink;
  links_.emplace_back().endpoint = endpoint;
  return static_cast<LinkIndex>(links_.size() - 1);
}

void ClientCore::on_link_up(Times now, LinkIndex link, Effects& effects) {
  if (link >= links_.size()) return;
  lose(link, "it was dialed anew", effects);
  effects.sends.push_back({link, links_[link].greet(now, chance_, options_.name)});
}

void ClientCore::lose(LinkIndex link, std::string_view why, Effects& effects) {
  if (link >= links_.size()) return;
  const bool was_ready = links_[link].state == Link::State::kReady;
  links_[link].down();
  if (!was_ready) return;
  --ready_links_;
  ++stats_.lost;
  shards_.set_up(link, false);
  effects.facts.push_back({Fact::Kind::kLost, link, 0, std::string(why)});
  requeue(link, effects);
}

void ClientCore::greet_again(Times now, LinkIndex link, std::string_view why, Effects& effects) {
  if (link >= links_.size() || links_[link].state == Link::State::kDialing) return;
  lose(link, why, effects);
  effects.sends.push_back({link, links_[link].greet(now, chance_, options_.name)});
}

void ClientCore::requeue(LinkIndex link, Effects& effects) {
  std::uint64_t count = 0;
  for (const std::uint64_t number : requests_.all()) {
    Pending& pending = *requests_.find(number);
    if (pending.link != link || pending.phase != Phase::kSent) continue;
    if (pending.unanswered > 0 && !is_repeatable(pending.request)) {
      finish(pending, expired(pending), {}, effects);
      continue;
    }
    queue(pending);
    ++count;
  }
  if (count > 0) effects.facts.push_back({Fact::Kind::kResent, link, count, "the link was lost"});
}

void ClientCore::keep_links(Times now, Effects& effects) {
  for (; opened_ < links_.size(); ++opened_) {
    effects.opens.push_back({static_cast<LinkIndex>(opened_), links_[opened_].endpoint});
  }
  for (LinkIndex i = 0; i < links_.size(); ++i) {
    Link& link = links_[i];
    if (link.is_silent(now)) {
      if (link.problem.empty()) link.problem = "it is connected but does not answer";
      lose(i, "it fell silent", effects);
      link.down();
      effects.resets.push_back(i);
    } else if (link.repeats_hello(now)) {
      effects.sends.push_back({i, link.hello(options_.name)});
    } else if (auto beat = link.beat_if_due(now)) {
      effects.sends.push_back({i, std::move(*beat)});
    }
  }
}

// ---- what arrives ------------------------------------------------------------------------------

void ClientCore::on_received(Times now, Received&& received, Effects& effects) {
  const LinkIndex at = received.link;
  if (at >= links_.size() || links_[at].state == Link::State::kDialing) return;
  links_[at].heard(now);
  if (auto* answers = std::get_if<wire::Answers>(&received.message)) {
    links_[at].count_received(answers->items.size());
    for (wire::Answer& answer : answers->items) on_answer(now, std::move(answer), effects);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&received.message)) {
    if (welcome->session == links_[at].session) on_welcome(now, at, *welcome, effects);
  } else if (const auto* beat = std::get_if<wire::Beat>(&received.message)) {
    if (links_[at].state == Link::State::kReady && links_[at].has_lost_frames(*beat)) {
      greet_again(now, at, "frames were lost", effects);
    }
  } else if (std::holds_alternative<wire::SayHello>(received.message)) {
    // One hello is an answer to many reminders: while it is under way they say nothing new.
    if (links_[at].state == Link::State::kReady) {
      greet_again(now, at, "the broker does not know this session", effects);
    }
  } else if (const auto* refusal = std::get_if<wire::Refusal>(&received.message)) {
    links_[at].problem = refusal->reason + ": " + refusal->message;
    effects.facts.push_back({Fact::Kind::kRefused, at, 1, links_[at].problem});
  }
}

void ClientCore::on_welcome(Times now, LinkIndex link, const wire::Welcome& welcome,
                            Effects& effects) {
  if (links_[link].state == Link::State::kReady) return;  // the answer to a repeated hello
  links_[link].welcome(now, welcome);
  ++ready_links_;
  ++stats_.welcomes;
  effects.facts.push_back({Fact::Kind::kReady, link, 0, links_[link].endpoint});
  std::vector<ShardMap::Home> homes;
  for (const wire::ShardEntry& entry : welcome.shards) {
    const LinkIndex owner = entry.endpoint.empty() ? link : link_of(entry.endpoint);
    const bool is_there = owner != kNoLink && links_[owner].state == Link::State::kReady;
    if (entry.shard < limits::kShards && homes.size() < limits::kShards) {
      homes.push_back({entry.shard, entry.weight, owner, is_there});
    }
  }
  // A broker that names none (it has only just started) leaves what was known of it.
  if (homes.empty()) return shards_.set_up(link, true);
  shards_.merge(link, homes);
  shards_.set_up(link, true);
}

// ---- what leaves -------------------------------------------------------------------------------

void ClientCore::route_all(Times now, Effects& effects) {
  if (ready_links_ == 0 || queued_.empty()) return;
  for (const std::uint64_t number : std::exchange(queued_, {})) {
    Pending* pending = requests_.find(number);
    if (pending == nullptr || pending->phase != Phase::kQueued) continue;
    if (!give_id(now, *pending, effects)) continue;
    pending->link = route(*pending);
    pending->phase = Phase::kSent;
    pending->due = now.steady + (std::holds_alternative<wire::Wait>(pending->request) ||
                                         std::holds_alternative<wire::Watch>(pending->request)
                                     ? options_.poll_every
                                     : options_.resend_after);
    links_[pending->link].outbox.push_back(number);
  }
}

bool ClientCore::give_id(Times now, Pending& pending, Effects& effects) {
  auto* order = std::get_if<wire::OrderRequest>(&pending.request);
  if (order == nullptr || !order->id.is_zero()) return true;
  if (const auto id = draw_id(now.wall, order->key)) {
    order->id = *id;
    return true;
  }
  rest(now, pending,
       Error{Code::kUnavailable, "no_shard", "no shard takes new orders at the moment", {}},
       effects);
  return false;
}

LinkIndex ClientCore::route(const Pending& pending) const {
  const auto is_ready = [this](LinkIndex link) {
    return link < links_.size() && links_[link].state == Link::State::kReady;
  };
  const auto shard = shard_of(pending.request);
  if (shard) {
    // Who was named by not_owner knows better than the map.
    const bool was_turned_away = pending.last && (pending.last->code == Code::kNotOwner ||
                                                  pending.last->code == Code::kUnavailable);
    const bool was_sent_on =
        was_turned_away && !pending.last->message.empty() && pending.last->code == Code::kNotOwner;
    if (was_sent_on && is_ready(pending.link)) return pending.link;
    // A broker that waits for the shard does not know its owner: the next one may be it.
    if (was_turned_away && pending.link < links_.size()) return next_ready(pending.link);
    const ShardMap::Home* home = shards_.find(*shard);
    if (home != nullptr && is_ready(home->link)) return home->link;
  }
  // Any broker knows, or answers not_owner with the one that does.
  return next_ready(static_cast<LinkIndex>(links_.size() - 1));
}

LinkIndex ClientCore::next_ready(LinkIndex after) const {
  for (std::size_t i = 1; i <= links_.size(); ++i) {
    const auto link = static_cast<LinkIndex>((after + i) % links_.size());
    if (links_[link].state == Link::State::kReady) return link;
  }
  return kNoLink;
}

void ClientCore::flush(LinkIndex at, Effects& effects) {
  Link& link = links_[at];
  if (link.state != Link::State::kReady) return;
  const std::size_t target = std::min(limits::kFrameTargetBytes, link.frame_bytes);
  for (wire::Message& aside : std::exchange(link.asides, {})) {
    effects.sends.push_back({at, std::move(aside)});
    link.count_sent();
  }
  wire::Submit batch;
  std::size_t bytes = 0;
  const auto cut = [&] {
    if (batch.orders.empty()) return;
    effects.sends.push_back({at, std::exchange(batch, {})});
    bytes = 0;
  };
  for (const std::uint64_t number : link.outbox) {
    Pending* pending = requests_.find(number);
    if (pending == nullptr || pending->phase != Phase::kSent) continue;
    count_again(*pending);
    begin_attempt(*pending);
    pending->last.reset();
    link.count_sent();
    if (const auto* order = std::get_if<wire::OrderRequest>(&pending->request)) {
      if (batch.orders.size() >= limits::kFrameItems || bytes + pending->bytes > target) cut();
      batch.orders.push_back(*order);
      bytes += pending->bytes;
    } else {
      effects.sends.push_back({at, as_message(pending->request)});
    }
  }
  link.outbox.clear();
  cut();
}

}  // namespace ordo::client
