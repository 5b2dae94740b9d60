// What a worker has done since it started, as plain numbers: for your own log or endpoint.
//
// Use:     Worker::stats() gives them, Worker::metrics() the same as Prometheus reads it.
// Units:   microseconds where it says so. What has happened only goes up; what is (slots, hung,
//          brokers …) goes both ways.
// Threads: a copy; the numbers in it may be a moment apart.
// Source:  docs/metrics.md, which lists what metrics() calls them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ordo {

/// Upper bounds of a handler's time, in microseconds: 1 ms to 24 h.
inline constexpr std::array<std::int64_t, 22> kHandlerBounds{
    1'000,          2'500,          5'000,          10'000,        25'000,      50'000,
    100'000,        250'000,        500'000,        1'000'000,     2'500'000,   5'000'000,
    10'000'000,     30'000'000,     60'000'000,     300'000'000,   900'000'000, 3'600'000'000,
    10'800'000'000, 21'600'000'000, 43'200'000'000, 86'400'000'000};

/// One registered handler. What it returned adds up to all of `took`.
struct HandlerStats {
  std::string handler;
  std::uint64_t succeeded = 0;
  std::uint64_t transient = 0;  ///< those that threw too
  std::uint64_t permanent = 0;
  std::uint64_t snoozed = 0;
  std::uint64_t unknown = 0;
  /// How many took up to each bound and longer than the one before; the last: longer than all.
  std::array<std::uint64_t, kHandlerBounds.size() + 1> took{};
  std::chrono::microseconds took_in_all{0};
};

/// Since start(). Handlers' outcomes add up to `ended`.
struct WorkerStats {
  std::uint64_t offered = 0;  ///< tasks taken
  std::uint64_t ended = 0;    ///< handlers that returned
  std::uint64_t succeeded = 0;
  std::uint64_t transient = 0;  ///< those that threw too
  std::uint64_t permanent = 0;
  std::uint64_t snoozed = 0;
  std::uint64_t unknown = 0;
  std::uint64_t recorded = 0;  ///< results that the broker has made durable
  std::uint64_t refused = 0;   ///< results that came too late
  std::uint64_t repeated = 0;  ///< results sent again
  std::uint64_t handed_back = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t reconnects = 0;
  std::uint32_t hung = 0;     ///< slots whose handler hangs now
  std::uint32_t brokers = 0;  ///< that know this worker now

  std::uint32_t brokers_named = 0;  ///< in the options
  std::uint32_t slots = 0;
  std::uint32_t slots_used = 0;       ///< that are in a handler now
  std::uint64_t ahead = 0;            ///< tasks taken that wait for a slot now
  std::uint64_t results_waiting = 0;  ///< ended, and not known to be recorded yet
  std::uint64_t revoked = 0;          ///< tasks that were given to somebody else
  std::uint64_t regranted = 0;        ///< tasks that went on here after a takeover
  std::uint64_t offers_stale = 0;     ///< dropped: somebody newer owns the shard or the task
  std::uint64_t offers_repeated = 0;  ///< dropped: it is here, or was
  std::uint64_t offers_over = 0;      ///< dropped: more than there was room for
  std::uint64_t hellos = 0;           ///< sent
  std::uint64_t beats = 0;            ///< sent
  std::uint64_t welcomes = 0;         ///< brokers that took the session in
  std::uint64_t frames_refused = 0;   ///< by a broker, of ours
  std::uint64_t frames_ignored = 0;   ///< from a broker: not understood, or of no use here
  bool is_draining = false;
  std::chrono::microseconds loop_age{0};  ///< since the worker's own thread last came round
  std::vector<HandlerStats> handlers;     ///< every registered one, by name
};

}  // namespace ordo
