// What tests that start programs of this project share: a folder for a program's files, what they
// say, and an end where one does not start.
//
// Threads: pure but for the files.
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/support/child_process.hpp"

namespace ordo::testing {

/// A new one, which is for its maker to remove.
inline std::string temporary_folder(const std::string& name) {
  std::string path = std::filesystem::temp_directory_path() / ("ordo-" + name + "-XXXXXX");
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

/// The whole of it; empty where it cannot be read.
inline std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether a process has ended: it is not there, or waits for whoever inherited it to look.
inline bool has_ended(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || stat.compare(name_end, 4, ") Z ") == 0;
}

[[noreturn]] inline void give_up(const std::string& why, const std::string& log) {
  std::cerr << why << "\n" << log << std::endl;
  std::abort();
}

/// Its path; a test cannot go on without it.
inline std::string program_path(const std::string& name) {
  auto found = find_program(name);
  if (!found) give_up(found.error().message, {});
  return *std::move(found);
}

}  // namespace ordo::testing
