#include "base/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace ordo {
namespace {

/// Fields of /proc/self/stat are told by their place, counted from 1. The second, the program's
/// name in brackets, may hold blanks: reading starts behind it, at the third.
class Stat {
 public:
  Stat() {
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text);
    const auto end = text.rfind(')');
    if (end == std::string::npos) return;
    std::istringstream words(text.substr(end + 1));
    for (std::string word; words >> word;) fields_.push_back(word);
  }
  [[nodiscard]] bool is_there() const { return fields_.size() > 21; }
  [[nodiscard]] double field(std::size_t place) const {
    return std::strtod(fields_.at(place - 3).c_str(), nullptr);
  }

 private:
  std::vector<std::string> fields_;
};

/// When the machine booted, in Unix time; 0: not said.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

}  // namespace

void write_process_metrics(MetricText& out) {
  const Stat stat;
  if (stat.is_there()) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    out.value(metrics::kProcessCpu, {}, (stat.field(14) + stat.field(15)) / ticks);
    out.value(metrics::kProcessResident, {}, stat.field(24) * page);
    out.value(metrics::kProcessVirtual, {}, stat.field(23));
    out.value(metrics::kProcessThreads, {}, stat.field(20));
    if (const double boot = boot_time(); boot > 0) {
      out.value(metrics::kProcessStart, {}, boot + stat.field(22) / ticks);
    }
  }
  std::error_code error;
  std::uint64_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    static_cast<void>(file);
    ++files;
  }
  // The look itself holds one open.
  if (!error && files > 0) out.count(metrics::kProcessFiles, {}, files - 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    out.count(metrics::kProcessMostFiles, {}, limit.rlim_cur);
  }
}

}  // namespace ordo
