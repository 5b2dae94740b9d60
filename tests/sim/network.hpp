// Connections between peers and brokers, as ZeroMQ gives them: frames in order within a connection,
// a new peer number with each reconnect, the broker told of a dead peer only when it sends to it.
// On top of that frames are lost, doubled and late, links clog, connections break.
//
// Shapes:  an Endpoint (a worker or a client) dials; the network finds the broker of the day and
//          keeps trying until there is one. Frames carry messages as they are, or through the codec
//          in some seeds.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/effects.hpp"
#include "schema/messages.hpp"
#include "tests/sim/context.hpp"

namespace ordo::sim {

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void connected() = 0;
  virtual void disconnected() = 0;
  virtual void received(wire::Message message) = 0;
};

/// What the network needs of a broker process.
class Doorman {
 public:
  virtual ~Doorman() = default;
  [[nodiscard]] virtual bool takes_connections() const = 0;
  [[nodiscard]] virtual bool is_alive() const = 0;
  virtual void frame_from(Send::To side, PeerId peer, wire::Message message) = 0;
  virtual void peer_gone(Send::To side, PeerId peer) = 0;
};

class Network {
 public:
  explicit Network(Context& context) : context_(context) {}

  /// Who answers when somebody dials; null: nobody.
  void set_broker(Doorman* broker) { broker_ = broker; }

  /// Dials for an endpoint until it is connected; a connection that it has is dropped first.
  void dial(Endpoint& endpoint, Send::To side);
  void hang_up(Endpoint& endpoint);
  void send_to_broker(Endpoint& endpoint, wire::Message message);
  void send_to_peer(Doorman& broker, Send::To side, PeerId peer, wire::Message message);
  /// All connections of a broker that is gone break.
  void broker_died(Doorman& broker);
  /// Faults of connections begin to happen; they stop when the world is healed.
  void start_faults();
  void heal();

 private:
  struct Connection {
    Endpoint* endpoint = nullptr;
    Doorman* broker = nullptr;
    Send::To side = Send::To::kClient;
    PeerId peer = 0;
    bool is_up = true;
    bool was_told = false;    ///< the broker: that the peer is gone
    Steady last_to_broker{};  ///< frames arrive in the order they were sent
    Steady last_to_peer{};
    Steady clogged_until{};
    std::vector<wire::Message> unsent;  ///< under way to the broker when it broke
  };
  struct Dialling {
    Send::To side = Send::To::kClient;
    std::uint64_t round = 0;
    std::shared_ptr<Connection> connection;
    std::vector<wire::Message> unsent;
  };

  void try_to_connect(Endpoint& endpoint, std::uint64_t round);
  void break_connection(const std::shared_ptr<Connection>& connection);
  void carry(const std::shared_ptr<Connection>& connection, bool to_broker, wire::Message message);
  void deliver(const std::shared_ptr<Connection>& connection, bool to_broker,
               wire::Message message);
  void next_fault();

  Context& context_;
  Doorman* broker_ = nullptr;
  PeerId last_peer_ = 0;
  std::vector<Endpoint*> order_;             ///< endpoints in the order of their first dial
  std::map<Endpoint*, Dialling> endpoints_;  ///< found by address, never iterated
  std::map<PeerId, std::shared_ptr<Connection>> peers_;
};

/// One line for a trace: the message's type and its items, shortly.
std::string describe(const wire::Message& message);
std::string describe(const TaskKey& key);
std::string describe(const Fence& fence);

}  // namespace ordo::sim
