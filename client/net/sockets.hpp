// The client's sockets: one DEALER a broker, watched by libzmq's monitor.
//
// Shapes:  links are numbered by the core, densely from 0. A frame that cannot leave at once waits
//          in its link's own line and goes first; a line is dropped when its connection breaks,
//          because the core sends everything again then.
// Errors:  an endpoint that cannot be dialed at all is refused by open(); a lost connection is an
//          event, not an error.
// Threads: one owner, the net thread.
// Source:  libzmq 4.3: ZMQ_IMMEDIATE keeps frames out of pipes without a peer; the monitor's
//          HANDSHAKE_SUCCEEDED is the first moment at which a frame can reach the broker. After a
//          refused handshake libzmq dials no more: we do.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "base/key_file.hpp"
#include "base/time.hpp"
#include "client/core/client_core.hpp"
#include "ordo/result.hpp"

namespace ordo::client {

class Sockets {
 public:
  using OnFrame = std::function<void(LinkIndex, std::string_view)>;
  using OnLink = std::function<void(LinkIndex, bool is_up, std::string_view why_not)>;

  explicit Sockets(DialKeys keys);
  ~Sockets();

  Result<void> open(LinkIndex link, const std::string& endpoint);
  void reset(LinkIndex link);
  void send(LinkIndex link, std::string frame);

  /// Hands over what has arrived, without waiting, at most kBurst frames a link.
  void receive(const OnLink& on_link, const OnFrame& on_frame);
  /// Waits until something arrived, `wake_fd` is readable (then true) or `patience` is over.
  bool wait(int wake_fd, Micros patience);

 private:
  struct Line {
    std::string endpoint;
    zmq::socket_t dealer;
    zmq::socket_t monitor;
    std::deque<std::string> unsent;
    Steady redial_at = Steady::max();
  };

  bool dial(Line& line);
  void flush(Line& line);
  void read_monitor(LinkIndex link, const OnLink& on_link);
  void redial_refused();

  /// Frames taken from one link before the others and the callers get their turn.
  static constexpr int kBurst = 256;

  DialKeys keys_;
  zmq::context_t context_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::uint64_t monitors_ = 0;
};

}  // namespace ordo::client
