// Numbers that a process shows: counters, gauges and histograms by name and labels, written by
// their owner for almost nothing and read by a scrape.
//
// Use:     counter(), gauge() or histogram() once for each place that counts; the reference stays
//          good as long as the book. text() is what Prometheus reads. The home of prometheus-cpp.
// Shapes:  a Family is a metric of the documents (families.hpp); a cell is one of its series.
// Units:   seconds in what is shown; observe() takes a duration.
// Threads: a cell has one writing thread; the book and text() any. Scraping locks nobody who
//          writes.
// Costs:   2 ns a count, 10 ns an observation, a lock and a look-up for a new series. At most
//          kSeries series a family: later ones share one whose labels are "other".
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metric_family.hpp"
#include "base/time.hpp"

namespace ordo {

class MetricBook {
 public:
  class Counter {
   public:
    void add(std::uint64_t more = 1) {
      value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
    /// For counts that are kept elsewhere; never goes down.
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };
  class Gauge {
   public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<double> value_{0};
  };
  class Histogram {
   public:
    explicit Histogram(std::span<const std::int64_t> bounds)
        : bounds_(bounds), counts_(bounds.size() + 1) {}
    void observe(Micros took) { observe(took.count()); }
    void observe(std::int64_t value);
    [[nodiscard]] std::span<const std::int64_t> bounds() const { return bounds_; }
    /// How many fell below bound `i` and above the one before; the last place is past all bounds.
    [[nodiscard]] std::uint64_t count(std::size_t i) const {
      return counts_[i].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::int64_t sum() const { return sum_.load(std::memory_order_relaxed); }

   private:
    std::span<const std::int64_t> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<std::int64_t> sum_{0};
  };
  using Labels = std::vector<std::string>;  ///< values, in the order of the family's names

  MetricBook();
  ~MetricBook();
  MetricBook(const MetricBook&) = delete;
  MetricBook& operator=(const MetricBook&) = delete;

  Counter& counter(const MetricFamily& family, Labels labels = {});
  Gauge& gauge(const MetricFamily& family, Labels labels = {});
  Histogram& histogram(const MetricFamily& family, Labels labels = {});

  /// Everything, in Prometheus' text format.
  [[nodiscard]] std::string text() const;

 private:
  class Page;
  Page& page(const MetricFamily& family, Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string_view, std::unique_ptr<Page>> pages_;
};

}  // namespace ordo
