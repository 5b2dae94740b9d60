#include "broker/net/gateway.hpp"

#include <algorithm>
#include <utility>

#include "base/key_file.hpp"
#include "broker/net/doorkeeper.hpp"
#include "broker/net/peers.hpp"
#include "broker/net/rights.hpp"
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

/// The number by which a message asks for an answer; nullopt where it asks for none.
std::optional<std::uint64_t> request_of(const wire::Message& message) {
  return std::visit(
      [](const auto& one) -> std::optional<std::uint64_t> {
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, wire::Unwait>) {
          return std::nullopt;
        } else if constexpr (requires { one.request; }) {
          return one.request;
        } else {
          return std::nullopt;
        }
      },
      message);
}

Event to_event(Gateway::Side side, PeerId peer, wire::Message&& message) {
  if (side == Gateway::Side::kWorker) return event::FromWorker{peer, std::move(message)};
  return event::FromClient{peer, std::move(message)};
}

}  // namespace

/// One of the two sockets and its peers.
class Gateway::Socket {
 public:
  /// `doorkeeper` outlives it; null: plain text.
  Socket(Side side, std::unique_ptr<Router> router, const Doorkeeper* doorkeeper)
      : side_(side), router_(std::move(router)), doorkeeper_(doorkeeper) {}

  std::size_t receive(Steady now, const Sink& sink) {
    std::size_t frames = 0;
    for (std::size_t items = 0; frames < kPassFrames && items < kPassItems; ++frames) {
      const auto frame = router_->receive();
      if (!frame) break;
      Peer& peer = peer_of(*frame);
      peer.heard = now;
      counts.bytes_in += frame->body.size();
      if (doorkeeper_ != nullptr && !peer.key) {
        refuse(peer, Error{Code::kUnauthorized, "revoked",
                           "the key of this connection is not in the broker's keyring any more"});
        continue;
      }
      auto message = decode(*frame);
      if (!message) {
        refuse(peer, message.error());
        continue;
      }
      items += items_of(*message);
      counts.beats += std::holds_alternative<wire::Beat>(*message) ? 1 : 0;
      if (peer.key && !is_allowed(peer, *message, sink)) continue;
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

  /// Other keys count: who came in by one that does not is another peer from now on.
  void recheck_keys() {
    std::vector<PeerId> changed;
    peers_.for_each([&](const Peer& peer) {
      const Key* const live = peer.key ? doorkeeper_->live(peer.key->public_key) : nullptr;
      if (live == nullptr || !(*live == *peer.key)) changed.push_back(peer.id);
    });
    for (const PeerId id : changed) lose(id);
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
  /// The peer of a frame, with the key that its connection came with. A routing id may come again
  /// with another key before the first peer is known to be gone: that is another peer.
  Peer& peer_of(const Router::Frame& frame) {
    Peer* peer = &peers_.at_route(frame.route);
    if (doorkeeper_ == nullptr) return *peer;
    if (peer->key && peer->key->public_key != frame.key) {
      lose(peer->id);
      peer = &peers_.at_route(frame.route);
    }
    if (peer->key) return *peer;
    if (const Key* const live = doorkeeper_->live(frame.key)) peer->key = *live;
    return *peer;
  }

  /// Whether the message may go on. What may not is answered; a Submit loses the orders that the
  /// key does not allow, and goes on with the others.
  bool is_allowed(Peer& peer, wire::Message& message, const Sink& sink) {
    auto problem = forbidden(*peer.key, side_, message);
    auto* const submit = std::get_if<wire::Submit>(&message);
    event::Forbidden refused{peer.id, {}, problem.value_or("")};
    if (submit != nullptr) {
      std::erase_if(submit->orders, [&](const wire::OrderRequest& order) {
        auto why = problem ? problem : forbidden(*peer.key, order);
        if (!why) return false;
        refused.message = *std::move(why);
        refused.requests.push_back(order.request);
        return true;
      });
    } else if (const auto request = request_of(message); problem && request) {
      refused.requests.push_back(*request);
    }
    // Who has no business at this socket has no session either: the frame is refused as a whole.
    const bool is_client = side_ == Side::kClient && peer.key->role != Role::kWorker;
    if (!refused.requests.empty() && is_client) {
      const bool is_all = submit == nullptr || submit->orders.empty();
      counts.forbidden += refused.requests.size();
      sink(std::move(refused));
      return !is_all;
    }
    if (!problem) return true;
    ++counts.forbidden;
    refuse(peer, Error{Code::kUnauthorized, "forbidden", *std::move(problem)});
    return false;
  }

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
  const Doorkeeper* doorkeeper_;
  Peers peers_;
  std::vector<PeerId> packing_;
  std::vector<PeerId> gone_;
  FramePacker::Frames frames_;
};

class Gateway::Shell {
 public:
  zmq::context_t context{1};
  std::unique_ptr<Doorkeeper> doorkeeper;  ///< null: plain text
  std::unique_ptr<Socket> clients;
  std::unique_ptr<Socket> workers;

  Result<void> open_sockets(const GatewaySettings& settings, const std::string& secret_key);
  Result<void> prove(const std::string& public_key);
  void answer_handshakes() {
    if (doorkeeper) doorkeeper->serve();
  }
  Socket& of(Side side) { return side == Side::kWorker ? *workers : *clients; }
};

Result<void> Gateway::Shell::open_sockets(const GatewaySettings& settings,
                                          const std::string& secret_key) {
  for (const Side side : {Side::kClient, Side::kWorker}) {
    const Address& address = side == Side::kClient ? settings.clients : settings.workers;
    auto router = Router::open(context, address, secret_key);
    if (!router) return tl::unexpected(router.error());
    auto& place = side == Side::kClient ? clients : workers;
    place = std::make_unique<Socket>(side, *std::move(router), doorkeeper.get());
  }
  return {};
}

/// A library that lets strangers in would do so in silence: each socket is tried.
Result<void> Gateway::Shell::prove(const std::string& public_key) {
  for (const Side side : {Side::kClient, Side::kWorker}) {
    auto proof = prove_refusal(context, of(side).router().address(), public_key,
                               [this] { answer_handshakes(); });
    if (!proof) return proof;
  }
  return {};
}

namespace {

/// Keys, or plain text that stays on this machine and was asked for.
Result<void> check_privacy(const GatewaySettings& settings) {
  const bool has_keys = !settings.keyring.empty() && !settings.secret_key_file.empty();
  if (has_keys && settings.plaintext) {
    return fail(Code::kMalformed, "plaintext",
                "keys and plaintext contradict each other: give one of them");
  }
  if (has_keys) return {};
  if (!settings.keyring.empty() || !settings.secret_key_file.empty()) {
    return fail(Code::kMalformed, "plaintext",
                settings.keyring.empty()
                    ? "secret-key-file is given without keys: name the file of the keys that "
                      "may come in (`ordo keys new` begins one)"
                    : "keys is given without secret-key-file: name the broker's own key "
                      "(`ordo keys new --role broker` makes one)");
  }
  for (const Address& address : {settings.clients, settings.workers}) {
    if (address.is_loopback()) continue;
    return fail(Code::kMalformed, "plaintext",
                "refusing to listen on " + address.to_string() +
                    " without keys: give keys and secret-key-file (docs/security.md), or "
                    "listen on 127.0.0.1");
  }
  if (settings.plaintext) return {};
  return fail(Code::kMalformed, "plaintext",
              "refusing to listen without keys: give keys and secret-key-file "
              "(docs/security.md), or say plaintext = true, on 127.0.0.1 alone");
}

}  // namespace

Gateway::Gateway(std::unique_ptr<Shell> shell) : shell_(std::move(shell)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::open(const GatewaySettings& settings) {
  if (auto is_private = check_privacy(settings); !is_private) {
    return tl::unexpected(is_private.error());
  }
  auto shell = std::make_unique<Shell>();
  KeyPair own;
  if (!settings.plaintext) {
    auto read = read_key_pair(settings.secret_key_file);
    if (!read) return tl::unexpected(read.error());
    own = *std::move(read);
    // Whoever asks about keys must be there before anybody can knock.
    auto keeper = Doorkeeper::open(shell->context, settings.keyring);
    if (!keeper) return tl::unexpected(keeper.error());
    shell->doorkeeper = *std::move(keeper);
  }
  if (auto opened = shell->open_sockets(settings, own.secret_key); !opened) {
    return tl::unexpected(opened.error());
  }
  if (shell->doorkeeper) {
    if (auto proof = shell->prove(own.public_key); !proof) return tl::unexpected(proof.error());
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(shell)));
}

void Gateway::wait(int wake, Micros patience) {
  std::array<zmq_pollitem_t, 4> items{{{shell_->clients->router().handle(), 0, ZMQ_POLLIN, 0},
                                       {shell_->workers->router().handle(), 0, ZMQ_POLLIN, 0},
                                       {nullptr, wake, ZMQ_POLLIN, 0}}};
  int count = 3;
  if (shell_->doorkeeper) items[3] = {shell_->doorkeeper->handle(), 0, ZMQ_POLLIN, 0}, ++count;
  // Rounded up: a deadline that is not there yet would be polled for in a circle.
  const auto ms = std::chrono::ceil<Millis>(std::max(patience, Micros{0})).count();
  zmq_poll(items.data(), count, static_cast<long>(ms));
}

std::size_t Gateway::receive(Side side, Steady now, const Sink& sink) {
  shell_->answer_handshakes();
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

std::optional<Result<void>> Gateway::follow_keys(Steady now) {
  if (!shell_->doorkeeper) return std::nullopt;
  auto change = shell_->doorkeeper->look(now);
  if (change && *change) {
    shell_->clients->recheck_keys();
    shell_->workers->recheck_keys();
  }
  return change;
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
