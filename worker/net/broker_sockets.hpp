// The sockets to the brokers: one DEALER each, whose bytes become events and whose messages become
// frames.
//
// Shapes:  send() never blocks; what a connection cannot take yet waits, up to a bound, for as long
//          as that connection lives. wait() turns connections, disconnections and frames into
//          events.
// Errors:  a frame that cannot be decoded is dropped and counted; an endpoint that cannot be
//          dialled is an Error.
// Threads: one owner, the worker's loop; wake() from any thread, also from a signal handler.
// Source:  zmq_setsockopt(3), zmq_socket_monitor(3); docs/protocol.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/key_file.hpp"
#include "base/time.hpp"
#include "ordo/result.hpp"
#include "worker/core/events.hpp"

namespace ordo::worker {

class BrokerSockets {
 public:
  BrokerSockets(std::vector<std::string> endpoints, DialKeys keys);
  ~BrokerSockets();
  BrokerSockets(const BrokerSockets&) = delete;
  BrokerSockets& operator=(const BrokerSockets&) = delete;

  /// Drops the link's connection with what waits in it, and dials anew.
  Result<void> dial(LinkIndex link);
  void send(LinkIndex link, const wire::Message& message);
  /// Appends what happened; returns when something did, wake() was called or `patience` is over.
  void wait(Micros patience, std::vector<Event>& events);
  void wake() noexcept;
  /// Closes every connection; what was sent has a fifth of a second to leave. Only wake() may
  /// follow.
  void close();
  /// Frames that could not be decoded.
  [[nodiscard]] std::uint64_t undecodable() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ordo::worker
