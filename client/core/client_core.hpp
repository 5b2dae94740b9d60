// The client's engine: everything between callers and brokers except sockets, clocks and threads.
//
// What it promises: each Ask is answered by exactly one Done, at the latest 16 ms after its
// deadline. Until then the same request (an order: under the same id) is sent again after a lost
// connection, a silence, `unknown`, `busy` and `unavailable`, with jittered backoff. `unknown` is
// answered only where an attempt may have happened; else the error says that nothing did.
//
// Shapes:  step(now, event, effects): feed events as they come, then Tick once; Tick is what sends.
//          Call Tick also when next_deadline() has come (it is Steady::min() while something waits
//          to be sent). Effects are appended and mean: opens and resets first, then sends in order
//          per link, then pages, then dones.
// Errors:  bytes from outside never trip a check; a frame the shell cannot decode is Garbled.
// Threads: one owner. The same seed and the same events give the same effects.
// Costs:   about half a microsecond a submit, its answer included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "client/core/link.hpp"
#include "client/core/requests.hpp"
#include "client/core/shard_map.hpp"
#include "client/core/timers.hpp"
#include "ordo/client_stats.hpp"
#include "ordo/result.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

struct CoreOptions {
  std::vector<std::string> endpoints;  ///< at least one; all are dialed
  std::string name = "client";         ///< shown in the broker's lists
  std::uint64_t seed = 1;              ///< of ids, sessions and jitter
  std::size_t max_in_flight = 65'536;  ///< requests, at most 2^20; past it: busy, "client_full"
  std::size_t max_bytes = 64u << 20;   ///< of all requests in flight
  Micros resend_after{5'000'000};      ///< an answer this late on a healthy link: ask again
  Micros poll_every{60'000'000};       ///< waits and watches are renewed this often
};

// ---- events ------------------------------------------------------------------------------------

/// A caller's request. A submit without an id gets one drawn before its first attempt.
struct Ask {
  Token token = 0;
  Request request;
  Steady deadline = Steady::max();  ///< absolute
  bool retries_busy = true;         ///< false: a first `busy` is the answer
};
/// The caller no longer wants an answer (of a Wait or Watch, as a rule): answered as `cancelled` at
/// once.
struct Forget {
  Token token = 0;
};
struct LinkUp {
  LinkIndex link = 0;
};
struct LinkDown {
  LinkIndex link = 0;
  std::string why_not;  ///< set where it was refused before it was up
};
struct Received {
  LinkIndex link = 0;
  wire::Message message;
};
/// A frame that is not a message.
struct Garbled {
  LinkIndex link = 0;
  Error error;
};
struct Tick {};
/// Answers everything that is in flight; the core is not used afterwards.
struct Close {};

using Event = std::variant<Ask, Forget, LinkUp, LinkDown, Received, Garbled, Tick, Close>;

// ---- effects -----------------------------------------------------------------------------------

/// Dial the endpoint and keep dialing; say LinkUp and LinkDown.
struct Open {
  LinkIndex link = 0;
  std::string endpoint;
};
struct Send {
  LinkIndex link = 0;
  wire::Message message;
};
/// The one answer of an Ask.
struct Done {
  Token token = 0;
  OrderId id;                  ///< of the order it was about; zero: none, or none drawn yet
  std::optional<Error> error;  ///< none: ok
  bool was_known = false;      ///< submit: the broker had this id already
  std::string body;            ///< encoded view, by the request's type
};
/// A piece of a Watch; more will come.
struct Page {
  Token token = 0;
  wire::EventPage page;
};
/// What happened to links, for logs and tests.
struct Fact {
  enum class Kind : std::uint8_t { kReady, kLost, kResent, kRefused, kLateAnswer };
  Kind kind = Kind::kReady;
  LinkIndex link = kNoLink;
  std::uint64_t count = 0;  ///< kResent: requests
  std::string text;         ///< endpoint, reason
};

struct Effects {
  std::vector<Open> opens;
  std::vector<LinkIndex> resets;  ///< close this link's socket, drop its unsent frames, dial again
  std::vector<Send> sends;
  std::vector<Done> dones;
  std::vector<Page> pages;
  std::vector<Fact> facts;

  void clear();
};

class ClientCore {
 public:
  explicit ClientCore(CoreOptions options);

  void step(Times now, Event&& event, Effects& effects);
  /// When the next Tick is due; Steady::min() while something waits to be sent.
  [[nodiscard]] Steady next_deadline() const;

  [[nodiscard]] std::size_t in_flight() const { return requests_.size(); }
  [[nodiscard]] std::size_t bytes_in_flight() const { return bytes_; }
  /// What it has counted; what is in flight is the shell's to say.
  [[nodiscard]] const Stats& stats() const { return stats_; }
  /// The map of the latest welcome; empty before the first.
  [[nodiscard]] const ShardMap& shards() const { return shards_; }
  /// An id for a new order; nullopt while no shard is known that takes one.
  std::optional<OrderId> draw_id(Wall now, std::string_view key) {
    return shards_.draw(now, key, chance_);
  }
  [[nodiscard]] bool is_connected() const { return ready_links_ > 0; }
  [[nodiscard]] std::size_t ready_links() const { return ready_links_; }

 private:
  // client_core.cpp: requests
  void on_ask(Times now, Ask&& ask, Effects& effects);
  void on_forget(Token token, Effects& effects);
  void on_close(Effects& effects);
  void on_answer(Times now, wire::Answer&& answer, Effects& effects);
  void on_page(Times now, Pending& pending, wire::Answer&& answer, Effects& effects);
  void on_refused(Times now, Pending& pending, const wire::Answer& answer, Effects& effects);
  void rest(Times now, Pending& pending, Error error, Effects& effects);
  void run_timers(Times now, Effects& effects);
  void look_at(Times now, Pending& pending, Effects& effects);
  void arm(Pending& pending);
  void queue(Pending& pending);
  void finish(Pending& pending, std::optional<Error> error, std::string body, Effects& effects);
  [[nodiscard]] Error expired(const Pending& pending) const;
  void say_unwait(const Pending& pending);
  void count_ack(const Pending& pending, bool was_known);
  void count_timeout(const Pending& pending);
  void count_again(const Pending& pending);

  // client_core_links.cpp: links, routing, sending
  void on_link_up(Times now, LinkIndex link, Effects& effects);
  void lose(LinkIndex link, std::string_view why, Effects& effects);
  void greet_again(Times now, LinkIndex link, std::string_view why, Effects& effects);
  void on_received(Times now, Received&& received, Effects& effects);
  void on_welcome(Times now, LinkIndex link, const wire::Welcome& welcome, Effects& effects);
  void requeue(LinkIndex link, Effects& effects);
  void keep_links(Times now, Effects& effects);
  void route_all(Times now, Effects& effects);
  [[nodiscard]] LinkIndex route(const Pending& pending) const;
  /// The next link in the round that requests can take; kNoLink where none is ready.
  [[nodiscard]] LinkIndex next_ready(LinkIndex after) const;
  bool give_id(Times now, Pending& pending, Effects& effects);
  void flush(LinkIndex link, Effects& effects);
  LinkIndex link_of(const std::string& endpoint);

  CoreOptions options_;
  Random chance_;
  Requests requests_;
  std::size_t bytes_ = 0;
  Timers timers_;
  std::vector<std::uint64_t> queued_;  // numbers that wait for a link
  std::vector<std::uint64_t> due_;     // scratch
  std::vector<Link> links_;
  std::size_t opened_ = 0;  // links the shell has been told of
  std::size_t ready_links_ = 0;
  ShardMap shards_;
  Steady now_{};  // of the current step
  Stats stats_;
};

}  // namespace ordo::client
