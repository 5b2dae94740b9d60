#include "client/core/client_core.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "schema/codec.hpp"

namespace ordo::client {
namespace {

/// Backoff of temporary refusals: short enough for a hiccup, and bounded so that a recovery is
/// noticed.
constexpr Micros kBackoffFirst{10'000};
constexpr Micros kBackoffCap{1'000'000};
constexpr std::uint32_t kBackoffDoublings = 10;

Micros backoff(std::uint32_t tries, Micros asked, Random& chance) {
  const Micros grown = kBackoffFirst * (1LL << std::min(tries, kBackoffDoublings));
  const double base = static_cast<double>(std::min(grown, kBackoffCap).count());
  const double own = base * (0.5 + 0.5 * chance.unit());
  // Asked waits are stretched, never cut: everybody who was told "100 ms" must not come back at
  // once.
  const double polite = static_cast<double>(asked.count()) * (1.0 + 0.5 * chance.unit());
  return Micros{static_cast<std::int64_t>(std::max(own, polite))};
}

bool is_temporary(Code code) {
  return code == Code::kBusy || code == Code::kUnavailable || code == Code::kNotOwner ||
         code == Code::kUnknown;
}

bool is_standing(const Request& request) {
  return std::holds_alternative<wire::Wait>(request) ||
         std::holds_alternative<wire::Watch>(request);
}

bool is_doubtful(const Pending& pending) { return pending.was_doubtful || pending.unanswered > 0; }

std::string about(const Pending& pending) {
  const OrderId* id = order_of(pending.request);
  if (id == nullptr || id->is_zero()) return "it";
  return "order " + id->to_string();
}

void explain_clock(Error& error) {
  if (error.reason != "id_time") return;
  error.message +=
      "; ids carry the time of the machine that draws them: set this machine's clock (NTP), and "
      "draw ids shortly before they are submitted";
}

}  // namespace

void Effects::clear() {
  opens.clear();
  resets.clear();
  sends.clear();
  dones.clear();
  pages.clear();
  facts.clear();
}

ClientCore::ClientCore(CoreOptions options) : options_(std::move(options)), chance_(options_.seed) {
  ORDO_CHECK(!options_.endpoints.empty());
  for (const std::string& endpoint : options_.endpoints) (void)link_of(endpoint);
}

void ClientCore::step(Times now, Event&& event, Effects& effects) {
  now_ = now.steady;
  if (auto* ask = std::get_if<Ask>(&event)) {
    on_ask(now, std::move(*ask), effects);
  } else if (auto* received = std::get_if<Received>(&event)) {
    on_received(now, std::move(*received), effects);
  } else if (const auto* forget = std::get_if<Forget>(&event)) {
    on_forget(forget->token, effects);
  } else if (const auto* up = std::get_if<LinkUp>(&event)) {
    on_link_up(now, up->link, effects);
  } else if (const auto* down = std::get_if<LinkDown>(&event)) {
    lose(down->link, "the connection broke", effects);
    if (!down->why_not.empty() && down->link < links_.size()) {
      links_[down->link].problem = down->why_not;
    }
  } else if (const auto* garbled = std::get_if<Garbled>(&event)) {
    greet_again(now, garbled->link, garbled->error.message, effects);
  } else if (std::holds_alternative<Close>(event)) {
    on_close(effects);
  } else {
    keep_links(now, effects);
    run_timers(now, effects);
    route_all(now, effects);
    for (LinkIndex link = 0; link < links_.size(); ++link) flush(link, effects);
  }
}

Steady ClientCore::next_deadline() const {
  if (opened_ < links_.size()) return Steady::min();
  if (ready_links_ > 0 && !queued_.empty()) return Steady::min();
  Steady next = timers_.next();
  for (const Link& link : links_) {
    const bool waits =
        link.state == Link::State::kReady && (!link.outbox.empty() || !link.asides.empty());
    next = std::min(next, waits ? Steady::min() : link.next_deadline());
  }
  return next;
}

// ---- callers -----------------------------------------------------------------------------------

void ClientCore::on_ask(Times now, Ask&& ask, Effects& effects) {
  const OrderId* id = order_of(ask.request);
  const OrderId named = id == nullptr ? OrderId{} : *id;
  const bool is_submit = std::holds_alternative<wire::OrderRequest>(ask.request);
  if (is_submit) ++stats_.submitted;
  if (auto error = check_bounds(ask.request)) {
    if (is_submit) ++stats_.rejected[static_cast<std::size_t>(error->code)];
    effects.dones.push_back({ask.token, named, std::move(error), false, {}});
    return;
  }
  const std::size_t bytes = bytes_of(ask.request);
  if (requests_.size() >= options_.max_in_flight || bytes_ + bytes > options_.max_bytes) {
    if (is_submit) ++stats_.rejected[static_cast<std::size_t>(Code::kBusy)];
    Error full{Code::kBusy, "client_full",
               std::to_string(requests_.size()) + " requests with " + std::to_string(bytes_) +
                   " bytes are in flight, which is this client's bound: wait for answers",
               std::chrono::milliseconds{5}};
    effects.dones.push_back({ask.token, named, std::move(full), false, {}});
    return;
  }
  Pending& pending = requests_.add();
  pending.token = ask.token;
  pending.request = std::move(ask.request);
  pending.asked = now.steady;
  pending.deadline = std::max(ask.deadline, now.steady);
  pending.retries_busy = ask.retries_busy;
  pending.bytes = bytes;
  bytes_ += bytes;
  queue(pending);
  // One timer serves for most requests' whole life: it looks at them when they should be long
  // answered.
  pending.armed = std::min(pending.deadline, now.steady + options_.resend_after);
  timers_.arm(pending.number, pending.armed);
}

void ClientCore::on_forget(Token token, Effects& effects) {
  for (const std::uint64_t number : requests_.all()) {
    Pending* pending = requests_.find(number);
    if (pending->token != token) continue;
    say_unwait(*pending);
    finish(*pending, Error{Code::kUnavailable, "forgotten", "the caller took it back", {}}, {},
           effects);
    return;
  }
}

void ClientCore::on_close(Effects& effects) {
  for (const std::uint64_t number : requests_.all()) {
    Pending* pending = requests_.find(number);
    Error error = expired(*pending);
    error.reason = "closed";
    error.message = "the client was closed; " + error.message;
    finish(*pending, std::move(error), {}, effects);
  }
}

// ---- answers -----------------------------------------------------------------------------------

void ClientCore::on_answer(Times now, wire::Answer&& answer, Effects& effects) {
  Pending* pending = requests_.find(answer.request);
  if (pending == nullptr) {
    ++stats_.late;
    effects.facts.push_back({Fact::Kind::kLateAnswer, kNoLink, 1, {}});
    return;
  }
  if (answer.code != 0) {
    on_refused(now, *pending, answer, effects);
  } else if (std::holds_alternative<wire::Watch>(pending->request)) {
    on_page(now, *pending, std::move(answer), effects);
  } else {
    // Another broker than the map's has the shard: the next orders go there at once.
    const auto shard = pending->tries > 0 ? shard_of(pending->request) : std::nullopt;
    if (shard) shards_.move(*shard, pending->link);
    const bool was_known = answer.reason == "duplicate";
    count_ack(*pending, was_known);
    finish(*pending, std::nullopt, std::move(answer.body), effects);
    effects.dones.back().was_known = was_known;
  }
}

void ClientCore::on_page(Times now, Pending& pending, wire::Answer&& answer, Effects& effects) {
  auto page = wire::decode_body<wire::EventPage>(answer.body);
  if (!page) {
    finish(pending, std::move(page.error()), {}, effects);
    return;
  }
  auto& watch = std::get<wire::Watch>(pending.request);
  // A renewed watch overlaps with what was under way: what lies before the cursor was seen.
  std::erase_if(page->events,
                [&](const wire::EventView& event) { return event.seq <= watch.after_seq; });
  for (const wire::EventView& event : page->events) {
    watch.after_seq = std::max(watch.after_seq, event.seq);
  }
  pending.due = now.steady + options_.poll_every;
  const bool is_last = page->is_last;
  effects.pages.push_back({pending.token, std::move(*page)});
  if (is_last) finish(pending, std::nullopt, {}, effects);
}

void ClientCore::on_refused(Times now, Pending& pending, const wire::Answer& answer,
                            Effects& effects) {
  Error error = wire::to_error(answer);
  explain_clock(error);
  if (error.code == Code::kBusy) ++stats_.busy;
  if (!is_temporary(error.code)) {
    // A rejection speaks of what the tables say: an earlier attempt did not happen either.
    finish(pending, std::move(error), {}, effects);
    return;
  }
  const bool counts = pending.phase == Phase::kSent && is_latest(pending, answer.request);
  if (error.code == Code::kUnknown) pending.was_doubtful = true;
  // A late or doubled word on an attempt says nothing about the one that is under way.
  if (!counts) return;
  if (pending.unanswered > 0) --pending.unanswered;
  if (error.code == Code::kUnknown) {
    if (!is_repeatable(pending.request)) {
      finish(pending, std::move(error), {}, effects);
      return;
    }
  }
  if (error.code == Code::kBusy && !pending.retries_busy && !is_doubtful(pending)) {
    finish(pending, std::move(error), {}, effects);
    return;
  }
  if (error.code == Code::kNotOwner && !error.message.empty()) {
    pending.link = link_of(error.message);
  }
  rest(now, pending, std::move(error), effects);
}

void ClientCore::rest(Times now, Pending& pending, Error error, Effects& effects) {
  const Micros wait = backoff(pending.tries++, error.retry_after, chance_);
  pending.due = now.steady + wait;
  pending.last = std::move(error);
  if (pending.due >= pending.deadline && !is_doubtful(pending)) {
    finish(pending, std::move(pending.last), {}, effects);
    return;
  }
  pending.phase = Phase::kResting;
  arm(pending);
}

// ---- time --------------------------------------------------------------------------------------

void ClientCore::arm(Pending& pending) {
  Steady at = pending.deadline;
  if (pending.phase != Phase::kQueued) at = std::min(at, pending.due);
  if (pending.armed <= at) return;
  pending.armed = at;
  timers_.arm(pending.number, at);
}

void ClientCore::run_timers(Times now, Effects& effects) {
  due_.clear();
  timers_.collect(now.steady, due_);
  for (const std::uint64_t number : due_) {
    Pending* pending = requests_.find(number);
    if (pending != nullptr) look_at(now, *pending, effects);
  }
}

void ClientCore::look_at(Times now, Pending& pending, Effects& effects) {
  pending.armed = Steady::max();
  if (now.steady >= pending.deadline) {
    count_timeout(pending);
    say_unwait(pending);
    finish(pending, expired(pending), {}, effects);
    return;
  }
  if (pending.phase == Phase::kResting && now.steady >= pending.due) {
    queue(pending);
  } else if (pending.phase == Phase::kSent && now.steady >= pending.due) {
    if (is_repeatable(pending.request)) {
      say_unwait(pending);
      effects.facts.push_back({Fact::Kind::kResent, pending.link, 1, "no answer yet"});
      queue(pending);
    } else {
      pending.due = pending.deadline;
    }
  }
  arm(pending);
}

// ---- the life of a request ---------------------------------------------------------------------

void ClientCore::queue(Pending& pending) {
  pending.phase = Phase::kQueued;
  queued_.push_back(pending.number);
}

void ClientCore::finish(Pending& pending, std::optional<Error> error, std::string body,
                        Effects& effects) {
  const OrderId* id = order_of(pending.request);
  if (error && std::holds_alternative<wire::OrderRequest>(pending.request)) {
    ++stats_.rejected[static_cast<std::size_t>(error->code)];
  }
  effects.dones.push_back(
      {pending.token, id == nullptr ? OrderId{} : *id, std::move(error), false, std::move(body)});
  bytes_ -= pending.bytes;
  requests_.remove(pending);
}

Error ClientCore::expired(const Pending& pending) const {
  if (is_doubtful(pending) && has_effect(pending.request)) {
    std::string again = std::holds_alternative<wire::OrderRequest>(pending.request)
                            ? ": submit it again under the same id, which can never double it"
                            : ": look at its state before asking again";
    return {
        Code::kUnknown,
        "no_answer",
        "no answer came in time, so " + about(pending) + " may or may not have happened" + again,
        {}};
  }
  if (pending.last) return *pending.last;
  if (pending.phase == Phase::kSent || pending.unanswered > 0) {
    const bool waits = is_standing(pending.request);
    return {Code::kUnavailable,
            waits ? "wait_timeout" : "no_answer",
            waits ? about(pending) + " had not come that far within the given time"
                  : "the broker did not answer in time",
            {}};
  }
  std::string message = "no broker could be reached at";
  for (const Link& link : links_) {
    message += " " + link.endpoint;
    if (!link.problem.empty()) message += " (" + link.problem + ")";
  }
  return {Code::kUnavailable,
          "not_connected",
          message + "; nothing was sent. Is ordo-broker running there?",
          {}};
}

void ClientCore::say_unwait(const Pending& pending) {
  if (!is_standing(pending.request) || pending.phase != Phase::kSent) return;
  if (links_[pending.link].state != Link::State::kReady) return;
  std::visit(
      [&](const auto& asked) {
        links_[pending.link].asides.emplace_back(wire::Unwait{asked.request});
      },
      pending.request);
}

// ---- counting ----------------------------------------------------------------------------------

void ClientCore::count_ack(const Pending& pending, bool was_known) {
  if (!std::holds_alternative<wire::OrderRequest>(pending.request)) return;
  ++(was_known ? stats_.duplicate : stats_.accepted);
  const Micros took = now_ - pending.asked;
  const auto* const bound = std::lower_bound(kAckBounds.begin(), kAckBounds.end(), took.count());
  ++stats_.ack[static_cast<std::size_t>(bound - kAckBounds.begin())];
  stats_.ack_in_all += took;
}

void ClientCore::count_timeout(const Pending& pending) {
  if (std::holds_alternative<wire::OrderRequest>(pending.request)) {
    ++stats_.submit_timeouts;
  } else if (is_standing(pending.request)) {
    ++stats_.wait_timeouts;
  } else {
    ++stats_.call_timeouts;
  }
}

/// It is about to be sent, and was before. A wait that is renewed is neither refused nor in doubt.
void ClientCore::count_again(const Pending& pending) {
  if (pending.attempt == 0 || is_standing(pending.request)) return;
  ++(is_doubtful(pending) ? stats_.resent : stats_.retried);
}

}  // namespace ordo::client
