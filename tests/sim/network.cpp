#include "tests/sim/network.hpp"

#include <utility>

#include "base/check.hpp"
#include "schema/codec.hpp"

namespace ordo::sim {

void Network::dial(Endpoint& endpoint, Send::To side) {
  auto [it, is_new] = endpoints_.try_emplace(&endpoint);
  if (is_new) order_.push_back(&endpoint);
  Dialling& dialling = it->second;
  dialling.side = side;
  if (dialling.connection) {
    dialling.connection->is_up = false;
    dialling.connection.reset();
  }
  dialling.unsent.clear();
  const std::uint64_t round = ++dialling.round;
  context_.time.after(context_.network.between(Micros{500}, Micros{5000}),
                      [this, &endpoint, round] { try_to_connect(endpoint, round); });
}

void Network::hang_up(Endpoint& endpoint) {
  const auto it = endpoints_.find(&endpoint);
  if (it == endpoints_.end()) return;
  ++it->second.round;
  if (it->second.connection) it->second.connection->is_up = false;
  it->second.connection.reset();
  it->second.unsent.clear();
}

void Network::try_to_connect(Endpoint& endpoint, std::uint64_t round) {
  Dialling& dialling = endpoints_.at(&endpoint);
  if (dialling.round != round) return;
  if (broker_ == nullptr || !broker_->takes_connections()) {
    context_.time.after(context_.network.between(Millis{20}, Millis{120}),
                        [this, &endpoint, round] { try_to_connect(endpoint, round); });
    return;
  }
  auto connection = std::make_shared<Connection>();
  connection->endpoint = &endpoint;
  connection->broker = broker_;
  connection->side = dialling.side;
  connection->peer = ++last_peer_;
  dialling.connection = connection;
  peers_[connection->peer] = connection;
  // ZeroMQ sends again what was still in its pipe when the old connection broke.
  for (auto& message : std::exchange(dialling.unsent, {})) {
    context_.coverage.count(Fault::kFrameAcrossReconnect);
    carry(connection, true, std::move(message));
  }
  endpoint.connected();
}

void Network::break_connection(const std::shared_ptr<Connection>& connection) {
  if (!connection->is_up) return;
  connection->is_up = false;
  Endpoint* endpoint = connection->endpoint;
  Dialling& dialling = endpoints_.at(endpoint);
  if (dialling.connection != connection) return;
  dialling.connection.reset();
  const std::uint64_t round = ++dialling.round;
  context_.time.after(context_.network.between(Millis{1}, Millis{50}), [this, endpoint, round] {
    if (endpoints_.at(endpoint).round != round) return;
    endpoint->disconnected();
  });
  context_.time.after(context_.network.between(Millis{60}, Millis{200}),
                      [this, endpoint, round] { try_to_connect(*endpoint, round); });
}

void Network::broker_died(Doorman& broker) {
  for (auto& [peer, connection] : peers_) {
    if (connection->broker == &broker) break_connection(connection);
  }
}

void Network::send_to_broker(Endpoint& endpoint, wire::Message message) {
  const auto it = endpoints_.find(&endpoint);
  if (it == endpoints_.end() || !it->second.connection) {
    context_.coverage.count(Fault::kFrameToNobody);
    return;
  }
  carry(it->second.connection, true, std::move(message));
}

void Network::send_to_peer(Doorman& broker, Send::To side, PeerId peer, wire::Message message) {
  const auto it = peers_.find(peer);
  const bool is_there = it != peers_.end() && it->second->is_up;
  if (is_there) return carry(it->second, false, std::move(message));
  context_.coverage.count(Fault::kFrameToNobody);
  if (it == peers_.end() || it->second->was_told) return;
  it->second->was_told = true;
  context_.time.after(Micros{50}, [&broker, side, peer] { broker.peer_gone(side, peer); });
}

void Network::carry(const std::shared_ptr<Connection>& connection, bool to_broker,
                    wire::Message message) {
  auto& chance = context_.network;
  const auto& scenario = context_.scenario;
  if (context_.time.now() < connection->clogged_until ||
      context_.fault(chance, scenario.frame_loss, Fault::kFrameLost)) {
    return;
  }
  if (scenario.through_codec) {
    auto decoded = wire::decode(wire::encode(message));
    if (!decoded) throw Violation("codec", "cannot decode its own " + describe(message));
    message = std::move(*decoded);
  }
  Steady& last = to_broker ? connection->last_to_broker : connection->last_to_peer;
  Steady when = context_.time.now() + chance.around(scenario.frame_delay) + Micros{50};
  const bool is_late = context_.fault(chance, scenario.frame_late, Fault::kFrameLate);
  if (is_late) when += chance.between(Millis{100}, Millis{4000});
  when = std::max(when, last + Micros{1});  // one connection keeps the order of its frames
  last = when;
  if (context_.fault(chance, scenario.frame_double, Fault::kFrameDoubled)) {
    // A client's frame comes again before its answer went out: nothing is sent twice after that.
    const bool at_once = connection->side == Send::To::kClient || chance.chance(0.5);
    last = when + (at_once ? Micros{1} : chance.around(Millis{500}));
    context_.time.at(
        last, [this, connection, to_broker, message] { deliver(connection, to_broker, message); });
  }
  context_.time.at(when, [this, connection, to_broker, message = std::move(message)]() mutable {
    deliver(connection, to_broker, std::move(message));
  });
}

void Network::deliver(const std::shared_ptr<Connection>& connection, bool to_broker,
                      wire::Message message) {
  if (!connection->is_up) {
    if (!to_broker) return;
    const auto it = endpoints_.find(connection->endpoint);
    const bool is_dialling = it != endpoints_.end() && !it->second.connection;
    if (is_dialling && !context_.is_healed && context_.network.chance(0.3)) {
      it->second.unsent.push_back(std::move(message));
    }
    return;
  }
  context_.trace([&] {
    return (to_broker ? "peer " + std::to_string(connection->peer) + " -> broker: "
                      : "broker -> peer " + std::to_string(connection->peer) + ": ") +
           describe(message);
  });
  if (to_broker) {
    connection->broker->frame_from(connection->side, connection->peer, std::move(message));
  } else {
    connection->endpoint->received(std::move(message));
  }
}

// ---- faults ------------------------------------------------------------------------------------

void Network::start_faults() { next_fault(); }

void Network::next_fault() {
  const auto& s = context_.scenario;
  const double rate = (s.cut_rate + s.clog_rate) * static_cast<double>(s.workers + s.clients);
  if (rate <= 0) return;
  context_.time.after(context_.network.next_of(rate), [this] {
    if (context_.is_healed) return;
    next_fault();
    if (order_.empty()) return;
    const auto& connection =
        endpoints_.at(order_[context_.network.below(order_.size())]).connection;
    if (!connection) return;
    const auto& scenario = context_.scenario;
    if (context_.network.chance(scenario.cut_rate / (scenario.cut_rate + scenario.clog_rate))) {
      context_.coverage.count(Fault::kConnectionCut);
      context_.trace([&] { return "CUT peer " + std::to_string(connection->peer); });
      break_connection(std::shared_ptr<Connection>(connection));
    } else {
      context_.coverage.count(Fault::kLinkClogged);
      context_.trace([&] { return "CLOG peer " + std::to_string(connection->peer); });
      connection->clogged_until =
          context_.time.now() + context_.network.between(Millis{100}, Millis{8000});
    }
  });
}

void Network::heal() {
  for (auto& [peer, connection] : peers_) connection->clogged_until = Steady{};
}

// ---- words -------------------------------------------------------------------------------------

std::string describe(const TaskKey& key) {
  return key.order.to_string().substr(24) + "/" + std::to_string(key.step) +
         (key.kind == TaskKind::kForward ? "" : "/" + std::string(to_string(key.kind)));
}

std::string describe(const Fence& fence) {
  return std::to_string(fence.timeline) + "." + std::to_string(fence.epoch) + "." +
         std::to_string(fence.attempt);
}

namespace {

template <class Items> std::string describe_items(const Items& items) {
  std::string text;
  for (const auto& item : items) text += " " + describe(item.key) + "@" + describe(item.fence);
  return text;
}

}  // namespace

std::string describe(const wire::Message& message) {
  std::string text(wire::type_name(message));
  if (const auto* m = std::get_if<wire::Offers>(&message)) return text + describe_items(m->items);
  if (const auto* m = std::get_if<wire::Revokes>(&message)) return text + describe_items(m->items);
  if (const auto* m = std::get_if<wire::Drain>(&message))
    return text + describe_items(m->hand_back);
  if (const auto* m = std::get_if<wire::WorkerHello>(&message)) {
    return text + " " + m->name + describe_items(m->held);
  }
  if (const auto* m = std::get_if<wire::Results>(&message)) {
    for (const auto& item : m->items) {
      text += " " + describe(item.key) + "@" + describe(item.fence) + "=" +
              std::string(to_string(static_cast<Outcome>(item.outcome))) + ":" +
              item.result.substr(0, 20);
    }
  } else if (const auto* r = std::get_if<wire::RecordedItems>(&message)) {
    for (const auto& item : r->items) {
      text +=
          " " + describe(item.key) + "@" + describe(item.fence) + "=" + std::to_string(item.code);
    }
  } else if (const auto* g = std::get_if<wire::Regrants>(&message)) {
    for (const auto& item : g->items) {
      text += " " + describe(item.key) + "@" + describe(item.old_fence) + "->" +
              describe(item.new_fence);
    }
  } else if (const auto* s = std::get_if<wire::Submit>(&message)) {
    for (const auto& order : s->orders) text += " " + order.id.to_string().substr(24);
  } else if (const auto* a = std::get_if<wire::Answers>(&message)) {
    for (const auto& item : a->items) {
      text += " #" + std::to_string(item.request) + "=" + std::to_string(item.code) + item.reason;
    }
  } else if (const auto* b = std::get_if<wire::Beat>(&message)) {
    text += " sent " + std::to_string(b->sent) + " received " + std::to_string(b->received);
  } else if (const auto* c = std::get_if<wire::Cancel>(&message)) {
    text += " " + c->id.to_string().substr(24);
  } else if (const auto* signal = std::get_if<wire::Signal>(&message)) {
    text += " " + signal->name + " to " + signal->id.to_string().substr(24);
  } else if (const auto* w = std::get_if<wire::Wait>(&message)) {
    text += " #" + std::to_string(w->request) + " " + w->id.to_string().substr(24);
  } else if (const auto* v = std::get_if<wire::Watch>(&message)) {
    text += " #" + std::to_string(v->request) + " " + v->id.to_string().substr(24);
  } else if (const auto* u = std::get_if<wire::Unwait>(&message)) {
    text += " #" + std::to_string(u->request);
  } else if (const auto* h = std::get_if<wire::SayHello>(&message)) {
    text += " " + h->reason;
  }
  return text;
}

}  // namespace ordo::sim
