// The broker's door: one ROUTER for clients, one for workers. Turns frames into events and sends
// into frames, and numbers the connections.
//
// Use:     wait() until something is to do; receive() takes a bounded amount from each socket;
//          send() performs a core's sends and flush() lets what was packed leave; take_gone() tells
//          who was found gone by it.
// Rule:    a frame that cannot be decoded is answered with a Refusal and counted: never an event,
//          never fatal. With keys, each message is held against the rights of the key that its
//          connection came with; plain text is for loopback alone, and where it was asked for.
// Errors:  open(): kUnavailable "listen" or "self_test", kMalformed "plaintext", those of key files
//          and keyrings. A peer whose line is full counts as gone.
// Threads: one owner, the broker's loop.
// Costs:   one look-up a frame in and out; at most kPassItems items are taken from a socket at a
//          time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/time.hpp"
#include "broker/core/effects.hpp"
#include "broker/core/events.hpp"
#include "ordo/result.hpp"

namespace ordo {

struct GatewaySettings {
  Address clients{"127.0.0.1", 7700};
  Address workers{"127.0.0.1", 7701};
  bool plaintext = false;       ///< on loopback only; excludes the two below
  std::string keyring;          ///< file of the keys that may come in
  std::string secret_key_file;  ///< file of the broker's own key
};

/// What one of the sockets has seen since the start.
struct SocketCounts {
  std::uint64_t frames_in = 0, frames_out = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t beats = 0;          ///< heartbeats that came in
  std::uint64_t refused = 0;        ///< frames answered with a Refusal
  std::uint64_t forbidden = 0;      ///< messages and orders that a key did not allow
  std::uint64_t gone = 0;           ///< peers found gone by a send
  std::uint64_t full = 0;           ///< peers given up because their line was full
  std::uint64_t undeliverable = 0;  ///< items for a peer that was gone already
  std::size_t peers = 0;            ///< connections known now
};

class Gateway {
 public:
  using Side = Send::To;
  using Sink = std::function<void(Event&&)>;

  static Result<std::unique_ptr<Gateway>> open(const GatewaySettings& settings);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Sleeps until a frame waits, `wake` can be read or `patience` has passed.
  void wait(int wake, Micros patience);
  /// Takes what waits at one socket, up to the bound. How many frames it took.
  std::size_t receive(Side side, Steady now, const Sink& sink);
  /// Packs the items; complete frames leave at once. The vector is empty then.
  void send(std::vector<Send>& sends);
  /// What is still being packed leaves.
  void flush();
  /// Forgets peers that have been silent for a minute; call it about once a second.
  void forget_silent(Steady now);
  /// Follows the keyring's file; call it on each pass. Peers whose key is gone, revoked or of other
  /// rights are forgotten. What happened is a line for the log; an error leaves the keys as they
  /// were.
  std::optional<Result<void>> follow_keys(Steady now);
  /// Events ClientGone and WorkerGone since the last call.
  void take_gone(std::vector<Event>& out);

  [[nodiscard]] const SocketCounts& counts(Side side) const;
  /// Where it listens, ports filled in.
  [[nodiscard]] const Address& address(Side side) const;

 private:
  class Socket;
  class Shell;
  explicit Gateway(std::unique_ptr<Shell> shell);
  std::unique_ptr<Shell> shell_;
};

}  // namespace ordo
