#include "broker/net/gateway.hpp"

#include <algorithm>
#include <utility>

#include "broker/net/peers.hpp"
#include "broker/net/router.hpp"
#include "schema/codec.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

// Taken from one socket before the loop looks at the other and at the stores: a pass stays within a
// few milliseconds.
constexpr std::size_t kPassItems = 2048;
constexpr std::size_t kPassFrames = 256;
// Peers beat every second; who has been silent this long is no peer of ours, and its number is
// given up.
constexpr Micros kSilence = Seconds{60};

/// How much work a message brings.
std::size_t items_of(const wire::Message& message) {
  if (const auto* submit = std::get_if<wire::Submit>(&message)) return submit->orders.size() + 1;
  if (const auto* results = std::get_if<wire::Results>(&message)) return results->items.size() + 1;
  return 1;
}

Result<wire::Message> decode(const Router::Frame& frame) {
  if (!frame.is_envelope) {
    return fail(Code::kMalformed, "bad_envelope", "a frame is one message part");
  }
  return wire::decode(frame.body);
}

Event to_event(Gateway::Side side, PeerId peer, wire::Message&& message) {
  if (side == Gateway::Side::kWorker) return event::FromWorker{peer, std::move(message)};
  return event::FromClient{peer, std::move(message)};
}

}  // namespace

/// One of the two sockets and its peers.
class Gateway::Socket {
 public:
  Socket(Side side, std::unique_ptr<Router> router) : side_(side), router_(std::move(router)) {}

  std::size_t receive(Steady now, const Sink& sink) {
    std::size_t frames = 0;
    for (std::size_t items = 0; frames < kPassFrames && items < kPassItems; ++frames) {
      const auto frame = router_->receive();
      if (!frame) break;
      Peer& peer = peers_.at_route(frame->route);
      peer.heard = now;
      counts.bytes_in += frame->body.size();
      auto message = decode(*frame);
      if (!message) {
        refuse(peer, message.error());
        continue;
      }
      items += items_of(*message);
      sink(to_event(side_, peer.id, *std::move(message)));
    }
    counts.frames_in += frames;
    return frames;
  }

  void send(PeerId id, Send::Item&& item) {
    Peer* peer = peers_.find(id);
    if (peer == nullptr) {
      ++counts.undeliverable;
      return;
    }
    if (!std::exchange(peer->is_packing, true)) packing_.push_back(id);
    peer->packer.add(std::move(item), frames_);
    deliver(*peer);
  }

  void flush() {
    for (const PeerId id : packing_) {
      Peer* peer = peers_.find(id);
      if (peer == nullptr) continue;
      peer->is_packing = false;
      peer->packer.flush(frames_);
      deliver(*peer);
    }
    packing_.clear();
  }

  void forget_silent(Steady now) {
    std::vector<PeerId> silent;
    peers_.for_each([&](const Peer& peer) {
      if (now - peer.heard > kSilence) silent.push_back(peer.id);
    });
    for (const PeerId id : silent) lose(id);
  }

  void take_gone(std::vector<Event>& out) {
    for (const PeerId id : gone_) {
      if (side_ == Side::kWorker) {
        out.emplace_back(event::WorkerGone{id});
      } else {
        out.emplace_back(event::ClientGone{id});
      }
    }
    gone_.clear();
  }

  Router& router() { return *router_; }
  [[nodiscard]] std::size_t peers() const { return peers_.size(); }

  SocketCounts counts;

 private:
  void refuse(Peer& peer, const Error& error) {
    ++counts.refused;
    send(peer.id,
         wire::Refusal{static_cast<std::uint8_t>(error.code), error.reason, error.message});
  }

  void lose(PeerId id) {
    peers_.forget(id);
    gone_.push_back(id);
  }

  /// Hands complete frames to libzmq; the first that finds nobody ends the peer.
  void deliver(Peer& peer) {
    for (auto& frame : frames_) {
      const std::size_t size = frame.size();
      const auto sent = router_->send(peer.route, std::move(frame));
      if (sent == Router::Sent::kSent) {
        ++counts.frames_out;
        counts.bytes_out += size;
        continue;
      }
      ++(sent == Router::Sent::kGone ? counts.gone : counts.full);
      lose(peer.id);
      break;
    }
    frames_.clear();
  }

  Side side_;
  std::unique_ptr<Router> router_;
  Peers peers_;
  std::vector<PeerId> packing_;
  std::vector<PeerId> gone_;
  FramePacker::Frames frames_;
};

class Gateway::Shell {
 public:
  zmq::context_t context{1};
  std::unique_ptr<Socket> clients;
  std::unique_ptr<Socket> workers;

  Socket& of(Side side) { return side == Side::kWorker ? *workers : *clients; }
};

Gateway::Gateway(std::unique_ptr<Shell> shell) : shell_(std::move(shell)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::open(const GatewaySettings& settings) {
  auto shell = std::make_unique<Shell>();
  for (const Side side : {Side::kClient, Side::kWorker}) {
    const Address& address = side == Side::kClient ? settings.clients : settings.workers;
    if (!address.is_loopback() && !settings.plaintext) {
      return fail(Code::kMalformed, "plaintext",
                  "refusing to listen on " + address.to_string() +
                      " without encryption: listen on 127.0.0.1, or say plaintext = true where "
                      "the network is yours alone");
    }
    auto router = Router::open(shell->context, address);
    if (!router) return tl::unexpected(router.error());
    auto& place = side == Side::kClient ? shell->clients : shell->workers;
    place = std::make_unique<Socket>(side, *std::move(router));
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(shell)));
}

void Gateway::wait(int wake, Micros patience) {
  std::array<zmq_pollitem_t, 3> items{{{shell_->clients->router().handle(), 0, ZMQ_POLLIN, 0},
                                       {shell_->workers->router().handle(), 0, ZMQ_POLLIN, 0},
                                       {nullptr, wake, ZMQ_POLLIN, 0}}};
  // Rounded up: a deadline that is not there yet would be polled for in a circle.
  const auto ms = std::chrono::ceil<Millis>(std::max(patience, Micros{0})).count();
  zmq_poll(items.data(), static_cast<int>(items.size()), static_cast<long>(ms));
}

std::size_t Gateway::receive(Side side, Steady now, const Sink& sink) {
  return shell_->of(side).receive(now, sink);
}

void Gateway::send(std::vector<Send>& sends) {
  for (auto& one : sends) shell_->of(one.to).send(one.peer, std::move(one.item));
  sends.clear();
}

void Gateway::flush() {
  shell_->clients->flush();
  shell_->workers->flush();
}

void Gateway::forget_silent(Steady now) {
  shell_->clients->forget_silent(now);
  shell_->workers->forget_silent(now);
}

void Gateway::take_gone(std::vector<Event>& out) {
  shell_->clients->take_gone(out);
  shell_->workers->take_gone(out);
}

const SocketCounts& Gateway::counts(Side side) const {
  auto& socket = shell_->of(side);
  socket.counts.peers = socket.peers();
  return socket.counts;
}

const Address& Gateway::address(Side side) const { return shell_->of(side).router().address(); }

}  // namespace ordo
