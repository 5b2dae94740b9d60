#include "worker/executor/program_runner.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace ordo::executor {
namespace {

constexpr std::size_t kErrorsBytes = 4096;
constexpr std::size_t kPieceBytes = 16u << 10;
/// More than a pipe holds.
constexpr int kLastPieces = 16;
/// How often a wait looks round although nothing woke it.
constexpr Millis kLook{1000};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read, write;

  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    return true;
  }
};

/// What the child needs, made before the fork: afterwards it may not allocate.
struct Plan {
  std::vector<char*> arguments, environment;
  const char* folder = "/";
  int in = -1, out = -1, err = -1, failed = -1;
  pid_t parent = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void fail_in_child(int failed) {
  const int why = errno;
  static_cast<void>(!::write(failed, &why, sizeof why));
  ::_exit(127);
}

/// Between fork and exec: only calls that are safe in a process of many threads.
[[noreturn]] void become(const Plan& plan) {
  // It dies with the thread that runs it. That thread may be gone already.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);
  ::setsid();
  // Low numbers may be in the way of each other: first out of the way, then into place.
  std::array<int, 3> ends{plan.in, plan.out, plan.err};
  int failed = ::fcntl(plan.failed, F_DUPFD_CLOEXEC, 3);
  if (failed < 0) ::_exit(127);
  for (int& end : ends) {
    end = ::fcntl(end, F_DUPFD_CLOEXEC, 3);
    if (end < 0) fail_in_child(failed);
  }
  for (int i = 0; i < 3; ++i) {
    if (::dup2(ends[static_cast<std::size_t>(i)], i) < 0) fail_in_child(failed);
  }
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail_in_child(failed);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(plan.folder) != 0) fail_in_child(failed);
  ::execve(plan.arguments.front(), plan.arguments.data(), plan.environment.data());
  fail_in_child(failed);
}

class Running {
 public:
  Running(const ProgramRun& run, const CancellationToken& token) : run_(run), token_(token) {}

  ProgramEnd go() {
    if (!start()) return std::move(end_);
    const auto watch = token_.on_cancel([fd = wake_.get()] {
      const std::uint64_t one = 1;
      static_cast<void>(!::write(fd, &one, sizeof one));
    });
    if (run_.timeout) ends_at_ = steady_now() + *run_.timeout;
    while (!has_ended_) {
      wait();
      hasten();
    }
    finish();
    return std::move(end_);
  }

 private:
  bool refuse(int why) {
    end_.how = ProgramEnd::How::kNotStarted;
    end_.code = why;
    return false;
  }

  bool start() {
    Pipe in;
    Pipe out;
    Pipe err;
    Pipe failed;
    wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const bool is_open = in.open() && out.open() && err.open() && failed.open() && wake_.is_open();
    if (!is_open) return refuse(errno);
    Plan plan{pointers(run_.arguments), pointers(run_.environment),
              run_.folder.c_str(),      in.read.get(),
              out.write.get(),          err.write.get(),
              failed.write.get(),       ::getpid()};
    pid_ = ::fork();
    if (pid_ < 0) return refuse(errno);
    if (pid_ == 0) become(plan);
    failed.write.close();
    int why = 0;
    const ssize_t told = read_whole(failed.read.get(), why);
    if (told != 0) {
      static_cast<void>(::waitpid(pid_, nullptr, 0));
      return refuse(why);
    }
    // glibc 2.36 declares pidfd_open() for C alone.
    ended_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    ORDO_CHECK(ended_.is_open(), errno);
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    for (const Descriptor* const end : {&in_, &out_, &err_}) {
      ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
    }
    if (run_.input.empty()) in_.close();
    return true;
  }

  static ssize_t read_whole(int fd, int& why) {
    ssize_t got = -1;
    do {
      got = ::read(fd, &why, sizeof why);
    } while (got < 0 && errno == EINTR);
    return got;
  }

  /// Until something can be done, or it is time to.
  void wait() {
    std::array<pollfd, 5> looks{{{ended_.get(), POLLIN, 0},
                                 {wake_.get(), POLLIN, 0},
                                 {in_.get(), POLLOUT, 0},
                                 {out_.get(), POLLIN, 0},
                                 {err_.get(), POLLIN, 0}}};
    if (is_woken_) looks[1].fd = -1;  // it stays readable
    Steady until = steady_now() + kLook;
    if (ends_at_) until = std::min(until, *ends_at_);
    const auto patience = std::chrono::ceil<Millis>(until - steady_now()).count();
    ::poll(looks.data(), looks.size(), static_cast<int>(std::max<std::int64_t>(patience, 0)));
    is_woken_ = is_woken_ || looks[1].revents != 0;
    if (looks[2].revents != 0) write_some();
    if (looks[3].revents != 0) read_output();
    if (looks[4].revents != 0) read_errors();
    has_ended_ = looks[0].revents != 0;
  }

  void write_some() {
    const auto left = run_.input.substr(written_);
    const ssize_t put = ::write(in_.get(), left.data(), left.size());
    if (put > 0) written_ += static_cast<std::size_t>(put);
    const bool is_refused = put < 0 && errno != EAGAIN && errno != EINTR;
    // It need not read what it does not want.
    if (is_refused || written_ == run_.input.size()) in_.close();
  }

  /// False at the end, or where there is nothing yet.
  bool read_piece(Descriptor& from, std::string& to) {
    std::array<char, kPieceBytes> piece;
    const ssize_t got = ::read(from.get(), piece.data(), piece.size());
    if (got > 0) {
      to.append(piece.data(), static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) from.close();
    return false;
  }

  bool read_output() {
    const bool is_more = read_piece(out_, end_.output);
    if (end_.output.size() <= run_.output_bytes) return is_more;
    end_.output.resize(run_.output_bytes);
    out_.close();
    stop(ProgramEnd::How::kFlooded, Millis{0});
    return false;
  }

  bool read_errors() {
    const bool is_more = read_piece(err_, end_.errors);
    if (end_.errors.size() > kErrorsBytes) {
      end_.errors.erase(0, end_.errors.size() - kErrorsBytes);
    }
    return is_more;
  }

  void hasten() {
    if (has_ended_) return;
    if (!is_stopping_ && token_.is_cancelled()) {
      stop(ProgramEnd::How::kCancelled, run_.stop_grace);
    }
    if (!ends_at_ || steady_now() < *ends_at_) return;
    if (is_stopping_) {
      ::kill(-pid_, SIGKILL);
      ends_at_.reset();
    } else {
      stop(ProgramEnd::How::kTimedOut, run_.stop_grace);
    }
  }

  void stop(ProgramEnd::How how, Millis grace) {
    if (!is_stopping_) end_.how = how;
    is_stopping_ = true;
    ::kill(-pid_, grace > Millis{0} ? SIGTERM : SIGKILL);
    ends_at_ = steady_now() + grace;
  }

  /// It has ended and is not reaped yet, so that its number is still its own: what it left behind
  /// goes first, and with that the pipes end.
  void finish() {
    ::kill(-pid_, SIGKILL);
    while (out_.is_open() && read_output()) {
    }
    // What left the group may still write: of that only so much.
    for (int i = 0; i < kLastPieces && err_.is_open() && read_errors(); ++i) {
    }
    int status = 0;
    pid_t reaped = -1;
    do {
      reaped = ::waitpid(pid_, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    ORDO_CHECK(reaped == pid_, reaped, errno);
    if (end_.how != ProgramEnd::How::kExited) return;
    const bool was_killed = WIFSIGNALED(status);
    end_.how = was_killed ? ProgramEnd::How::kKilled : ProgramEnd::How::kExited;
    end_.code = was_killed ? WTERMSIG(status) : WEXITSTATUS(status);
  }

  const ProgramRun& run_;
  const CancellationToken& token_;
  ProgramEnd end_;
  pid_t pid_ = -1;
  Descriptor ended_, wake_, in_, out_, err_;
  std::size_t written_ = 0;
  std::optional<Steady> ends_at_;  ///< its timeout; once it is stopping, the end of its grace
  bool is_stopping_ = false;
  bool is_woken_ = false;
  bool has_ended_ = false;
};

}  // namespace

ProgramEnd run_program(const ProgramRun& run, const CancellationToken& token) {
  return Running(run, token).go();
}

}  // namespace ordo::executor
