#include "examples/demo/ack_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ordo::demo {

Result<std::unique_ptr<AckLog>> AckLog::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(Code::kUnavailable, "ack_log", "cannot open " + path + ": " + std::strerror(errno));
  }
  return std::unique_ptr<AckLog>(new AckLog(fd));
}

AckLog::~AckLog() { ::close(fd_); }

void AckLog::line(std::string_view word, const OrderId& id, std::string_view more) {
  waiting_ += word;
  waiting_ += ' ';
  waiting_ += id.to_string();
  if (!more.empty()) waiting_ += ' ';
  waiting_ += more;
  waiting_ += '\n';
}

Result<void> AckLog::sync() {
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return fail(Code::kUnavailable, "ack_log",
                  std::string("log of acks: ") + std::strerror(errno));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  waiting_.clear();
  if (::fdatasync(fd_) != 0) {
    return fail(Code::kUnavailable, "ack_log", std::string("log of acks: ") + std::strerror(errno));
  }
  return {};
}

Result<Acks> read_acks(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "ack_log", "there is no log of acks " + path);
  Acks acks;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    std::string id;
    words >> word >> id;
    if (word == "try") acks.tried.insert(id);
    if (word == "ok") acks.acked.insert(id);
    if (word == "fail") acks.refused.insert(id);
    if (word == "unknown") acks.unknown.insert(id);
  }
  return acks;
}

}  // namespace ordo::demo
