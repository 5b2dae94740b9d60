#include "client/core/shard_map.hpp"

#include <algorithm>

#include "schema/hash.hpp"

namespace ordo::client {
namespace {

constexpr std::uint64_t kKeySlots = 4096;

}  // namespace

void ShardMap::merge(LinkIndex link, const std::vector<Home>& homes) {
  std::erase_if(homes_, [link](const Home& home) { return home.link == link; });
  for (const Home& home : homes) {
    const auto at =
        std::lower_bound(homes_.begin(), homes_.end(), home.shard,
                         [](const Home& known, ShardNumber shard) { return known.shard < shard; });
    if (at != homes_.end() && at->shard == home.shard) {
      *at = home;
    } else {
      homes_.insert(at, home);
    }
  }
  weigh();
}

void ShardMap::set_up(LinkIndex link, bool is_up) {
  for (Home& home : homes_) {
    if (home.link == link) home.is_up = is_up;
  }
  weigh();
}

void ShardMap::weigh() {
  weights_ = weights_up_ = 0;
  for (const Home& home : homes_) {
    weights_ += home.weight;
    if (home.is_up) weights_up_ += home.weight;
  }
}

const ShardMap::Home* ShardMap::find(ShardNumber shard) const {
  for (const Home& home : homes_) {
    if (home.shard == shard) return &home;
  }
  return nullptr;
}

void ShardMap::move(ShardNumber shard, LinkIndex link) {
  for (Home& home : homes_) {
    if (home.shard != shard || (home.link == link && home.is_up)) continue;
    home.link = link;
    home.is_up = true;
    weigh();
  }
}

std::optional<OrderId> ShardMap::draw(Wall now, std::string_view key, Random& chance) const {
  if (!key.empty() && !homes_.empty()) {
    const std::uint64_t slot = content_hash(key) % kKeySlots;
    const Home& home = homes_[slot * homes_.size() / kKeySlots];
    return OrderId::make(to_ms(now), home.shard, chance.next());
  }
  if (weights_ == 0) return std::nullopt;
  const bool is_any_up = weights_up_ > 0;
  std::uint64_t ticket = chance.below(is_any_up ? weights_up_ : weights_);
  for (const Home& home : homes_) {
    if (is_any_up && !home.is_up) continue;
    if (ticket < home.weight) return OrderId::make(to_ms(now), home.shard, chance.next());
    ticket -= home.weight;
  }
  return std::nullopt;
}

}  // namespace ordo::client
