#include "bench/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace ordo::bench {
namespace {

/// x86 calls it "model name"; other kernels' words are tried in this order.
std::string cpu_model() {
  for (const std::string word : {"model name", "Model", "CPU part", "cpu model"}) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
      const auto colon = line.find(": ");
      if (line.starts_with(word) && colon != line.npos) return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace

Machine this_machine() {
  constexpr long kMib = 1 << 20;
  utsname system{};
  uname(&system);
  return {.cpu = cpu_model(),
          .cores = sysconf(_SC_NPROCESSORS_ONLN),
          .ram_mib = sysconf(_SC_PHYS_PAGES) / (kMib / sysconf(_SC_PAGESIZE)),
          .kernel = system.release};
}

}  // namespace ordo::bench
