#include "examples/shop/pipeline_scale.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <regex>

namespace ordo::shop {
namespace {

double unit_ms(const std::string& unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1e3;
  if (unit == "m") return 60e3;
  return unit == "h" ? 3600e3 : 86'400e3;
}

/// What the machine needs beside the people: an order held back by a breaker still ends in time …
constexpr double kLeastDeadline_ms = 300e3;
/// … and a callback on its way on a busy machine still comes in time.
constexpr double kLeastWait_ms = 5e3;

/// The first duration behind `key` in a line, no shorter than `least_ms` unless it was so before.
std::string scaled(const std::string& line, const std::string& key, double scale, double least_ms) {
  const std::regex duration("\\b" + key + ": *([0-9]+)(ms|s|m|h|d)\\b");
  std::smatch found;
  if (!std::regex_search(line, found, duration)) return line;
  const double ms = std::strtod(found[1].str().c_str(), nullptr) * unit_ms(found[2].str());
  const auto short_ms = std::llround(std::max(ms * scale, std::min(ms, least_ms)));
  return found.prefix().str() + key + ": " + std::to_string(short_ms) + "ms" + found.suffix().str();
}

std::string scaled_line(const std::string& line, double scale) {
  if (line.starts_with("deadline:")) return scaled(line, "deadline", scale, kLeastDeadline_ms);
  const std::string text = line.substr(0, line.find('#'));
  if (text.find("wait:") != std::string::npos) return scaled(line, "timeout", scale, kLeastWait_ms);
  if (text.find("delay:") != std::string::npos) return scaled(line, "delay", scale, 1);
  return line;
}

}  // namespace

std::string scale_pipeline(std::string_view yaml, double scale) {
  std::string all;
  while (!yaml.empty()) {
    const auto end = std::min(yaml.find('\n'), yaml.size());
    all += scaled_line(std::string(yaml.substr(0, end)), scale) + '\n';
    yaml.remove_prefix(std::min(end + 1, yaml.size()));
  }
  return all;
}

}  // namespace ordo::shop
