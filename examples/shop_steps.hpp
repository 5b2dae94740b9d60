// The services of a shop as the examples imagine them: how long each step takes and how often it
// fails.
//
// Shapes:  a catalogue of steps by pipeline; draw() gives one attempt's duration and outcome.
// Units:   milliseconds at time scale 1, per mille for chances.
// Source:  plausible figures of services inside one data centre. Durations are lognormal: most
//          calls are quick, a few take ten times as long, which is what a queue has to live with.
// Threads: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.hpp"

namespace ordo::shop {

struct ShopStep {
  std::string_view pipeline;
  std::string_view step;
  double median_ms = 10;
  double p99_ms = 80;
  double transient_permille = 2;  ///< of attempts: the service is away for a moment
  double permanent_permille = 0;  ///< of attempts: a business reason, the order fails
  std::string_view reason{};      ///< that reason
  /// Nothing depends on it: what would be a permanent failure is noted in the result, and the order
  /// goes on.
  bool is_optional = false;
};

enum class Fate : std::uint8_t { kSucceeds, kTransient, kPermanent };

struct Draw {
  double ms = 0;
  Fate fate = Fate::kSucceeds;
};

/// The entry of a step; nullptr for a step that no example has.
const ShopStep* find_step(std::string_view pipeline, std::string_view step);
/// The name of each step once, whichever pipelines have it.
std::vector<std::string_view> step_names();

/// One attempt, decided by `random` alone.
Draw draw(const ShopStep& step, Random& random);

}  // namespace ordo::shop
