#include "monitoring/probe/metric_book.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

#include "base/check.hpp"

namespace ordo {
namespace {

// Far more than pipelines have steps; a label that grows with the traffic is stopped here.
constexpr std::size_t kSeries = 5000;

std::vector<std::string> names_of(std::string_view labels) {
  std::vector<std::string> names;
  while (!labels.empty()) {
    const auto comma = std::min(labels.find(','), labels.size());
    names.emplace_back(labels.substr(0, comma));
    labels.remove_prefix(std::min(comma + 1, labels.size()));
  }
  return names;
}

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return prometheus::MetricType::Counter;
    case MetricType::kGauge: return prometheus::MetricType::Gauge;
    case MetricType::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

/// One family and its series.
class MetricBook::Page {
 public:
  explicit Page(const MetricFamily& about) : family(about), names(names_of(about.labels)) {}

  const MetricFamily& family;
  std::vector<std::string> names;
  std::map<Labels, std::unique_ptr<Counter>> counters;
  std::map<Labels, std::unique_ptr<Gauge>> gauges;
  std::map<Labels, std::unique_ptr<Histogram>> histograms;

  [[nodiscard]] std::size_t size() const {
    return counters.size() + gauges.size() + histograms.size();
  }
  [[nodiscard]] bool has(const Labels& labels) const {
    return counters.count(labels) + gauges.count(labels) + histograms.count(labels) != 0;
  }

  [[nodiscard]] prometheus::MetricFamily collect() const {
    prometheus::MetricFamily out;
    out.name = family.name;
    out.help = family.help;
    out.type = type_of(family.type);
    for (const auto& [labels, cell] : counters) {
      labelled(out, labels).counter.value = static_cast<double>(cell->value()) / family.unit;
    }
    for (const auto& [labels, cell] : gauges) labelled(out, labels).gauge.value = cell->value();
    for (const auto& [labels, cell] : histograms) fill(labelled(out, labels).histogram, *cell);
    return out;
  }

 private:
  prometheus::ClientMetric& labelled(prometheus::MetricFamily& out, const Labels& labels) const {
    auto& metric = out.metric.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) metric.label.push_back({names[i], labels[i]});
    return metric;
  }

  void fill(prometheus::ClientMetric::Histogram& out, const Histogram& cell) const {
    for (std::size_t i = 0; i < cell.bounds().size(); ++i) {
      out.sample_count += cell.count(i);
      out.bucket.push_back({out.sample_count, static_cast<double>(cell.bounds()[i]) / family.unit});
    }
    out.sample_count += cell.count(cell.bounds().size());
    out.sample_sum = static_cast<double>(cell.sum()) / family.unit;
  }
};

void MetricBook::Histogram::observe(std::int64_t value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  auto& count = counts_[static_cast<std::size_t>(bound - bounds_.begin())];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

MetricBook::MetricBook() = default;
MetricBook::~MetricBook() = default;

MetricBook::Page& MetricBook::page(const MetricFamily& family, Labels& labels) {
  auto& page = pages_[family.name];
  if (!page) page = std::make_unique<Page>(family);
  ORDO_CHECK(labels.size() == page->names.size(), family.name);
  if (page->size() >= kSeries && !page->has(labels)) labels.assign(labels.size(), "other");
  return *page;
}

MetricBook::Counter& MetricBook::counter(const MetricFamily& family, Labels labels) {
  const std::lock_guard lock(mutex_);
  auto& cell = page(family, labels).counters[labels];
  if (!cell) cell = std::make_unique<Counter>();
  return *cell;
}

MetricBook::Gauge& MetricBook::gauge(const MetricFamily& family, Labels labels) {
  const std::lock_guard lock(mutex_);
  auto& cell = page(family, labels).gauges[labels];
  if (!cell) cell = std::make_unique<Gauge>();
  return *cell;
}

MetricBook::Histogram& MetricBook::histogram(const MetricFamily& family, Labels labels) {
  const std::lock_guard lock(mutex_);
  auto& cell = page(family, labels).histograms[labels];
  if (!cell) cell = std::make_unique<Histogram>(family.bounds);
  return *cell;
}

std::string MetricBook::text() const {
  std::vector<prometheus::MetricFamily> families;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, page] : pages_) families.push_back(page->collect());
  }
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, families);
  return out.str();
}

}  // namespace ordo
