#include "base/http_route.hpp"

#include "base/check.hpp"

namespace ordo {
namespace {

/// The text before the next slash; `path` is left with what follows it, or becomes null.
std::string_view next_segment(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
  return segment;
}

}  // namespace

HttpRoute::HttpRoute(std::string_view pattern) {
  ORDO_CHECK(pattern.starts_with('/'), pattern);
  pattern.remove_prefix(1);
  do {
    const std::string_view segment = next_segment(pattern);
    const bool is_name = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
    parts_.push_back(
        {std::string(is_name ? segment.substr(1, segment.size() - 2) : segment), is_name});
  } while (pattern.data() != nullptr);
}

std::optional<HttpRoute::Parameters> HttpRoute::match(std::string_view path) const {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  Parameters found;
  for (const Part& part : parts_) {
    if (path.data() == nullptr) return std::nullopt;
    const std::string_view segment = next_segment(path);
    if (part.is_name ? segment.empty() : segment != part.text) return std::nullopt;
    if (part.is_name) found.emplace(part.text, segment);
  }
  if (path.data() != nullptr) return std::nullopt;
  return found;
}

}  // namespace ordo
