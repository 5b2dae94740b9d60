// A peer that speaks ZMTP by hand over a TCP socket: it can say what no library would.
//
// Shapes:  ZMTP 3.0 with mechanism NULL unless it is told otherwise. Bytes go out as they are
//          given.
// Errors:  what cannot be connected throws; a connection that the other side ends reads as closed.
// Threads: one owner.
// Source:  RFC 23 (ZMTP 3.0), RFC 15 (ZMTP 2.0), RFC 13 (ZMTP 1.0).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace ordo::testing {

class RawPeer {
 public:
  using Properties = std::vector<std::pair<std::string, std::string>>;

  /// `endpoint` as "tcp://127.0.0.1:7700".
  explicit RawPeer(const std::string& endpoint);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  /// False where the other side has hung up.
  bool send(std::string_view bytes);
  /// Whether the other side has hung up within the time; reads and forgets what comes.
  bool is_closed_within(Millis patience);
  /// The body of the next message frame; empty where none comes in time.
  std::string next_message(Millis patience);

  /// Greets and says READY with these properties beside Socket-Type DEALER; whether the other side
  /// has said READY too.
  bool shake_hands(const Properties& properties = {});
  /// One message of one part.
  bool send_message(std::string_view body) { return send(message(body, false)); }

  static std::string greeting(std::string_view mechanism);
  static std::string message(std::string_view body, bool has_more);
  static std::string command(std::string_view name, std::string_view data);

 private:
  bool read(std::string& bytes, std::size_t size, Millis patience);
  int fd_;
};

}  // namespace ordo::testing
