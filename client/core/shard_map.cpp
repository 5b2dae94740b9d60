#include "client/core/shard_map.hpp"

#include <algorithm>

#include "schema/hash.hpp"

namespace ordo::client {
namespace {

constexpr std::uint64_t kKeySlots = 4096;

}  // namespace

void ShardMap::set(std::vector<Home> homes) {
  std::sort(homes.begin(), homes.end(),
            [](const Home& a, const Home& b) { return a.shard < b.shard; });
  homes_ = std::move(homes);
  weights_ = 0;
  for (const Home& home : homes_) weights_ += home.weight;
}

const ShardMap::Home* ShardMap::find(ShardNumber shard) const {
  for (const Home& home : homes_) {
    if (home.shard == shard) return &home;
  }
  return nullptr;
}

void ShardMap::move(ShardNumber shard, LinkIndex link) {
  for (Home& home : homes_) {
    if (home.shard == shard) home.link = link;
  }
}

std::optional<OrderId> ShardMap::draw(Wall now, std::string_view key, Random& chance) const {
  if (!key.empty() && !homes_.empty()) {
    const std::uint64_t slot = content_hash(key) % kKeySlots;
    const Home& home = homes_[slot * homes_.size() / kKeySlots];
    return OrderId::make(to_ms(now), home.shard, chance.next());
  }
  if (weights_ == 0) return std::nullopt;
  std::uint64_t ticket = chance.below(weights_);
  for (const Home& home : homes_) {
    if (ticket < home.weight) return OrderId::make(to_ms(now), home.shard, chance.next());
    ticket -= home.weight;
  }
  return std::nullopt;
}

}  // namespace ordo::client
