#include "examples/shop/line_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/check.hpp"

namespace ordo::shop {
namespace {

void write_out(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    ORDO_CHECK(written > 0, "ledger", std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  ORDO_CHECK(::fdatasync(fd) == 0, "ledger", std::strerror(errno));
}

/// Where the last whole line ends; -1 where the system refuses.
off_t whole_bytes(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return -1;
  off_t end = about.st_size;
  for (char last = 0; end > 0; --end) {
    if (::pread(fd, &last, 1, end - 1) != 1) return -1;
    if (last == '\n') break;
  }
  return end;
}

}  // namespace

Result<std::unique_ptr<LineFile>> LineFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const off_t end = fd < 0 ? -1 : whole_bytes(fd);
  if (end < 0 || ::ftruncate(fd, end) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return fail(Code::kUnavailable, "ledger", "cannot open " + path + ": " + why);
  }
  return std::unique_ptr<LineFile>(new LineFile(fd));
}

LineFile::~LineFile() { ::close(fd_); }

std::uint64_t LineFile::put(std::string_view line) {
  const std::lock_guard lock(mutex_);
  waiting_ += line;
  waiting_ += '\n';
  return next_round_;
}

void LineFile::wait(std::uint64_t round) {
  std::unique_lock lock(mutex_);
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

Result<std::vector<std::string>> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "ledger", "there is no ledger " + path);
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) break;  // no line end
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace ordo::shop
