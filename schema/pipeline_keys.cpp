#include "schema/pipeline_keys.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>

#include "schema/pipeline_values.hpp"

namespace ordo::pipeline {
namespace {

/// Words that other systems use for ours.
constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kForeign{{
    {"depends_on", "after"},
    {"depends", "after"},
    {"needs", "after"},
    {"requires", "after"},
    {"dependsOn", "after"},
    {"retries", "retry"},
    {"compensation", "compensate"},
    {"undo", "compensate"},
    {"rollback", "compensate"},
    {"if", "when"},
    {"condition", "when"},
    {"foreach", "each"},
    {"for_each", "each"},
    {"signal", "wait"},
    {"sleep", "delay"},
    {"task", "handler"},
    {"action", "handler"},
    {"ttl", "timeout"},
    {"max_attempts", "attempts"},
    {"limit", "attempts"},
    {"initial", "first"},
    {"backoff", "factor"},
    {"max_delay", "cap"},
    {"name", "pipeline"},
    {"tasks", "steps"},
    {"jobs", "steps"},
    {"concurrency_key", "limit_key"},
}};

std::string suggest(std::string_view word, std::span<const std::string_view> known) {
  const auto foreign = std::find_if(kForeign.begin(), kForeign.end(),
                                    [&](const auto& pair) { return pair.first == word; });
  if (foreign != kForeign.end() &&
      std::find(known.begin(), known.end(), foreign->second) != known.end()) {
    return "did you mean `" + std::string(foreign->second) + "`?";
  }
  if (std::string near = did_you_mean(word, known); !near.empty()) return near;
  std::string all;
  for (const std::string_view key : known) all += (all.empty() ? "" : ", ") + std::string(key);
  return "known are " + all;
}

}  // namespace

bool for_each_key(const Node& node, const KnownKeys& known, Problems& problems,
                  const OnKey& on_key) {
  if (!node.is_map()) {
    problems.add(node.at, std::string(known.of) + " is a map of keys, not " + describe(node),
                 std::string(known.shape));
    return false;
  }
  std::unordered_map<std::string_view, Place> seen;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& key = node.children[i];
    const auto [before, is_new] = seen.emplace(key.text, key.at);
    if (!is_new) {
      problems.add(key.at, "key " + describe(key) + " is written twice",
                   "the first stands in line " + std::to_string(before->second.line));
      continue;
    }
    if (std::find(known.words.begin(), known.words.end(), key.text) == known.words.end()) {
      problems.add(key.at, "unknown key " + describe(key) + " of " + std::string(known.of),
                   suggest(key.text, known.words));
      continue;
    }
    on_key(key, node.children[i + 1]);
  }
  return true;
}

}  // namespace ordo::pipeline
