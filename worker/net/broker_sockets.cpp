#include "worker/net/broker_sockets.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <zmq.hpp>

#include "base/check.hpp"
#include "schema/codec.hpp"
#include "schema/limits.hpp"

namespace ordo::worker {
namespace {

/// How long a closed socket may still deliver what it was given: a goodbye is worth a fifth of a
/// second.
constexpr int kLingerMs = 200;
/// libzmq dials again this soon, doubled up to the cap: a restarted broker is found at once, a
/// missing one costs little.
constexpr int kRedialMs = 20;
constexpr int kRedialCapMs = 500;
/// What waits for one connection. Past it frames are dropped: each of them would be sent again
/// anyway.
constexpr std::size_t kWaitingFrames = 1024;
constexpr std::size_t kWaitingBytes = 64u << 20;
/// Frames taken from one connection before the loop looks at anything else.
constexpr int kFramesAtOnce = 64;

/// One DEALER and its monitor.
struct Line {
  zmq::socket_t socket;
  zmq::socket_t monitor;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  bool is_v6 = false;        ///< dialled for IPv6 addresses
  bool was_up = false;       ///< a broker answered there
  bool was_refused = false;  ///< a handshake failed since the last dial
};

/// Whether the next dial asks for IPv6 addresses. A name may have both kinds and the broker listen
/// at one, and libzmq tries only one: what did not answer by the one is dialled by the other.
bool next_is_v6(const Line& line, const std::string& endpoint) {
  if (endpoint.find('[') != std::string::npos) return true;
  const bool has_failed = line.socket && !line.was_up;
  return has_failed ? !line.is_v6 : line.is_v6;
}

/// libzmq's own thread waits for ever where it has an event to tell and the listener is gone: none
/// may come any more before the monitor is closed.
void stop_events(Line& line) {
  if (line.socket) zmq_socket_monitor(line.socket.handle(), nullptr, 0);
}

void drop_waiting(Line& line) {
  line.waiting.clear();
  line.waiting_bytes = 0;
}

/// Whether the frame is gone; false where the connection cannot take it now.
bool try_send(Line& line, const std::string& frame) {
  try {
    return line.socket.send(zmq::buffer(frame), zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

void send_waiting(Line& line) {
  while (!line.waiting.empty() && try_send(line, line.waiting.front())) {
    line.waiting_bytes -= line.waiting.front().size();
    line.waiting.pop_front();
  }
}

/// Empty for what is no refusal.
std::string refusal_of(std::uint16_t event) {
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return "the broker does not let this key in";
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return "the handshake failed: does the broker want a key, or have another one?";
    default: return {};
  }
}

struct Change {
  bool is_up = false;
  std::string why_not;  ///< once a dial: libzmq may try on and on
};

/// What the monitor says; nullopt: nothing more.
std::optional<Change> next_change(Line& line) {
  while (true) {
    zmq::message_t what;
    if (!line.monitor.recv(what, zmq::recv_flags::dontwait)) return std::nullopt;
    std::uint16_t event = 0;
    if (what.size() >= sizeof event) std::memcpy(&event, what.data(), sizeof event);
    while (what.more()) static_cast<void>(line.monitor.recv(what, zmq::recv_flags::none));
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return Change{true, {}};
    if (event == ZMQ_EVENT_DISCONNECTED) return Change{false, {}};
    std::string refusal = refusal_of(event);
    if (!refusal.empty() && !std::exchange(line.was_refused, true)) {
      return Change{false, std::move(refusal)};
    }
  }
}

}  // namespace

struct BrokerSockets::State {
  zmq::context_t context{1};
  std::vector<std::string> endpoints;
  DialKeys keys;
  std::vector<Line> lines;
  std::vector<zmq::pollitem_t> items;
  int wake_fd = -1;
  std::uint64_t dials = 0;
  std::uint64_t undecodable = 0;

  void take_changes(LinkIndex link, std::vector<Event>& events);
  void take_frames(LinkIndex link, std::vector<Event>& events);
};

BrokerSockets::BrokerSockets(std::vector<std::string> endpoints, DialKeys keys)
    : state_(std::make_unique<State>()) {
  state_->endpoints = std::move(endpoints);
  state_->keys = std::move(keys);
  state_->lines.resize(state_->endpoints.size());
  state_->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  ORDO_CHECK(state_->wake_fd >= 0);
}

BrokerSockets::~BrokerSockets() {
  close();
  ::close(state_->wake_fd);
}

void BrokerSockets::close() {
  for (Line& line : state_->lines) stop_events(line);
  state_->lines.clear();
  state_->context.close();
}

Result<void> BrokerSockets::dial(LinkIndex link) {
  Line& line = state_->lines[link];
  const std::string& endpoint = state_->endpoints[link];
  try {
    const bool is_v6 = next_is_v6(line, endpoint);
    stop_events(line);
    line = Line{};
    line.is_v6 = is_v6;
    line.socket = zmq::socket_t(state_->context, zmq::socket_type::dealer);
    line.socket.set(zmq::sockopt::linger, kLingerMs);
    line.socket.set(zmq::sockopt::immediate, true);
    line.socket.set(zmq::sockopt::ipv6, line.is_v6);
    line.socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(limits::kFrameBytes));
    line.socket.set(zmq::sockopt::reconnect_ivl, kRedialMs);
    line.socket.set(zmq::sockopt::reconnect_ivl_max, kRedialCapMs);
    if (!state_->keys.is_plain()) {
      line.socket.set(zmq::sockopt::curve_serverkey, state_->keys.broker);
      line.socket.set(zmq::sockopt::curve_publickey, state_->keys.own.public_key);
      line.socket.set(zmq::sockopt::curve_secretkey, state_->keys.own.secret_key);
      // A library that left this out would talk in plain text.
      ORDO_CHECK(line.socket.get(zmq::sockopt::mechanism) == ZMQ_CURVE);
    }
    const std::string name = "inproc://changes-" + std::to_string(++state_->dials);
    constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                            ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (zmq_socket_monitor(line.socket.handle(), name.c_str(), kEvents) != 0) throw zmq::error_t();
    line.monitor = zmq::socket_t(state_->context, zmq::socket_type::pair);
    line.monitor.connect(name);
    line.socket.connect(endpoint);
  } catch (const zmq::error_t& error) {
    return fail(Code::kMalformed, "bad_endpoint", "cannot dial " + endpoint + ": " + error.what());
  }
  return {};
}

void BrokerSockets::send(LinkIndex link, const wire::Message& message) {
  Line& line = state_->lines[link];
  if (!line.socket) return;
  std::string frame = wire::encode(message);
  if (line.waiting.empty() && try_send(line, frame)) return;
  if (line.waiting.size() >= kWaitingFrames || line.waiting_bytes + frame.size() > kWaitingBytes) {
    return;
  }
  line.waiting_bytes += frame.size();
  line.waiting.push_back(std::move(frame));
}

void BrokerSockets::wait(Micros patience, std::vector<Event>& events) {
  auto& items = state_->items;
  items.clear();
  items.push_back({nullptr, state_->wake_fd, ZMQ_POLLIN, 0});
  for (Line& line : state_->lines) {
    const bool has_waiting = !line.waiting.empty();
    const auto wanted = static_cast<short>(has_waiting ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
    // A line that could not be dialled has no sockets; the wake-up stands in for them.
    if (!line.socket) {
      items.push_back({nullptr, state_->wake_fd, 0, 0});
      items.push_back({nullptr, state_->wake_fd, 0, 0});
      continue;
    }
    items.push_back({line.socket.handle(), 0, wanted, 0});
    items.push_back({line.monitor.handle(), 0, ZMQ_POLLIN, 0});
  }
  const auto ms = std::chrono::ceil<Millis>(std::max(patience, Micros{0}));
  try {
    if (zmq::poll(items, ms) == 0) return;
  } catch (const zmq::error_t& error) {
    ORDO_CHECK(error.num() == EINTR, error.num());
    return;
  }
  if ((items[0].revents & ZMQ_POLLIN) != 0) {
    std::uint64_t count = 0;
    static_cast<void>(read(state_->wake_fd, &count, sizeof count));
  }
  for (LinkIndex link = 0; link < state_->lines.size(); ++link) {
    const short socket = items[1 + 2 * std::size_t{link}].revents;
    const short monitor = items[2 + 2 * std::size_t{link}].revents;
    if ((monitor & ZMQ_POLLIN) != 0) state_->take_changes(link, events);
    if ((socket & ZMQ_POLLOUT) != 0) send_waiting(state_->lines[link]);
    if ((socket & ZMQ_POLLIN) != 0) state_->take_frames(link, events);
  }
}

void BrokerSockets::wake() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!write(state_->wake_fd, &one, sizeof one));
}

std::uint64_t BrokerSockets::undecodable() const { return state_->undecodable; }

void BrokerSockets::State::take_changes(LinkIndex link, std::vector<Event>& events) {
  while (auto change = next_change(lines[link])) {
    if (change->is_up) {
      lines[link].was_up = true;
      events.emplace_back(event::Connected{link});
    } else {
      drop_waiting(lines[link]);
      events.emplace_back(event::Disconnected{link, std::move(change->why_not)});
    }
  }
}

void BrokerSockets::State::take_frames(LinkIndex link, std::vector<Event>& events) {
  for (int i = 0; i < kFramesAtOnce; ++i) {
    zmq::message_t frame;
    if (!lines[link].socket.recv(frame, zmq::recv_flags::dontwait)) return;
    if (frame.more()) {
      // Messages of ours have one part: the whole is nonsense.
      while (frame.more()) static_cast<void>(lines[link].socket.recv(frame));
      ++undecodable;
      continue;
    }
    auto message = wire::decode(frame.to_string_view());
    if (message) {
      events.emplace_back(event::Received{link, std::move(*message)});
    } else {
      ++undecodable;
    }
  }
}

}  // namespace ordo::worker
