// What happens in the world after some effects: a customer pays, a merchant accepts, a parcel
// leaves, a rider arrives. When, whether, and how often the shop is told.
//
// Shapes:  a Consequence an operation; plan() says for one effect whether what it waits for comes
//          true at all, and after how long each callback is sent. A payment can come true and
//          nobody says so (found by payments/query), come after the order gave up, be told twice,
//          or be told at once, before the order is there.
// Units:   seconds at time scale 1, per mille of effects.
// Source:  median and 99th percentile are guesses of a shop's life. kRetryAfter is how a large
//          payment provider repeats its notices: 15 times within a day.
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "examples/shop/call.hpp"

namespace ordo::shop {

struct Consequence {
  std::string_view service, operation;
  std::string_view signal;  ///< what the shop is told
  double median_s = 1, p99_s = 2;
  double never_permille = 0;  ///< does not come true
  bool is_payment = false;    ///< with all the ways in which notices of payments go wrong
};

/// nullptr where nothing follows.
const Consequence* find_consequence(std::string_view service, std::string_view operation);

struct PlannedCallbacks {
  bool is_true = true;         ///< else nothing happens, ever
  double true_after_s = 0;     ///< when it comes true
  std::vector<double> tell_s;  ///< when each callback leaves; empty: nobody is told
};
/// `pipeline` decides how many pay at all and how long an order waits.
PlannedCallbacks plan(const Consequence& what, std::string_view pipeline, std::uint64_t seed,
                      std::string_view key);

/// The delay before try n + 1 of a callback that nobody has acknowledged.
inline constexpr std::array<double, 15> kRetryAfter_s{
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600};

/// A word to the shop about an order.
struct Callback {
  std::string id;  ///< the same for each try; another for a second telling of the same thing
  std::string order, signal, pipeline;
  std::string dedup;  ///< names what happened: the same for a second telling
  Json payload = Json::object();
};
/// {"order","signal","pipeline","dedup","payload"}
Json to_json(const Callback& callback);

}  // namespace ordo::shop
