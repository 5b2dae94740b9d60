// The path of a route, with names in braces for what varies: "/api/v1/orders/{id}/explain".
//
// Shapes:  a name stands for one segment that is not empty; what a request's path has there comes
//          back under that name. Everything else is compared as it is; no regular expression sees
//          bytes from outside.
// Threads: a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordo {

class HttpRoute {
 public:
  using Parameters = std::map<std::string, std::string>;

  explicit HttpRoute(std::string_view pattern);
  /// What the names stand for where the whole path fits.
  [[nodiscard]] std::optional<Parameters> match(std::string_view path) const;

 private:
  struct Part {
    std::string text;  ///< what must be there, or the name
    bool is_name = false;
  };
  std::vector<Part> parts_;
};

}  // namespace ordo
