// The load of a bench: orders by the client SDK, closed loop (as fast as they finish) or open loop
// (at a rate, whatever comes back).
//
// Units:   latencies are counted from the intended time of a submit, not from when it got its turn.
// Threads: run() on the caller's thread; answers come on the client's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "bench/shared_page.hpp"
#include "ordo/client.hpp"

namespace ordo::bench {

struct LoadCounts {
  std::atomic<std::uint64_t> submitted{0};
  std::atomic<std::uint64_t> acked{0};
  std::atomic<std::uint64_t> busy{0};
  std::atomic<std::uint64_t> failed{0};
  Histogram ack;     ///< intended submit to durable ack
  Histogram reject;  ///< intended submit to `busy`
};

class Load {
 public:
  Load(client::Client& client, std::string pipeline, std::size_t payload_bytes)
      : client_(client), pipeline_(std::move(pipeline)), payload_bytes_(payload_bytes) {}
  ~Load() { settle(); }

  /// Keeps at most `open` orders between submit and end (by `ended()`) until `stop()`.
  void closed_loop(std::uint64_t open, const std::function<std::uint64_t()>& ended,
                   const std::function<bool()>& stop);
  /// Submits `rate` orders a second until `stop()`. `retries_busy` false: a `busy` is an answer.
  void open_loop(double rate, bool retries_busy, const std::function<bool()>& stop);
  /// Submits `count` orders as fast as acks come.
  void fill(std::uint64_t count, const std::function<void(std::uint64_t)>& progress);
  /// Waits until everything has its answer.
  void settle();

  LoadCounts counts;

 private:
  void submit(std::size_t many, std::int64_t intended, bool retries_busy);
  client::Client& client_;
  std::string pipeline_;
  std::size_t payload_bytes_;
  std::atomic<std::uint64_t> unanswered_{0};
};

}  // namespace ordo::bench
