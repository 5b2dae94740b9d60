// Where orders may live: the shards that brokers named in their welcomes, and how an id is drawn
// for one.
//
// Shapes:  a new order goes to a shard at random, by weight, so a new shard takes load the moment
//          it is named and no data moves; only to shards whose broker is there, unless none is. One
//          with a business key goes to the key's home: hash onto 4,096 slots, slots onto the shards
//          in ascending order, whatever their weight and whether or not their broker is there (a
//          draining shard still serves its keys, and a key must not move).
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
    bool is_up = false;  ///< its broker is there
  };

  /// What the broker at `link` says: its shards, and perhaps others'. Replaces what the map had of
  /// that link and of the shards that it names; a shard named twice counts as it was named last.
  void merge(LinkIndex link, const std::vector<Home>& homes);
  /// Whether the broker at `link` is there.
  void set_up(LinkIndex link, bool is_up);

  [[nodiscard]] bool is_empty() const { return homes_.empty(); }
  [[nodiscard]] const std::vector<Home>& homes() const { return homes_; }
  /// The shard's entry; nullptr where no such shard is known.
  [[nodiscard]] const Home* find(ShardNumber shard) const;
  /// Its orders go to the broker at `link`, which is there, from now on; nothing where no such
  /// shard is known.
  void move(ShardNumber shard, LinkIndex link);
  /// An id for a new order, of the moment `now`.
  [[nodiscard]] std::optional<OrderId> draw(Wall now, std::string_view key, Random& chance) const;

 private:
  void weigh();

  std::vector<Home> homes_;       // ascending by shard
  std::uint64_t weights_ = 0;     // of all
  std::uint64_t weights_up_ = 0;  // of those whose broker is there
};

}  // namespace ordo::client
