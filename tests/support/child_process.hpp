// A program of this project (or of the system) as a child: started, signalled, ended, never left
// behind.
//
// Use:     ChildProcess::start({.program = find_program("ordo-broker"), .arguments = {…}, .log =
//          file}).
// Errors:  kUnavailable: the program is not there or the system gives no process.
// Threads: one owner. A child dies with the thread that started it (PR_SET_PDEATHSIG), so start it
//          on one that stays, best the main one. It is in a session of its own: a terminal's ^C
//          reaches only us.
// Costs:   a fork and an exec.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::testing {

struct ChildSpec {
  std::string program{};  ///< path
  std::vector<std::string> arguments{};
  /// its stdout and stderr are appended here; empty: /dev/null
  std::string log{};
  std::vector<std::pair<std::string, std::string>> environment{};  ///< beside ours
};

class ChildProcess {
 public:
  static Result<ChildProcess> start(const ChildSpec& spec);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  ///< kill9()

  /// SIGTERM, SIGSTOP, SIGCONT …; nothing when it has ended.
  void signal(int number) const;
  /// kill -9, waits until it is gone. Works on a stopped process too.
  void kill9();
  /// SIGTERM, then waits; past `patience` it is killed. Its exit code as exit_code() gives it.
  int stop(std::chrono::milliseconds patience = std::chrono::seconds{30});
  /// Looks whether it has ended: nullopt while it runs. 128 + N where signal N ended it.
  std::optional<int> exit_code();
  [[nodiscard]] bool is_running() { return !exit_code().has_value(); }
  /// Waits until it has ended by itself; nullopt when it has not within `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience);

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;  ///< -1 once it is reaped
  int code_ = 0;
};

/// What a program that ended well wrote to stdout. Errors: kUnavailable with what it wrote to
/// stderr.
Result<std::string> output_of(const std::string& program,
                              const std::vector<std::string>& arguments);

/// The path of a program of this project: beside ours, or where the build tree (or an install) has
/// it relative to our own place. Errors: kNotFound.
Result<std::string> find_program(const std::string& name);

}  // namespace ordo::testing
