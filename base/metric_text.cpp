#include "base/metric_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.hpp"

namespace ordo {
namespace {

std::string_view word_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: return "histogram";
  }
  return "untyped";
}

/// The fewest digits that give the same number again, without an exponent.
std::string digits_of(double value) {
  std::array<char, 512> room{};
  const auto written =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::fixed);
  return {room.data(), written.ptr};
}

void add_escaped(std::string& text, std::string_view value, bool is_label) {
  for (const char c : value) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '"' && is_label) {
      text += "\\\"";
    } else {
      text += c;
    }
  }
}

}  // namespace

void MetricText::head(const MetricFamily& family) {
  if (current_ == &family) return;
  current_ = &family;
  ORDO_CHECK(written_.insert(family.name).second, family.name);
  text_.append("# HELP ").append(family.name) += ' ';
  add_escaped(text_, family.help, false);
  text_.append("\n# TYPE ").append(family.name) += ' ';
  text_.append(word_of(family.type)) += '\n';
}

void MetricText::line(const MetricFamily& family, std::string_view suffix, Labels labels,
                      std::string_view bound, double value) {
  text_.append(family.name).append(suffix);
  std::string_view names = family.labels;
  char before = '{';
  const auto add = [&](std::string_view name, std::string_view label) {
    text_ += before;
    text_.append(name).append("=\"");
    add_escaped(text_, label, true);
    text_ += '"';
    before = ',';
  };
  for (const std::string_view label : labels) {
    ORDO_CHECK(!names.empty(), family.name);
    const auto comma = std::min(names.find(','), names.size());
    add(names.substr(0, comma), label);
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  ORDO_CHECK(names.empty(), family.name);
  if (!bound.empty()) add("le", bound);
  if (before == ',') text_ += '}';
  text_ += ' ';
  text_.append(digits_of(value)) += '\n';
}

void MetricText::value(const MetricFamily& family, Labels labels, double value) {
  head(family);
  line(family, "", labels, "", value / family.unit);
}

void MetricText::histogram(const MetricFamily& family, Labels labels,
                           std::span<const std::uint64_t> counts, std::int64_t sum) {
  ORDO_CHECK(counts.size() == family.bounds.size() + 1, family.name);
  head(family);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    const bool is_last = i == family.bounds.size();
    const auto bound = is_last ? std::string("+Inf")
                               : digits_of(static_cast<double>(family.bounds[i]) / family.unit);
    line(family, "_bucket", labels, bound, static_cast<double>(all));
  }
  line(family, "_sum", labels, "", static_cast<double>(sum) / family.unit);
  line(family, "_count", labels, "", static_cast<double>(all));
}

}  // namespace ordo
