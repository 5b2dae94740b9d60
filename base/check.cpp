#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace ordo {

void check_failed(const char* condition, const char* file, int line, const std::string& values) {
  std::fprintf(stderr, "check failed: %s at %s:%d:%s\n", condition, file, line, values.c_str());
  std::abort();
}

}  // namespace ordo
