// What a figure was measured on: without it, it compares with nothing.
//
// Errors:  "unknown" or 0 where the system does not say.
// Threads: pure reads of /proc and sysconf.
#pragma once

#include <string>

namespace ordo::bench {

struct Machine {
  std::string cpu;     ///< the model, as /proc/cpuinfo has it
  long cores = 0;      ///< online
  long ram_mib = 0;    ///< physical
  std::string kernel;  ///< its release
};

Machine this_machine();

}  // namespace ordo::bench
