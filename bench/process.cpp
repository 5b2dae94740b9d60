#include "bench/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/clock.hpp"

namespace ordo::bench {
namespace {

namespace fs = std::filesystem;

struct Stat {
  pid_t parent = 0;
  double cpu = 0;
};

Stat read_stat(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 2));
  std::string skipped;
  long parent = 0;
  rest >> skipped >> parent;
  for (int i = 0; i < 9; ++i) rest >> skipped;
  double user = 0;
  double system = 0;
  double waited_user = 0;
  double waited_system = 0;
  rest >> user >> system >> waited_user >> waited_system;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {static_cast<pid_t>(parent), (user + system + waited_user + waited_system) / ticks};
}

bool gone_within(pid_t pid, Millis patience) {
  const Steady until = steady_now() + patience;
  while (waitpid(pid, nullptr, WNOHANG) == 0) {
    if (steady_now() >= until) return false;
    usleep(2000);
  }
  return true;
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return fs::exists(name) ? name : std::string{};
  std::error_code failed;
  const fs::path here = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const char* place : {".", "../broker/app", "../broker", "../worker/app", "../client/cli",
                            "../examples", "../bench"}) {
    const fs::path path = here / place / name;
    if (fs::exists(path)) return path.lexically_normal().string();
  }
  return {};
}

Result<std::unique_ptr<Process>> Process::start(const std::string& program,
                                                std::vector<std::string> arguments) {
  const std::string path = find_program(program);
  if (path.empty()) {
    return fail(Code::kUnavailable, "program", program + " is not beside this program: build it");
  }
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail(Code::kUnavailable, "fork", "cannot start " + program);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    dup2(2, 1);  // its words belong to the log, ours on stdout are the result
    execv(path.c_str(), argv.data());
    _exit(127);
  }
  return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() { reap(true); }

void Process::kill9() { reap(false); }

void Process::reap(bool politely) {
  if (pid_ <= 0) return;
  if (politely) {
    kill(pid_, SIGTERM);
    if (gone_within(pid_, Millis{5000})) {
      pid_ = 0;
      return;
    }
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool Process::is_running() {
  if (pid_ <= 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = 0;
  return false;
}

double Process::cpu_seconds() const { return pid_ > 0 ? read_stat(std::to_string(pid_)).cpu : 0; }

double Process::peak_mib() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "VmHWM:") continue;
    double kib = 0;
    file >> kib;
    return kib / 1024;
  }
  return 0;
}

double cpu_seconds_of_tree(pid_t root) {
  std::map<pid_t, Stat> all;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    all[static_cast<pid_t>(std::stol(name))] = read_stat(name);
  }
  double sum = 0;
  for (const auto& [pid, stat] : all) {
    if (pid == root || stat.parent == root) sum += stat.cpu;
  }
  return sum;
}

double cpu_seconds_of_self() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace ordo::bench
