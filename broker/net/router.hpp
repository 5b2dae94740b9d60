// One ROUTER socket that listens: frames in with who sent them, frames out without ever blocking.
//
// Shapes:  a frame is one message part behind the routing id; other shapes are counted as bad
//          envelopes.
// Rule:    MANDATORY and non-blocking sends: a frame never vanishes in silence and a slow peer
//          never stops the loop. No routing ids set by us, no handover: a second peer with a taken
//          id is ignored by libzmq, never a thief. With a secret key: CURVE alone, and nobody comes
//          in whom Zap has not let in.
// Errors:  open(): kUnavailable "listen". Sends say whether the peer is gone or its line full.
// Threads: one owner, the broker's loop.
// Source:  libzmq's zmq_setsockopt(3); RFC 28 (ROUTER).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "base/address.hpp"
#include "ordo/result.hpp"

namespace ordo {

class Router {
 public:
  enum class Sent : std::uint8_t { kSent, kGone, kFull };

  /// What came in. Views hold until the next receive().
  struct Frame {
    std::string_view route;  ///< libzmq's routing id: opaque
    std::string_view body;
    std::string_view key;     ///< the peer's public key; empty in plain text
    bool is_envelope = true;  ///< exactly one part behind the routing id
  };

  /// `secret_key` in Z85; empty: plain text.
  static Result<std::unique_ptr<Router>> open(zmq::context_t& context, const Address& address,
                                              const std::string& secret_key);

  /// The next frame that waits; nullopt when there is none.
  std::optional<Frame> receive();
  Sent send(std::string_view route, std::string&& frame);

  /// Where it listens, with the port that the system gave.
  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] void* handle() { return socket_.handle(); }

 private:
  Router(zmq::socket_t&& socket, Address address, bool has_keys)
      : socket_(std::move(socket)), address_(std::move(address)), has_keys_(has_keys) {}
  bool receive_part(zmq::message_t& part);
  Sent refused(int error);

  zmq::socket_t socket_;
  Address address_;
  bool has_keys_;
  zmq::message_t route_;
  zmq::message_t body_;
};

}  // namespace ordo
