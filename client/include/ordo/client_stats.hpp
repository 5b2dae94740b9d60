// What a client has done since it was made, as plain numbers: for your own log or endpoint.
//
// Use:     Client::stats() gives them, to_prometheus() writes them for a scrape.
// Rule:    submitted = accepted + duplicate + all of rejected + the submits in flight.
// Units:   `ack` counts microseconds. What has happened only goes up; in_flight, bytes_in_flight
//          and brokers go both ways.
// Threads: a copy; the numbers in it may be a moment apart.
// Source:  docs/metrics.md, which lists what to_prometheus() calls them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "ordo/result.hpp"

namespace ordo::client {

/// Upper bounds of the time from submit to acknowledged, in microseconds: 50 µs to 10 s.
inline constexpr std::array<std::int64_t, 17> kAckBounds{
    50,     100,     250,     500,     1'000,     2'500,     5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

struct Stats {
  std::uint64_t in_flight = 0;  ///< requests without an answer, of all kinds
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t brokers = 0;  ///< that answer now

  std::uint64_t submitted = 0;  ///< orders, each once however often it was sent
  std::uint64_t accepted = 0;   ///< new and durable
  std::uint64_t duplicate = 0;  ///< durable, and the broker had them before
  /// Submits that were answered with an error, by Code's number; `unknown` is one of them.
  std::array<std::uint64_t, 11> rejected{};
  std::uint64_t turned_away = 0;  ///< requests not even begun: the bound in flight was met

  std::uint64_t busy = 0;             ///< answers `busy`, also those that were tried again
  std::uint64_t retried = 0;          ///< requests sent again after a refusal for now
  std::uint64_t resent = 0;           ///< … because it was not known whether they had happened
  std::uint64_t late = 0;             ///< answers that nobody waited for any more
  std::uint64_t submit_timeouts = 0;  ///< time was up, whatever the answer then was
  std::uint64_t wait_timeouts = 0;
  std::uint64_t call_timeouts = 0;  ///< of all other calls
  std::uint64_t welcomes = 0;       ///< connections that a broker took in
  std::uint64_t lost = 0;           ///< connections that were given up or broke

  /// Accepted and duplicate submits that took up to each bound and longer than the one before; the
  /// last: longer than all.
  std::array<std::uint64_t, kAckBounds.size() + 1> ack{};
  std::chrono::microseconds ack_in_all{0};

  [[nodiscard]] std::uint64_t rejected_as(Code code) const {
    return rejected[static_cast<std::size_t>(code)];
  }
};

/// In Prometheus' text format, for an endpoint of your own. One client a process: two texts cannot
/// be one scrape.
std::string to_prometheus(const Stats& stats);

}  // namespace ordo::client
