// Where the client's own thread puts a copy of its numbers for whoever asks.
//
// Threads: one writes, any reads. A reader may see one number of this pass beside one of the last;
//          each of them is whole.
// Costs:   a store a number, once a pass of the thread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "ordo/client_stats.hpp"

namespace ordo::client {

class StatsBoard {
 public:
  void put(const Stats& stats) {
    const auto words = std::bit_cast<Words>(stats);
    for (std::size_t i = 0; i < words.size(); ++i) {
      words_[i].store(words[i], std::memory_order_relaxed);
    }
  }
  [[nodiscard]] Stats look() const {
    Words words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = words_[i].load(std::memory_order_relaxed);
    }
    return std::bit_cast<Stats>(words);
  }

 private:
  static_assert(std::is_trivially_copyable_v<Stats> && sizeof(Stats) % sizeof(std::uint64_t) == 0);
  using Words = std::array<std::uint64_t, sizeof(Stats) / sizeof(std::uint64_t)>;

  std::array<std::atomic<std::uint64_t>, sizeof(Stats) / sizeof(std::uint64_t)> words_{};
};

}  // namespace ordo::client
