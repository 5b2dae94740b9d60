// Runs a local program once: bytes in, bytes out, and an end in any case.
//
// Rule:    no shell. The program has a session and a process group of its own, the environment it
//          is given and nothing else, and no descriptor but 0, 1 and 2. When it has ended, or must,
//          its whole group ends with it; it ends too when this process is killed.
// Shapes:  stdin is `input`, stdout the output, of stderr the end is kept.
// Errors:  what became of it comes back; nothing throws.
// Threads: any; blocks the caller. The process must ignore SIGPIPE.
// Bounds:  output as the run says: past it the group is killed at once. stderr 4 KiB.
// Costs:   a fork and an exec, some milliseconds.
// Source:  setsid(2), pidfd_open(2), close_range(2), prctl(2) PR_SET_PDEATHSIG.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/executor/outcome.hpp"

namespace ordo::executor {

struct ProgramRun {
  std::vector<std::string> arguments;    ///< the first is the program's path
  std::vector<std::string> environment;  ///< "NAME=VALUE"
  std::string folder = "/";
  std::string_view input;
  std::optional<Millis> timeout;  ///< none: until it is cancelled
  Millis stop_grace{2s};          ///< between SIGTERM and SIGKILL
  std::size_t output_bytes = limits::kResultBytes;
};

ProgramEnd run_program(const ProgramRun& run, const CancellationToken& token);

}  // namespace ordo::executor
