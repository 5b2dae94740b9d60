// Programs that `ordo dev` starts and ends with itself.
//
// Shapes:  a child's output goes to our stderr; children die with us, also when we are killed.
// Errors:  one that cannot be started is a complaint and false.
// Threads: one owner. SIGINT, SIGTERM and SIGCHLD are blocked from the first start on and read by
//          wait_for_end().
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace ordo::cli {

class Children {
 public:
  ~Children();

  bool start(const std::string& name, const std::vector<std::string>& arguments);
  /// Runs one to its end; its exit code, 71 where it could not be started.
  int run(const std::string& name, const std::vector<std::string>& arguments);
  /// Waits for an interrupt (then "") or the end of a child (then its name); nullopt where neither
  /// came within `patience_ms`. Negative: for as long as it takes.
  std::optional<std::string> wait_for_end(int patience_ms);
  /// Terminates all, the last started first.
  void end();

 private:
  struct Child {
    std::string name;
    pid_t pid = 0;
  };

  static pid_t spawn(const std::string& name, const std::vector<std::string>& arguments);

  std::vector<Child> children_;
};

}  // namespace ordo::cli
