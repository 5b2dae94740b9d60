// ordo-worker: runs the steps of orders by calling HTTP services and local programs, as a file
// says. It keeps nothing: start as many as you like, stop and kill them when you like.
//
// Beside the flags of every worker (--help): --config FILE, or the word `check` and a file.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/key_file.hpp"
#include "ordo/worker.hpp"
#include "worker/executor/config.hpp"
#include "worker/executor/executor.hpp"

namespace {

using ordo::executor::Config;
using Problems = std::vector<ordo::Problem>;

constexpr int kUsage = 2;

constexpr const char* kHelp =
    "ordo-worker: runs steps by calling HTTP services and local programs (docs/executor.md)\n"
    "  ordo-worker --config FILE [OPTION…]   runs the steps of FILE      ORDO_WORKER_CONFIG\n"
    "  ordo-worker check FILE                says all that is wrong with FILE; 0: nothing\n"
    "What the file says under `worker` is used where neither flag nor environment says "
    "otherwise.\n";

int usage(const std::string& problem) {
  std::fprintf(stderr, "ordo-worker: %s\n", problem.c_str());
  return kUsage;
}

int check(int argc, char** argv) {
  if (argc != 3) return usage("`check` takes one file: ordo-worker check FILE");
  const std::string path = argv[2];
  const auto config = ordo::executor::load_config(path);
  if (config) {
    // What flags and environment may still change is looked at as it stands in the file.
    const auto keys = ordo::read_dial_keys(config->worker.key_file, config->worker.broker_key);
    if (!keys) return usage(path + ": `worker`: " + keys.error().message);
    std::printf("%s: %zu steps, %zu services: well\n", path.c_str(), config->steps.size(),
                config->services.size());
    return 0;
  }
  for (const auto& problem : config.error()) {
    std::fprintf(stderr, "%s\n", problem.to_string(path).c_str());
  }
  return kUsage;
}

/// The first of them, and where to see the others.
int refuse(const std::string& path, const Problems& problems) {
  std::string text = problems.front().to_string(path);
  if (problems.size() > 1) {
    text += " (and " + std::to_string(problems.size() - 1) +
            " more: `ordo-worker check FILE` says them all)";
  }
  return usage(text);
}

int run(const std::string& path, std::vector<char*>& arguments) {
  auto config = ordo::executor::load_config(path);
  if (!config) return refuse(path, config.error());
  ordo::Worker worker(config->worker);
  const ordo::executor::Executor executor(*std::move(config));
  executor.add_to(worker);
  arguments.push_back(nullptr);
  return ordo::run_worker(static_cast<int>(arguments.size()) - 1, arguments.data(), worker);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kFlag = "--config";
  if (argc > 1 && std::string_view(argv[1]) == "check") return check(argc, argv);
  const char* const variable = std::getenv("ORDO_WORKER_CONFIG");
  std::string path = variable == nullptr ? "" : variable;
  std::vector<char*> rest{argv[0]};
  bool must_help = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    must_help = must_help || flag == "--help" || flag == "-h";
    if (flag == kFlag) {
      if (++i >= argc) return usage("--config needs a file");
      path = argv[i];
    } else if (flag.starts_with("--config=")) {
      path = flag.substr(kFlag.size() + 1);
    } else {
      rest.push_back(argv[i]);
    }
  }
  if (must_help) {
    std::fputs(kHelp, stdout);
    ordo::Worker nobody;
    rest.push_back(nullptr);
    return ordo::run_worker(static_cast<int>(rest.size()) - 1, rest.data(), nobody);
  }
  if (path.empty()) {
    return usage("no configuration: give --config FILE (ORDO_WORKER_CONFIG); --help says more");
  }
  return run(path, rest);
}
