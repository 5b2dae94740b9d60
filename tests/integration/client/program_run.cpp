#include "tests/integration/client/program_run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace ordo::test {
namespace {

constexpr unsigned kSecondsToLive = 60;

/// A file without a name, holding `text`, read from its start.
int file_with(const std::string& text) {
  std::array<char, 32> path{"/tmp/ordo-test-XXXXXX"};
  const int fd = ::mkstemp(path.data());
  EXPECT_GE(fd, 0);
  ::unlink(path.data());
  EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::string content_of(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t got = 0; (got = ::read(fd, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Outcome run_program(const ProgramRun& run) {
  const std::array<int, 3> files{file_with(run.input), file_with(""), file_with("")};
  std::vector<std::string> words{run.program};
  words.insert(words.end(), run.arguments.begin(), run.arguments.end());
  std::vector<std::string> variables{"PATH=" + std::string(::getenv("PATH"))};
  for (const auto& [name, value] : run.environment) variables.push_back(name + "=" + value);
  const auto argv = pointers_to(words);
  const auto environment = pointers_to(variables);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int i = 0; i < 3; ++i) ::dup2(files.at(static_cast<std::size_t>(i)), i);
    ::alarm(kSecondsToLive);
    ::execve(run.program.c_str(), argv.data(), environment.data());
    ::_exit(127);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  ::close(files[0]);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = content_of(files[1]);
  outcome.err = content_of(files[2]);
  return outcome;
}

}  // namespace ordo::test
