#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

namespace fs = std::filesystem;

// Folders below the root of a build (or of an install) that hold programs.
constexpr std::array kPlaces{
    "",       "bin",        "examples",   "examples/first",     "broker/app",
    "client", "client/cli", "worker/app", "monitoring/monitor", "worker/executor"};
// tests/integration/x is three folders below the root of a build; one more to spare.
constexpr int kFoldersUp = 4;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

/// In the child, before exec: only calls that are safe between fork and exec.
[[noreturn]] void become(char** argv, char** environment, int in, int out, int err) {
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(argv[0], argv, environment);
  ::_exit(127);
}

std::vector<std::string> environment_of(const ChildSpec& spec) {
  std::vector<std::string> all;
  for (const auto& [name, value] : spec.environment) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool is_replaced = false;
    for (const auto& [name, value] : spec.environment) {
      is_replaced = is_replaced || text.starts_with(name + "=");
    }
    if (!is_replaced) all.push_back(text);
  }
  return all;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::string drain(int fd) {
  std::string all;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
}

std::string whole_file(int fd) {
  ::lseek(fd, 0, SEEK_SET);
  return drain(fd);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildSpec& spec) {
  std::vector<std::string> words{spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment = environment_of(spec);
  const auto argv = pointers(words);
  const auto envp = pointers(environment);
  const std::string log = spec.log.empty() ? "/dev/null" : spec.log;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  const pid_t pid = out < 0 || in < 0 || ::access(spec.program.c_str(), X_OK) != 0 ? -1 : ::fork();
  if (pid == 0) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(71);
    become(const_cast<char**>(argv.data()), const_cast<char**>(envp.data()), in, out, out);
  }
  if (out >= 0) ::close(out);
  if (in >= 0) ::close(in);
  if (pid < 0) return fail(Code::kUnavailable, "program", "cannot start " + spec.program);
  return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), code_(other.code_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill9();
    pid_ = std::exchange(other.pid_, -1);
    code_ = other.code_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { kill9(); }

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ChildProcess::kill9() {
  if (exit_code()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  code_ = code_of(status);
  pid_ = -1;
}

int ChildProcess::stop(std::chrono::milliseconds patience) {
  signal(SIGCONT);
  signal(SIGTERM);
  if (!wait(patience)) kill9();
  return code_;
}

std::optional<int> ChildProcess::exit_code() {
  if (pid_ <= 0) return code_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  code_ = code_of(status);
  pid_ = -1;
  return code_;
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds patience) {
  wait_until(patience, [this] { return exit_code().has_value(); });
  return exit_code();
}

Result<std::string> output_of(const std::string& program,
                              const std::vector<std::string>& arguments) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto argv = pointers(words);
  std::array<int, 2> pipe{};
  const int err = ::memfd_create("stderr", MFD_CLOEXEC);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (err < 0 || in < 0 || ::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return fail(Code::kUnavailable, "pipe", "no pipe for " + program);
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    become(const_cast<char**>(argv.data()), environ, in, pipe[1], err);
  }
  ::close(in);
  ::close(pipe[1]);
  std::string out = pid > 0 ? drain(pipe[0]) : std::string();
  ::close(pipe[0]);
  int status = 1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string words_of_error = whole_file(err);
  ::close(err);
  if (pid < 0 || status != 0) {
    return fail(Code::kUnavailable, "program",
                program + " ended with " + std::to_string(code_of(status)) + ": " + words_of_error);
  }
  return out;
}

Result<std::string> find_program(const std::string& name) {
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (int up = 0; up <= kFoldersUp && !folder.empty(); ++up, folder = folder.parent_path()) {
    for (const char* place : kPlaces) {
      const fs::path path = folder / place / name;
      if (fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0) {
        return path.lexically_normal().string();
      }
    }
  }
  return fail(Code::kNotFound, "program", "there is no program " + name + " beside ours: build it");
}

}  // namespace ordo::testing
