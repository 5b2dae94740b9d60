// The services of a shop as the examples imagine them: how long each step takes and how often it
// fails.
//
// Shapes:  a catalogue of handlers by pipeline, with the service that each calls; draw() gives one
//          attempt's duration and outcome.
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
  std::string_view handler;    ///< of a step, a compensation or a fallback
  std::string_view service;    ///< that it calls; empty: none, it is the worker's own
  std::string_view operation;  ///< of that service
  double median_ms = 10;
  double p99_ms = 80;
  double transient_permille = 2;  ///< of attempts: the service is away for a moment
  double permanent_permille = 0;  ///< of attempts: a business reason, the order fails
  std::string_view reason{};      ///< that reason
  /// Nothing depends on it: what would be a permanent failure is noted in the result, and the order
  /// goes on.
  bool is_optional = false;
  double unknown_permille = 0;  ///< of attempts: nobody is told whether it was done; half were
};

enum class Fate : std::uint8_t { kSucceeds, kTransient, kPermanent };

struct Draw {
  double ms = 0;
  Fate fate = Fate::kSucceeds;
};

/// The entry of a handler; nullptr for one that no example has.
const ShopStep* find_step(std::string_view pipeline, std::string_view handler);
/// The entry that calls an operation: of that pipeline, else of any; nullptr where none calls it.
const ShopStep* find_operation(std::string_view pipeline, std::string_view service,
                               std::string_view operation);
/// The name of each handler once, whichever pipelines have it.
std::vector<std::string_view> handler_names();

/// Of a lognormal distribution with that median and 99th percentile, in their unit.
double lognormal(double median, double p99, Random& random);

/// One attempt, decided by `random` alone.
Draw draw(const ShopStep& step, Random& random);

}  // namespace ordo::shop
