// What the worker process of a bench tells the bench: counters and a histogram in memory that both
// map.
//
// Shapes:  a page in an anonymous shared mapping that the child inherits as a file descriptor.
// Units:   the histogram has a bucket each 2 % from 1 µs on (log-linear), so a percentile is right
//          to 2 %.
// Threads: atomics; relaxed, because nothing else hangs on them.
#pragma once

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>

namespace ordo::bench {

class Histogram {
 public:
  static constexpr std::size_t kBuckets = 1200;
  void add(std::int64_t micros) {
    const double value = micros < 1 ? 1.0 : static_cast<double>(micros);
    auto bucket = static_cast<std::size_t>(std::log(value) / kStep);
    if (bucket >= kBuckets) bucket = kBuckets - 1;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  }
  void reset() {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const auto& count : counts_) sum += count.load(std::memory_order_relaxed);
    return sum;
  }
  /// In milliseconds; 0 when it is empty. `part` 0 to 1.
  [[nodiscard]] double percentile_ms(double part) const {
    const auto wanted = static_cast<double>(count()) * part;
    double seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += static_cast<double>(counts_[i].load(std::memory_order_relaxed));
      if (seen > 0 && seen >= wanted) return std::exp(static_cast<double>(i + 1) * kStep) / 1000;
    }
    return 0;
  }

 private:
  static constexpr double kStep = 0.0198;  // ln(1.02)
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
};

struct SharedPage {
  std::atomic<std::uint64_t> tasks{0};       ///< handlers that ran
  std::atomic<std::uint64_t> last_steps{0};  ///< … of an order's last step
  std::atomic<std::uint64_t> first_steps{0};
  Histogram start;  ///< intended submit to first step's start
};

/// A new page; its descriptor is inherited by children and goes to them as a number.
class PageMapping {
 public:
  PageMapping();                         ///< creates
  explicit PageMapping(int descriptor);  ///< maps one that was inherited
  ~PageMapping();
  PageMapping(const PageMapping&) = delete;
  PageMapping& operator=(const PageMapping&) = delete;
  SharedPage* operator->() { return page_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  SharedPage* page_ = nullptr;
};

/// Steady microseconds, the same for all processes of a machine.
std::int64_t steady_micros();

}  // namespace ordo::bench
