#include "broker/net/peers.hpp"

namespace ordo {

Peer& Peers::at_route(std::string_view route) {
  if (last_ != nullptr && last_->route == route) return *last_;
  const auto known = by_route_.find(route);
  if (known != by_route_.end()) return *(last_ = known->second);
  auto peer = std::make_unique<Peer>();
  peer->id = next_++;
  peer->route = std::string(route);
  last_ = peer.get();
  by_route_.emplace(peer->route, last_);
  by_id_.emplace(peer->id, std::move(peer));
  return *last_;
}

Peer* Peers::find(PeerId id) {
  if (last_ != nullptr && last_->id == id) return last_;
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return nullptr;
  return last_ = known->second.get();
}

void Peers::forget(PeerId id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  if (last_ == known->second.get()) last_ = nullptr;
  by_route_.erase(known->second->route);
  by_id_.erase(known);
}

}  // namespace ordo
