// The connections of one socket: numbers for the core, routing ids for libzmq, and what is being
// packed for each.
//
// Shapes:  numbers ascend and are never used again; a connection that comes back is another peer.
// Threads: one owner, the broker's loop.
// Costs:   one hash look-up by either name; the last peer found is remembered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/keyring.hpp"
#include "base/time.hpp"
#include "broker/core/effects.hpp"
#include "broker/net/frame_packer.hpp"

namespace ordo {

struct Peer {
  PeerId id = 0;
  std::string route;
  Steady heard{};          ///< when the last frame came
  std::optional<Key> key;  ///< as it stood when this peer was first heard; none in plain text
  FramePacker packer;
  bool is_packing = false;  ///< stands in the list of those to flush
};

class Peers {
 public:
  /// The peer behind a routing id, a new one where it is not known.
  Peer& at_route(std::string_view route);
  /// Null when it is gone.
  Peer* find(PeerId id);
  void forget(PeerId id);
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  template <class F> void for_each(F&& f) {
    for (auto& [id, peer] : by_id_) f(*peer);
  }

 private:
  struct RouteHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view route) const {
      return std::hash<std::string_view>{}(route);
    }
  };
  PeerId next_ = 1;
  Peer* last_ = nullptr;
  std::unordered_map<PeerId, std::unique_ptr<Peer>> by_id_;
  std::unordered_map<std::string, Peer*, RouteHash, std::equal_to<>> by_route_;
};

}  // namespace ordo
