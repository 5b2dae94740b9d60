#include "examples/ledger.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/check.hpp"

namespace ordo::shop {
namespace {

std::string line_of(const Effect& effect) {
  std::string line = effect.key + ' ' + std::to_string(effect.attempt) + ' ' + effect.worker;
  line += ' ' + std::to_string(effect.start_ms) + ' ' + std::to_string(effect.end_ms);
  return line + ' ' + effect.outcome + '\n';
}

void write_out(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    ORDO_CHECK(written > 0, "ledger", std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  ORDO_CHECK(::fdatasync(fd) == 0, "ledger", std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(Code::kUnavailable, "ledger", "cannot open " + path + ": " + std::strerror(errno));
  }
  return std::unique_ptr<Ledger>(new Ledger(fd));
}

Ledger::~Ledger() { ::close(fd_); }

void Ledger::append(const Effect& effect) {
  std::unique_lock lock(mutex_);
  waiting_ += line_of(effect);
  const std::uint64_t round = next_round_;
  // Whoever finds the disk free writes for all that wait; the others wait for the round that holds
  // their line.
  while (done_round_ < round) {
    if (is_writing_) {
      written_.wait(lock);
      continue;
    }
    is_writing_ = true;
    const std::string lines = std::exchange(waiting_, {});
    const std::uint64_t writing = next_round_++;
    lock.unlock();
    write_out(fd_, lines);
    lock.lock();
    is_writing_ = false;
    done_round_ = writing;
    written_.notify_all();
  }
}

Result<std::vector<Effect>> read_ledger(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "ledger", "there is no ledger " + path);
  std::vector<Effect> effects;
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) break;  // no line end: its writer was killed before the effect counted
    Effect effect;
    std::istringstream words(line);
    words >> effect.key >> effect.attempt >> effect.worker >> effect.start_ms >> effect.end_ms;
    if (!(words >> effect.outcome)) {
      return fail(Code::kMalformed, "ledger", path + ": not a line of a ledger: " + line);
    }
    effects.push_back(std::move(effect));
  }
  return effects;
}

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace ordo::shop
