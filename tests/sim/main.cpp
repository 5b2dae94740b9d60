// ordo-sim: runs seeds of the simulator, or proves that it finds the bugs it should.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/clock.hpp"
#include "tests/sim/simulation.hpp"

namespace ordo::sim {
namespace {

/// Bugs that a run must find, each within this many seeds.
constexpr std::array<std::string_view, 35> kPlants{"PB-01",
                                                   "PB-02",
                                                   "PB-03",
                                                   "PB-05",
                                                   "PB-06",
                                                   "PB-08",
                                                   "PB-14",
                                                   "PB-15",
                                                   "PB-17",
                                                   "PB-20",
                                                   "PB-23",
                                                   "PB-25",
                                                   "stale-epoch",
                                                   "resurrect",
                                                   "stale-join",
                                                   "forgotten-maybe",
                                                   "kept-maybe",
                                                   "half-undone",
                                                   "when-ignored",
                                                   "optional-ends",
                                                   "late-async",
                                                   "early-join",
                                                   "forgotten-fan",
                                                   "forgotten-held",
                                                   "signal-and-timeout",
                                                   "early-signal-lost",
                                                   "mixed-undo",
                                                   "one-undone-for-all",
                                                   "key-ignored",
                                                   "turn-lost",
                                                   "late-order-lost",
                                                   "late-order-again",
                                                   "orphan-lost",
                                                   "step-restored-twice",
                                                   "sweep-forgotten"};
constexpr std::uint64_t kSeedsPerPlant = 500;
/// A run of at least this many seeds must have exercised everything.
constexpr std::uint64_t kSeedsForCoverage = 500;
/// Every so many seeds one is run twice: both runs must agree in all they sent and committed.
constexpr std::uint64_t kTwiceEvery = 100;

struct Options {
  std::uint64_t seed = 0;
  std::uint64_t seeds = 200;
  std::uint64_t from = 1;
  double minutes = 0;
  std::string plant;
  bool is_tracing = false;
  bool all_plants = false;
  bool is_quiet = false;
  bool keeps_going = false;
};

/// Printed by the signal handler when a check of the core stops the process.
char g_repeat[256];

void on_abort(int) {
  const ssize_t written = write(STDERR_FILENO, g_repeat, std::strlen(g_repeat));
  static_cast<void>(written);
  _exit(1);
}

void remember(std::uint64_t seed, const std::string& plant) {
  std::snprintf(g_repeat, sizeof g_repeat,
                "a check stopped seed %llu; repeat it with:\n  ordo-sim --seed %llu%s%s --trace\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed),
                plant.empty() ? "" : " --plant ", plant.c_str());
}

/// Runs one seed; what it violates, or nothing.
std::optional<std::string> run_seed(std::uint64_t seed, const Options& options,
                                    Coverage& coverage) {
  remember(seed, options.plant);
  const Scenario scenario = draw_scenario(seed, options.plant);
  Simulation simulation(scenario, options.is_tracing);
  try {
    simulation.run();
  } catch (const Violation& violation) {
    return violation.what();
  }
  coverage.add(simulation.coverage());
  if (seed % kTwiceEvery != 0 || options.is_tracing) return std::nullopt;
  Simulation again(scenario, false);
  again.run();
  if (again.fingerprint() != simulation.fingerprint()) return "two runs of this seed differ";
  return std::nullopt;
}

int run_seeds(const Options& options) {
  Coverage coverage;
  const Steady start = steady_now();
  const auto elapsed = [&] { return std::chrono::duration<double>(steady_now() - start).count(); };
  std::uint64_t ran = 0;
  std::uint64_t failed = 0;
  const std::uint64_t first = options.seed != 0 ? options.seed : options.from;
  const std::uint64_t count = options.seed != 0 ? 1 : options.seeds;
  for (std::uint64_t seed = first;
       options.minutes > 0 ? elapsed() < options.minutes * 60 : seed < first + count; ++seed) {
    const auto violation = run_seed(seed, options, coverage);
    ++ran;
    if (!violation) continue;
    std::printf("seed %llu violates: %s\nrepeat it with:\n  ordo-sim --seed %llu%s%s --trace\n",
                static_cast<unsigned long long>(seed), violation->c_str(),
                static_cast<unsigned long long>(seed), options.plant.empty() ? "" : " --plant ",
                options.plant.c_str());
    ++failed;
    if (!options.keeps_going) return 1;
  }
  if (!options.is_quiet) std::printf("%s", coverage.table().c_str());
  std::printf("%llu of %llu seeds from %llu passed in %.1f s (%.0f a second)\n",
              static_cast<unsigned long long>(ran - failed), static_cast<unsigned long long>(ran),
              static_cast<unsigned long long>(first), elapsed(),
              static_cast<double>(ran) / std::max(elapsed(), 0.001));
  if (failed != 0) return 1;
  if (ran < kSeedsForCoverage || !options.plant.empty()) return 0;
  const auto missing = coverage.missing();
  for (const auto& name : missing) std::printf("never exercised: %s\n", name.c_str());
  return missing.empty() ? 0 : 1;
}

/// Seeds until a planted bug is found, 0 when it is not. In a process of its own: a bug may trip a
/// check of the core.
std::uint64_t seeds_to_find(std::string_view plant, std::string& how) {
  struct Found {
    std::uint64_t seed;
    bool by_violation;
    char what[160];
  };
  auto* found = static_cast<Found*>(
      mmap(nullptr, sizeof(Found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  *found = {};
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(3);
    Options options;
    options.plant = plant;
    Coverage coverage;
    for (std::uint64_t seed = 1; seed <= kSeedsPerPlant; ++seed) {
      found->seed = seed;
      const auto violation = run_seed(seed, options, coverage);
      if (!violation) continue;
      found->by_violation = true;
      std::snprintf(found->what, sizeof found->what, "%s", violation->c_str());
      _exit(0);
    }
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool is_missed = WIFEXITED(status) && WEXITSTATUS(status) != 0;
  const std::uint64_t seeds = is_missed ? 0 : found->seed;
  how = found->by_violation ? std::string(found->what, strcspn(found->what, "\n"))
                            : "a check of the core";
  munmap(found, sizeof(Found));
  return seeds;
}

int run_plants() {
  int missed = 0;
  std::printf("%-12s %6s  %s\n", "planted", "seeds", "found as");
  for (const auto plant : kPlants) {
    std::string how;
    const std::uint64_t seeds = seeds_to_find(plant, how);
    missed += seeds == 0 ? 1 : 0;
    std::printf("%-12s %6s  %s\n", std::string(plant).c_str(),
                seeds == 0 ? "-" : std::to_string(seeds).c_str(),
                seeds == 0 ? "NOT FOUND" : how.substr(0, 100).c_str());
  }
  std::printf("%zu of %zu found within %llu seeds\n",
              kPlants.size() - static_cast<std::size_t>(missed), kPlants.size(),
              static_cast<unsigned long long>(kSeedsPerPlant));
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ordo::sim

int main(int argc, char** argv) {
  using namespace ordo::sim;
  Options options;
  CLI::App app{"Simulates broker, workers, clients and database with faults, seed by seed."};
  app.add_option("--seed", options.seed, "run this seed alone");
  app.add_option("--seeds", options.seeds, "how many")->capture_default_str();
  app.add_option("--from", options.from, "the first of them")->capture_default_str();
  app.add_option("--minutes", options.minutes, "run for so long instead");
  app.add_option("--plant", options.plant, "plant a bug, e.g. PB-05");
  app.add_flag("--plants", options.all_plants, "plant each bug and show how soon it is found");
  app.add_flag("--trace", options.is_tracing, "print what happens");
  app.add_flag("--keep-going", options.keeps_going, "go on after a seed that fails");
  app.add_flag("--quiet", options.is_quiet, "no table of what was exercised");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_abort);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return options.all_plants ? run_plants() : run_seeds(options);
}
