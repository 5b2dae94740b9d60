// Writes numbers in Prometheus' text format, for programs that link no metrics library: the SDKs.
//
// Use:     value() and histogram(), all series of a family one after another; then text().
// Rule:    each family is written once: its head stands before its first series, and a family that
//          comes again later would have two (checked).
// Errors:  a number of labels that is not the family's trips a check.
// Threads: one owner.
// Costs:   about 200 ns a line.
// Source:  Prometheus' exposition format, version 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/metric_family.hpp"

namespace ordo {

class MetricText {
 public:
  using Labels = std::initializer_list<std::string_view>;  ///< values, in the order of the names

  /// A counter or a gauge, as it is counted: the family's unit divides it.
  void value(const MetricFamily& family, Labels labels, double value);
  void count(const MetricFamily& family, Labels labels, std::uint64_t value) {
    this->value(family, labels, static_cast<double>(value));
  }
  /// `counts`: how many fell below each bound and above the one before; one more place past all.
  void histogram(const MetricFamily& family, Labels labels, std::span<const std::uint64_t> counts,
                 std::int64_t sum);

  [[nodiscard]] const std::string& text() const { return text_; }

  /// What text() is, for HTTP.
  static constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  void head(const MetricFamily& family);
  void line(const MetricFamily& family, std::string_view suffix, Labels labels,
            std::string_view bound, double value);

  std::string text_;
  const MetricFamily* current_ = nullptr;
  std::set<std::string_view> written_;
};

}  // namespace ordo
