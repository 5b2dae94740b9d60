// Knows who may come in: holds the keyring, answers handshakes from it, and follows its file.
//
// Use:     open() before the sockets are bound, prove() after; then serve() whenever the handle can
//          be read, and look() on each pass of the loop.
// Errors:  open(): those of Keyring. A changed file that cannot be read or has a bad line leaves
//          the keys as they were, and look() says so once a change.
// Threads: one owner, the broker's loop.
// Costs:   look() asks the system for the file's state every kLookEvery, and reads it after a
//          change.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "base/address.hpp"
#include "base/keyring.hpp"
#include "base/time.hpp"
#include "broker/net/zap.hpp"
#include "ordo/result.hpp"

namespace ordo {

class Doorkeeper {
 public:
  /// A revoked key is to stop working within a second.
  static constexpr Millis kLookEvery{250};

  static Result<std::unique_ptr<Doorkeeper>> open(zmq::context_t& context, std::string path);

  /// Answers handshakes that wait.
  std::size_t serve() { return zap_->serve(keys_); }
  [[nodiscard]] void* handle() { return zap_->handle(); }

  /// The live key; null where it is unknown or revoked.
  [[nodiscard]] const Key* live(std::string_view public_key) const;

  /// nullopt: nothing new. A value: other keys count from now on. An error: what is wrong with the
  /// file, while the keys from before go on counting.
  std::optional<Result<void>> look(Steady now);

 private:
  /// What tells one state of a file from another.
  struct Stamp {
    std::int64_t seconds = 0, nanoseconds = 0;
    ino_t inode = 0;
    off_t size = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  Doorkeeper(std::unique_ptr<Zap> zap, std::string path)
      : zap_(std::move(zap)), path_(std::move(path)) {}
  [[nodiscard]] Stamp stamp() const;

  std::unique_ptr<Zap> zap_;
  std::string path_;
  Keyring keys_;
  Stamp seen_;
  Steady next_look_{};
};

/// Whether a key that nobody knows is refused at `address`, whose public key is `broker_key`: dials
/// it with a fresh one. `serve` is called until it is clear. Error: kUnavailable "self_test".
Result<void> prove_refusal(zmq::context_t& context, const Address& address,
                           const std::string& broker_key, const std::function<void()>& serve);

}  // namespace ordo
