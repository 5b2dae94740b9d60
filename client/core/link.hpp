// One connection to one broker as the core sees it: dialing, greeting, ready; who was heard when,
// what was counted.
//
// Shapes:  requests and answers are counted both ways within a session. A broker that sent more
//          answers than arrived, or that still misses what was sent before a whole silence, proves
//          a loss: the session starts anew.
// Units:   microseconds of the steady clock.
// Threads: one owner, the core.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

struct Link {
  enum class State : std::uint8_t {
    kDialing,   ///< no connection yet, or it broke: the shell dials on its own
    kGreeting,  ///< connected, hello sent, no welcome yet
    kReady,     ///< requests flow
  };

  std::string endpoint;
  State state = State::kDialing;
  wire::SessionId session{};
  std::string broker;                 ///< its instance name, from the welcome
  std::vector<std::uint64_t> outbox;  ///< requests to send at the next flush
  std::vector<wire::Message> asides;  ///< frames that nobody waits for (Unwait)
  std::size_t frame_bytes = limits::kFrameBytes;
  std::string problem;  ///< what it last refused, for messages to people

  /// Connected: draws a session; the hello to send.
  wire::ClientHello greet(Times now, Random& chance, const std::string& name);
  /// The same hello again.
  [[nodiscard]] wire::ClientHello hello(const std::string& name) const;
  void welcome(Times now, const wire::Welcome& welcome);
  void down();
  void heard(Times now) { heard_at_ = now.steady; }

  void count_sent() { ++sent_; }
  void count_received(std::size_t answers) { received_ += answers; }
  /// Whether the peer's counts prove that a frame is gone: an item that it had sent by its last
  /// beat is not here at this one, or one that was sent a silence ago is not there.
  bool has_lost_frames(const wire::Beat& beat);

  /// The beat to send now, where one is due.
  std::optional<wire::Beat> beat_if_due(Times now);
  /// kGreeting: whether the hello should go out again now.
  bool repeats_hello(Times now);
  [[nodiscard]] bool is_silent(Times now) const;
  [[nodiscard]] Steady next_deadline() const;

 private:
  /// A hello without a welcome is repeated after this: brokers answer within one loop, or are
  /// starting.
  static constexpr Micros kHelloEvery{500'000};

  Micros beat_every_{1'000'000};
  Micros silence_{3'000'000};
  Steady heard_at_;
  Steady next_beat_;
  Steady next_hello_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::deque<std::pair<Steady, std::uint64_t>> sent_by_;  // what was sent by each of the last beats
  std::uint64_t owed_ = 0;                                // what the peer had sent by its last beat
  std::uint64_t must_have_ = 0;  // the peer must have received this many by now
};

}  // namespace ordo::client
