// Runs a program to its end: arguments, stdin and environment in; exit code and both outputs out.
//
// Errors:  gtest failures; a program that does not end within a minute is killed.
// Threads: any; each run is its own.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ordo::test {

struct Outcome {
  int code = -1;  ///< exit code; 128 + signal where one ended it
  std::string out;
  std::string err;
};

struct ProgramRun {
  std::string program;
  std::vector<std::string> arguments;
  std::string input = {};
  std::map<std::string, std::string> environment = {};  ///< on top of PATH alone
};

Outcome run_program(const ProgramRun& run);

}  // namespace ordo::test
