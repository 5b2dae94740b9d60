// What every actor of a simulated world shares: time, the seed's knobs, chance in streams,
// coverage, the trace.
//
// Shapes:  one stream of chance per subsystem, all from the seed, so that a draw added in one does
//          not shift the others.
// Errors:  a broken promise is a Violation, thrown from wherever it is noticed and caught by
//          whoever runs the seed.
// Threads: one owner.
#pragma once

#include <cmath>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

#include "base/random.hpp"
#include "tests/sim/coverage.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/timeline.hpp"

namespace ordo::sim {

/// What was promised and does not hold: which check, and the particulars.
struct Violation : std::runtime_error {
  Violation(std::string its_check, const std::string& what)
      : std::runtime_error(its_check + ": " + what), check(std::move(its_check)) {}
  std::string check;
};

/// A stream of chance with the draws that the actors need.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t stream)
      : random_(seed * 0x9e3779b97f4a7c15ULL + stream) {}

  bool chance(double p) { return p > 0 && random_.chance(p); }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  std::uint64_t next() { return random_.next(); }
  Micros between(Micros low, Micros high) {
    return low + Micros{static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>((high - low).count()) + 1))};
  }
  /// Exponential with the given mean: most are short, some are long.
  Micros around(Micros mean) {
    const double u = 1.0 - random_.unit();
    return Micros{static_cast<std::int64_t>(-std::log(u) * static_cast<double>(mean.count()))};
  }
  /// When the next event of a rate per second comes.
  Micros next_of(double rate) {
    return around(Micros{static_cast<std::int64_t>(1'000'000.0 / rate)});
  }

 private:
  Random random_;
};

struct Context {
  Context(const Scenario& its_scenario, bool with_trace)
      : scenario(its_scenario),
        time(its_scenario.seed * 31 + 1),
        network(its_scenario.seed, 11),
        store(its_scenario.seed, 12),
        process(its_scenario.seed, 13),
        work(its_scenario.seed, 14),
        handler(its_scenario.seed, 15),
        is_tracing(with_trace) {}

  Scenario scenario;
  Timeline time;
  Stream network, store, process, work, handler;
  Coverage coverage;
  std::map<ShardNumber, Steady> down_until;  ///< of the databases
  std::map<std::string, Steady> out_until;   ///< of the dependencies, by name
  bool is_tracing;
  bool is_healed = false;  ///< the liveness phase: no faults any more
  /// of everything sent and committed: two runs of a seed must agree
  std::uint64_t fingerprint = 0;

  [[nodiscard]] bool is_planted(std::string_view bug) const { return scenario.planted == bug; }
  bool fault(Stream& stream, double chance, Fault kind) {
    if (is_healed || !stream.chance(chance)) return false;
    coverage.count(kind);
    return true;
  }
  /// Whether a service that handlers call does not work now.
  [[nodiscard]] bool is_out(const std::string& dependency) const {
    const auto out = out_until.find(dependency);
    return !is_healed && out != out_until.end() && time.now() < out->second;
  }
  void mix(std::uint64_t value) {
    fingerprint = (fingerprint ^ value) * 0x100000001b3ULL + (fingerprint >> 29);
  }
  /// One line of the trace; `words` is called only when somebody reads it.
  template <class Words> void trace(Words&& words) const {
    if (!is_tracing) return;
    const double at = static_cast<double>(time.now().time_since_epoch().count()) / 1e6 - 1000;
    std::printf("%10.4f  %s\n", at, std::string(words()).c_str());
  }
};

}  // namespace ordo::sim
