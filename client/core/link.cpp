#include "client/core/link.hpp"

#include <algorithm>

namespace ordo::client {
namespace {

/// Written into every hello, for people who look at a broker's list of peers.
constexpr std::string_view kVersion = ORDO_VERSION;

/// A broker may not set paces that would make its clients spin or never notice its death.
constexpr std::uint64_t kBeatMinMs = 10;
constexpr std::uint64_t kBeatMaxMs = 60'000;

Micros bounded(std::uint64_t ms, std::uint64_t times) {
  return Millis{static_cast<std::int64_t>(std::clamp(ms, kBeatMinMs * times, kBeatMaxMs * times))};
}

}  // namespace

wire::ClientHello Link::greet(Times now, Random& chance, const std::string& name) {
  const std::uint64_t high = chance.next();
  const std::uint64_t low = chance.next();
  for (std::size_t i = 0; i < 8; ++i) {
    session[i] = static_cast<std::uint8_t>(high >> (8 * i));
    session[i + 8] = static_cast<std::uint8_t>(low >> (8 * i));
  }
  state = State::kGreeting;
  heard_at_ = now.steady;
  next_hello_ = now.steady + kHelloEvery;
  return hello(name);
}

wire::ClientHello Link::hello(const std::string& name) const {
  return {session, name, std::string(kVersion)};
}

void Link::welcome(Times now, const wire::Welcome& welcome) {
  state = State::kReady;
  broker = welcome.broker;
  problem.clear();
  beat_every_ = bounded(welcome.beat_ms, 1);
  silence_ = bounded(welcome.silence_ms, 2);
  frame_bytes =
      std::clamp<std::size_t>(welcome.frame_bytes, 2 * limits::kPayloadBytes, limits::kFrameBytes);
  heard_at_ = now.steady;
  next_beat_ = now.steady + beat_every_;
  sent_ = received_ = owed_ = must_have_ = 0;
  sent_by_.clear();
}

void Link::down() {
  state = State::kDialing;
  outbox.clear();
  asides.clear();
}

bool Link::has_lost_frames(const wire::Beat& beat) {
  const bool has_lost = received_ < owed_ || beat.received < must_have_;
  owed_ = beat.sent;
  return has_lost;
}

std::optional<wire::Beat> Link::beat_if_due(Times now) {
  if (state != State::kReady || now.steady < next_beat_) return std::nullopt;
  next_beat_ = now.steady + beat_every_;
  sent_by_.emplace_back(now.steady, sent_);
  while (sent_by_.front().first + silence_ < now.steady) {
    must_have_ = sent_by_.front().second;
    sent_by_.pop_front();
  }
  return wire::Beat{sent_, received_, {}};
}

bool Link::repeats_hello(Times now) {
  if (state != State::kGreeting || now.steady < next_hello_) return false;
  next_hello_ = now.steady + kHelloEvery;
  return true;
}

bool Link::is_silent(Times now) const {
  return state != State::kDialing && now.steady >= heard_at_ + silence_;
}

Steady Link::next_deadline() const {
  switch (state) {
    case State::kDialing: return Steady::max();
    case State::kGreeting: return std::min(next_hello_, heard_at_ + silence_);
    case State::kReady: return std::min(next_beat_, heard_at_ + silence_);
  }
  return Steady::max();
}

}  // namespace ordo::client
