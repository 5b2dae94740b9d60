// Where orders may live: the shards a broker named in its welcome, and how an id is drawn for one.
//
// Shapes:  a new order goes to a shard at random, by weight, so a new shard takes load the moment
//          it is named and no data moves. One with a business key goes to the key's home: hash onto
//          4,096 slots, slots onto the shards in ascending order, whatever their weight (a draining
//          shard still serves its keys).
// Errors:  nullopt where no shard takes new orders.
// Threads: one owner, the core.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "client/core/requests.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

class ShardMap {
 public:
  struct Home {
    ShardNumber shard = 0;
    std::uint32_t weight = 1;
    LinkIndex link = kNoLink;
  };

  /// Replaces the whole map.
  void set(std::vector<Home> homes);

  [[nodiscard]] bool is_empty() const { return homes_.empty(); }
  [[nodiscard]] const std::vector<Home>& homes() const { return homes_; }
  /// The shard's entry; nullptr where no such shard is known.
  [[nodiscard]] const Home* find(ShardNumber shard) const;
  /// Its orders go to the broker at `link` from now on; nothing where no such shard is known.
  void move(ShardNumber shard, LinkIndex link);
  /// An id for a new order, of the moment `now`.
  [[nodiscard]] std::optional<OrderId> draw(Wall now, std::string_view key, Random& chance) const;

 private:
  std::vector<Home> homes_;  // ascending by shard
  std::uint64_t weights_ = 0;
};

}  // namespace ordo::client
