#include "client/cli/children.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "client/cli/shell.hpp"

namespace ordo::cli {
namespace {

/// A program that has not ended this long after being asked is killed: all of them are crash-only.
constexpr int kPatienceMs = 10'000;

sigset_t our_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, number);
  return signals;
}

/// Waits for one of our signals; its number, 0 when the patience is over.
int next_signal(int patience_ms) {
  const sigset_t signals = our_signals();
  timespec patience{patience_ms / 1000, (patience_ms % 1000) * 1'000'000L};
  const int number = patience_ms < 0 ? ::sigwaitinfo(&signals, nullptr)
                                     : ::sigtimedwait(&signals, nullptr, &patience);
  return number > 0 ? number : 0;
}

bool has_ended(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; }

}  // namespace

Children::~Children() { end(); }

pid_t Children::spawn(const std::string& name, const std::vector<std::string>& arguments) {
  const sigset_t signals = our_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  ::setpgid(0, 0);  // an interrupt of the terminal is ours to pass on, in our order
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kRefused);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::_exit(become(name, arguments));
}

bool Children::start(const std::string& name, const std::vector<std::string>& arguments) {
  const pid_t pid = spawn(name, arguments);
  if (pid < 0) {
    complain("cannot start " + name, std::strerror(errno));
    return false;
  }
  children_.push_back({name, pid});
  return true;
}

int Children::run(const std::string& name, const std::vector<std::string>& arguments) {
  const pid_t pid = spawn(name, arguments);
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return kRefused;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

std::optional<std::string> Children::wait_for_end(int patience_ms) {
  for (;;) {
    const int number = next_signal(patience_ms);
    if (number == SIGINT || number == SIGTERM) return std::string();
    for (Child& child : children_) {
      if (child.pid == 0 || !has_ended(child.pid)) continue;
      child.pid = 0;
      return child.name;
    }
    if (patience_ms >= 0) return std::nullopt;
  }
}

void Children::end() {
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    if (child->pid == 0) continue;
    ::kill(child->pid, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{kPatienceMs};
    while (!has_ended(child->pid)) {
      if (std::chrono::steady_clock::now() > until) ::kill(child->pid, SIGKILL);
      (void)next_signal(100);
    }
    child->pid = 0;
  }
  children_.clear();
}

}  // namespace ordo::cli
