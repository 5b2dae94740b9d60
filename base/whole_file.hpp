// A small file that is written whole or not at all: who waits for it never reads half of it.
//
// Errors:  false where the system refuses; the file is then as it was.
// Threads: any; two that write the same path at once leave one of both.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

namespace ordo {

inline bool write_whole(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::trunc);
    out << text << '\n';
    if (!out.flush()) return false;
  }
  return std::rename(part.c_str(), path.c_str()) == 0;
}

}  // namespace ordo
