#include "broker/net/router.hpp"

#include <cerrno>
#include <cstdlib>

#include "base/check.hpp"
#include "base/random.hpp"
#include "broker/net/zap.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

// A peer that sends a frame somewhat too large gets a Refusal that says so; one that sends far more
// is cut off by
// libzmq before the bytes are held.
constexpr std::int64_t kReceivedBytes = std::int64_t{limits::kFrameBytes} + (1 << 20);
// Frames to one peer that wait for its TCP line. Bounded in fact by a worker's credit and a
// client's open requests:
// the mark is there for a peer that never reads, which is then given up.
constexpr int kSendMark = 16'384;
// Frames of one peer that wait for the loop; past it TCP holds the peer back.
constexpr int kReceiveMark = 256;
// Who connects and does not shake hands is nobody after this.
constexpr int kHandshakeMs = 2000;
// ZMTP pings find hosts that vanished without closing, so that what waits for them is freed.
constexpr int kPingMs = 2000;
constexpr int kPingTimeoutMs = 6000;
// What was answered just before the end may still leave.
constexpr int kLingerMs = 1000;
constexpr int kListenBacklog = 1024;
constexpr int kKeepAliveIdleSeconds = 30;
// Below this a copy is cheaper than handing the string's memory to libzmq's thread.
constexpr std::size_t kCopiedBytes = 512;

void set_options(zmq::socket_t& socket, const Address& address) {
  socket.set(zmq::sockopt::maxmsgsize, kReceivedBytes);
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::router_handover, false);
  socket.set(zmq::sockopt::sndhwm, kSendMark);
  socket.set(zmq::sockopt::rcvhwm, kReceiveMark);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::heartbeat_ivl, kPingMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kPingTimeoutMs);
  socket.set(zmq::sockopt::heartbeat_ttl, kPingTimeoutMs);
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::backlog, kListenBacklog);
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, kKeepAliveIdleSeconds);
  socket.set(zmq::sockopt::ipv6, address.is_v6());
}

// Known to libzmq since 4.3.3, and named by its header only among the drafts. Without it a socket
// that finds nobody to ask about keys lets everybody in.
constexpr int kZapEnforceDomain = 93;

/// Throws where the library does not do as it is told.
void set_keys(zmq::socket_t& socket, const std::string& secret_key) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, secret_key);
  socket.set(zmq::sockopt::zap_domain, Zap::kDomain);
  const int yes = 1;
  int set = 0;
  std::size_t size = sizeof set;
  if (zmq_setsockopt(socket.handle(), kZapEnforceDomain, &yes, sizeof yes) != 0 ||
      zmq_getsockopt(socket.handle(), kZapEnforceDomain, &set, &size) != 0) {
    throw zmq::error_t();
  }
  ORDO_CHECK(set == 1 && socket.get(zmq::sockopt::mechanism) == ZMQ_CURVE, set);
}

zmq::message_t to_message(std::string&& frame) {
  if (frame.size() <= kCopiedBytes) return {frame.data(), frame.size()};
  auto kept = std::make_unique<std::string>(std::move(frame));
  char* data = kept->data();
  const std::size_t size = kept->size();
  return {data, size, [](void*, void* hint) { delete static_cast<std::string*>(hint); },
          kept.release()};
}

}  // namespace

Result<std::unique_ptr<Router>> Router::open(zmq::context_t& context, const Address& address,
                                             const std::string& secret_key) {
  // libzmq draws the routing ids that it gives from rand() and never seeds it: a peer could guess
  // them.
  std::srand(static_cast<unsigned>(random_seed()));
  try {
    zmq::socket_t socket(context, zmq::socket_type::router);
    set_options(socket, address);
    const bool has_keys = !secret_key.empty();
    if (has_keys) set_keys(socket, secret_key);
    socket.bind("tcp://" + address.to_string());
    auto bound = parse_address(socket.get(zmq::sockopt::last_endpoint).substr(6));
    if (!bound) return tl::unexpected(bound.error());
    return std::unique_ptr<Router>(new Router(std::move(socket), *std::move(bound), has_keys));
  } catch (const zmq::error_t& error) {
    return fail(Code::kUnavailable, "listen",
                "cannot listen on " + address.to_string() + ": " + error.what());
  }
}

bool Router::receive_part(zmq::message_t& part) {
  for (;;) {
    if (zmq_msg_recv(part.handle(), socket_.handle(), ZMQ_DONTWAIT) >= 0) return true;
    if (errno == EAGAIN) return false;
    ORDO_CHECK(errno == EINTR, "receive", zmq_strerror(errno));
  }
}

std::optional<Router::Frame> Router::receive() {
  if (!receive_part(route_)) return std::nullopt;
  Frame frame;
  std::size_t parts = 0;
  // The parts of a message arrive together, so none of these reads finds nothing.
  for (bool more = route_.more(); more; more = body_.more()) {
    ORDO_CHECK(receive_part(body_));
    ++parts;
  }
  frame.is_envelope = parts == 1;
  frame.route = {route_.data<char>(), route_.size()};
  // In plain text a peer could name itself: the property is read only where Zap has set it.
  const char* const key =
      has_keys_ && parts > 0 ? zmq_msg_gets(body_.handle(), "User-Id") : nullptr;
  if (key != nullptr) frame.key = key;
  if (frame.is_envelope) frame.body = {body_.data<char>(), body_.size()};
  return frame;
}

Router::Sent Router::refused(int error) {
  if (error == EHOSTUNREACH) return Sent::kGone;
  ORDO_CHECK(error == EAGAIN, "send", zmq_strerror(error));
  return Sent::kFull;
}

Router::Sent Router::send(std::string_view route, std::string&& frame) {
  while (zmq_send(socket_.handle(), route.data(), route.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
    if (errno != EINTR) return refused(errno);
  }
  zmq::message_t message = to_message(std::move(frame));
  while (zmq_msg_send(message.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) {
    if (errno != EINTR) return refused(errno);
  }
  return Sent::kSent;
}

}  // namespace ordo
