// Who may finish a handshake: answers libzmq's questions about keys (ZAP) from the keyring.
//
// Shapes:  a question names the peer's public key; yes comes with that key as the user id, which
//          libzmq then attaches to every frame of the connection.
// Rule:    open() comes before any socket with kDomain is bound. Without an answer nobody comes in:
//          the sockets enforce their domain.
// Errors:  open(): kUnavailable "keys". A question that is none is answered with no.
// Threads: one owner, the broker's loop. A loop that stands still lets nobody in, and libzmq gives
//          up the handshake after its two seconds.
// Costs:   a look-up a handshake, at most kPass a call.
// Source:  RFC 27 (ZAP).
#pragma once

#include <cstddef>
#include <memory>
#include <zmq.hpp>

#include "base/keyring.hpp"
#include "ordo/result.hpp"

namespace ordo {

class Zap {
 public:
  /// Of both sockets: in which role a key comes in is looked at with each message.
  static constexpr const char* kDomain = "ordo";

  static Result<std::unique_ptr<Zap>> open(zmq::context_t& context);

  /// Answers what waits; how many questions that were.
  std::size_t serve(const Keyring& keys);
  [[nodiscard]] void* handle() { return socket_.handle(); }

 private:
  /// Handshakes answered before the loop does anything else.
  static constexpr std::size_t kPass = 64;

  explicit Zap(zmq::socket_t&& socket) : socket_(std::move(socket)) {}
  bool serve_one(const Keyring& keys);

  zmq::socket_t socket_;
};

}  // namespace ordo
