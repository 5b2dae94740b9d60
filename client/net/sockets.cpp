#include "client/net/sockets.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "schema/limits.hpp"

namespace ordo::client {
namespace {

/// Redials quickly at first (a broker restarts in well under a second), slower while it stays away.
constexpr int kRedialMs = 20;
constexpr int kRedialMaxMs = 500;
/// Far above what the bound of requests in flight can put into frames: never met, but a bound.
constexpr int kHighWater = 65'536;

/// A key that is refused may be let in once the keyring has it.
constexpr Micros kRefusedPause = Millis{500};
constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

void set_keys(zmq::socket_t& dealer, const DialKeys& keys) {
  if (keys.is_plain()) return;
  dealer.set(zmq::sockopt::curve_serverkey, keys.broker);
  dealer.set(zmq::sockopt::curve_publickey, keys.own.public_key);
  dealer.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
  // A library that left this out would talk in plain text.
  ORDO_CHECK(dealer.get(zmq::sockopt::mechanism) == ZMQ_CURVE);
}

/// Empty for what is no refusal.
std::string_view refusal_of(std::uint16_t event) {
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return "the broker does not let this key in";
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return "the handshake failed: does the broker want a key, or have another one?";
    default: return {};
  }
}

/// libzmq's own thread waits for ever where it has an event to tell and the listener is gone: none
/// may come any more before the monitor is closed.
void stop_events(zmq::socket_t& dealer) {
  if (dealer) zmq_socket_monitor(dealer.handle(), nullptr, 0);
}

bool would_block(const zmq::error_t& error) { return error.num() == EAGAIN; }

}  // namespace

Sockets::Sockets(DialKeys keys) : keys_(std::move(keys)), context_(1) {}

Sockets::~Sockets() {
  for (auto& line : lines_) stop_events(line->dealer);
  lines_.clear();
  context_.shutdown();
}

Result<void> Sockets::open(LinkIndex link, const std::string& endpoint) {
  ORDO_CHECK(link == lines_.size(), link);
  lines_.push_back(std::make_unique<Line>());
  lines_.back()->endpoint = endpoint;
  if (dial(*lines_.back())) return {};
  return fail(Code::kMalformed, "bad_endpoint",
              "'" + endpoint + "' is no endpoint; write tcp://host:port or ipc://path");
}

bool Sockets::dial(Line& line) {
  try {
    zmq::socket_t dealer(context_, zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::immediate, true);
    dealer.set(zmq::sockopt::sndhwm, kHighWater);
    dealer.set(zmq::sockopt::rcvhwm, kHighWater);
    dealer.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(limits::kFrameBytes));
    dealer.set(zmq::sockopt::reconnect_ivl, kRedialMs);
    dealer.set(zmq::sockopt::reconnect_ivl_max, kRedialMaxMs);
    dealer.set(zmq::sockopt::ipv6, true);
    set_keys(dealer, keys_);
    const std::string place = "inproc://monitor-" + std::to_string(++monitors_);
    const int watched = zmq_socket_monitor(dealer.handle(), place.c_str(), kEvents);
    ORDO_CHECK(watched == 0, zmq_strerror(zmq_errno()));
    zmq::socket_t monitor(context_, zmq::socket_type::pair);
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(place);
    dealer.connect(line.endpoint);
    line.monitor = std::move(monitor);
    line.dealer = std::move(dealer);
    line.unsent.clear();
    line.redial_at = Steady::max();
    return true;
  } catch (const zmq::error_t&) {
    return false;
  }
}

void Sockets::reset(LinkIndex link) {
  Line& line = *lines_[link];
  if (!line.dealer) return;
  stop_events(line.dealer);
  line.dealer.close();
  line.monitor.close();
  // It could be dialed before; what keeps it from being dialed now is a bug or a lack of sockets.
  ORDO_CHECK(dial(line), line.endpoint, zmq_strerror(zmq_errno()));
}

void Sockets::send(LinkIndex link, std::string frame) {
  Line& line = *lines_[link];
  if (!line.dealer) return;
  line.unsent.push_back(std::move(frame));
  flush(line);
}

void Sockets::flush(Line& line) {
  while (!line.unsent.empty()) {
    try {
      if (!line.dealer.send(zmq::buffer(line.unsent.front()), zmq::send_flags::dontwait)) return;
    } catch (const zmq::error_t& error) {
      if (!would_block(error)) line.unsent.clear();
      return;
    }
    line.unsent.pop_front();
  }
}

void Sockets::read_monitor(LinkIndex link, const OnLink& on_link) {
  Line& line = *lines_[link];
  zmq::message_t event;
  zmq::message_t address;
  while (line.monitor.recv(event, zmq::recv_flags::dontwait)) {
    (void)line.monitor.recv(address, zmq::recv_flags::dontwait);
    std::uint16_t kind = 0;
    if (event.size() < sizeof kind) continue;
    std::memcpy(&kind, event.data(), sizeof kind);
    const bool is_up = kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    const std::string_view refusal = refusal_of(kind);
    if (!refusal.empty()) line.redial_at = steady_now() + kRefusedPause;
    line.unsent.clear();
    on_link(link, is_up, refusal);
  }
}

void Sockets::redial_refused() {
  const Steady now = steady_now();
  for (LinkIndex link = 0; link < lines_.size(); ++link) {
    if (lines_[link]->redial_at <= now) reset(link);
  }
}

void Sockets::receive(const OnLink& on_link, const OnFrame& on_frame) {
  for (LinkIndex link = 0; link < lines_.size(); ++link) {
    if (!lines_[link]->dealer) continue;
    zmq::message_t frame;
    for (int taken = 0; taken < kBurst; ++taken) {
      if (!lines_[link]->dealer.recv(frame, zmq::recv_flags::dontwait)) break;
      // Every frame of ours is one part; what has more parts is nothing we know.
      bool is_single = !frame.more();
      while (frame.more() && lines_[link]->dealer.recv(frame)) is_single = false;
      on_frame(link, is_single ? frame.to_string_view() : std::string_view());
    }
    // After the frames: what a connection brought before it broke still counts.
    read_monitor(link, on_link);
    flush(*lines_[link]);
  }
  redial_refused();
}

bool Sockets::wait(int wake_fd, Micros patience) {
  std::vector<zmq::pollitem_t> items;
  items.push_back({nullptr, wake_fd, ZMQ_POLLIN, 0});
  for (const auto& line : lines_) {
    if (!line->dealer) continue;
    const auto events = static_cast<short>(ZMQ_POLLIN | (line->unsent.empty() ? 0 : ZMQ_POLLOUT));
    items.push_back({line->dealer.handle(), 0, events, 0});
    items.push_back({line->monitor.handle(), 0, ZMQ_POLLIN, 0});
  }
  for (const auto& line : lines_) {
    if (line->redial_at != Steady::max()) {
      patience = std::min(patience, line->redial_at - steady_now());
    }
  }
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(patience);
  try {
    zmq::poll(items, std::max(rounded_up, std::chrono::milliseconds{0}));
  } catch (const zmq::error_t& error) {
    ORDO_CHECK(error.num() == EINTR, error.what());
    return false;
  }
  return (items[0].revents & ZMQ_POLLIN) != 0;
}

}  // namespace ordo::client
