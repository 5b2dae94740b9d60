// A child process of a bench: started beside our own program, ended with it, measured from /proc.
//
// Errors:  kUnavailable when the program is not there or ends at once.
// Threads: one owner; the child dies with the thread that started it (PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::bench {

class Process {
 public:
  /// `program` is a path, or a name beside our own program (or in its sibling folders of the build
  /// tree).
  static Result<std::unique_ptr<Process>> start(const std::string& program,
                                                std::vector<std::string> arguments);
  ~Process();  ///< SIGTERM, then SIGKILL after 5 s
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill9();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool is_running();
  /// CPU used so far, user and system.
  [[nodiscard]] double cpu_seconds() const;
  /// Peak resident memory (VmHWM), MiB.
  [[nodiscard]] double peak_mib() const;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  void reap(bool politely);
  pid_t pid_;
};

/// Where a program of this project is: beside ours, or where the build puts it. Empty: nowhere.
std::string find_program(const std::string& name);

/// CPU of a process and all its descendants (PostgreSQL's backends).
double cpu_seconds_of_tree(pid_t root);
double cpu_seconds_of_self();

}  // namespace ordo::bench
