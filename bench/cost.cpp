// What a switch costs: the one-step workload with it off and on, in alternating runs of one server,
// by the processor time that each of our processes used a task.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "base/clock.hpp"
#include "base/key_file.hpp"
#include "base/keyring.hpp"
#include "bench/load.hpp"
#include "bench/measures.hpp"
#include "bench/progress.hpp"
#include "bench/system.hpp"
#include "ordo/key_pair.hpp"

namespace ordo::bench {
namespace {

constexpr std::uint64_t kInFlight = 8000;

/// Keys for a broker, a client and a worker in a folder of their own, gone with the object.
class ScratchKeys {
 public:
  static Result<std::unique_ptr<ScratchKeys>> make() {
    std::string folder = (std::filesystem::temp_directory_path() / "ordo-bench-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) {
      return fail(Code::kUnavailable, "keys", "cannot make a folder for keys in " + folder);
    }
    std::unique_ptr<ScratchKeys> keys(new ScratchKeys(std::move(folder)));
    for (const char* name : {"broker", "client", "worker", "operator"}) {
      if (auto drawn = keys->draw(name); !drawn) return tl::unexpected<Error>(drawn.error());
    }
    return keys;
  }
  ~ScratchKeys() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchKeys(const ScratchKeys&) = delete;
  ScratchKeys& operator=(const ScratchKeys&) = delete;

  [[nodiscard]] KeyFiles files() const {
    return {folder_ + "/keyring", folder_ + "/broker.key", folder_ + "/broker.key.pub",
            folder_ + "/operator.key", folder_ + "/worker.key"};
  }

 private:
  explicit ScratchKeys(std::string folder) : folder_(std::move(folder)) {}

  Result<void> draw(const std::string& name) {
    auto drawn = client::draw_key();
    if (!drawn) return tl::unexpected<Error>(drawn.error());
    const KeyPair pair{std::move(drawn->public_key), std::move(drawn->secret_key)};
    const std::string path = folder_ + "/" + name + ".key";
    if (auto written = write_key_pair(path, pair, "of a bench"); !written) return written;
    const auto role = parse_role(name);
    if (!role) return write_public_key(path + ".pub", pair, "of a bench's broker");
    return add_to_keyring(folder_ + "/keyring",
                          {.name = name, .role = *role, .public_key = pair.public_key});
  }

  std::string folder_;
};

/// Processor time a task, in microseconds.
struct Used {
  double broker = 0, worker = 0, client = 0;
  double tasks_per_s = 0;
  [[nodiscard]] double total() const { return broker + worker + client; }
};

Result<Used> run_once(System& system, const SystemSpec& side, const MeasureSpec& spec) {
  system.stop_workers();
  if (auto ok = system.restart_broker(side); !ok) return tl::unexpected<Error>(ok.error());
  auto client = system.connect(100'000);
  if (!client) return tl::unexpected<Error>(client.error());
  if (auto ok = system.apply(**client, 1); !ok) return tl::unexpected<Error>(ok.error());
  if (auto ok = system.start_workers({}); !ok) return tl::unexpected<Error>(ok.error());
  if (auto ok = system.checkpoint(); !ok) return tl::unexpected<Error>(ok.error());
  Load load(**client, "bench1", static_cast<std::size_t>(spec.payload_bytes));
  const auto ended = [&] { return system.page()->last_steps.load(); };
  const auto drive = [&](const char* what, double seconds) {
    const Micros expected{static_cast<std::int64_t>(seconds * 1e6)};
    Progress progress(what, expected);
    load.closed_loop(kInFlight, ended, [&, until = steady_now() + expected] {
      progress.tell(ended());
      return steady_now() >= until;
    });
  };
  const auto cpu = [&] {
    return Used{system.broker().cpu_seconds(), system.workers().cpu_seconds(),
                cpu_seconds_of_self(), 0};
  };
  drive("warm-up", spec.warm_up);
  const Used before = cpu();
  const std::uint64_t tasks_before = ended();
  const Steady began = steady_now();
  drive("counted", spec.seconds);
  const Used after = cpu();
  const auto tasks = static_cast<double>(ended() - tasks_before);
  const double took = static_cast<double>((steady_now() - began).count()) / 1e6;
  load.settle();
  // The next run begins with nothing waiting.
  const std::uint64_t acked = load.counts.acked;
  for (int i = 0; i < 200 && ended() < acked; ++i) usleep(50'000);
  if (tasks < 1) return fail(Code::kUnavailable, "no_tasks", "no task ended in the counted time");
  const auto each = [&](double from, double to) { return (to - from) / tasks * 1e6; };
  return Used{each(before.broker, after.broker), each(before.worker, after.worker),
              each(before.client, after.client), tasks / took};
}

/// The run in the middle by its total: one disturbed run says nothing.
Used median(std::vector<Used> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const Used& a, const Used& b) { return a.total() < b.total(); });
  return runs[runs.size() / 2];
}

/// Largest total of a side's runs by its smallest: how far to trust the ratio.
double spread(const std::vector<Used>& runs) {
  const auto [least, most] = std::minmax_element(
      runs.begin(), runs.end(), [](const Used& a, const Used& b) { return a.total() < b.total(); });
  return most->total() / least->total();
}

void add(Figures& figures, const std::string& name, const std::vector<Used>& runs) {
  const Used used = median(runs);
  figures.insert(figures.end(), {{name + "_us_a_task", used.total()},
                                 {name + "_broker_us", used.broker},
                                 {name + "_worker_us", used.worker},
                                 {name + "_client_us", used.client},
                                 {name + "_tasks_per_s", used.tasks_per_s},
                                 {name + "_spread", spread(runs)}});
}

struct Side {
  std::string name;
  SystemSpec system;
};

/// A, B, A, B, …: what drifts on the machine meets both.
Result<void> compare(System& system, const MeasureSpec& spec, const Side& a, const Side& b,
                     Figures& figures) {
  std::vector<Used> of_a, of_b;
  for (int round = 0; round < spec.rounds; ++round) {
    for (const auto& [side, runs] : {std::pair(&a, &of_a), std::pair(&b, &of_b)}) {
      auto used = run_once(system, side->system, spec);
      if (!used) return tl::unexpected<Error>(used.error());
      std::fprintf(stderr, "%-12s %6.2f µs a task (broker %.2f, worker %.2f, client %.2f)\n",
                   side->name.c_str(), used->total(), used->broker, used->worker, used->client);
      runs->push_back(*used);
    }
  }
  add(figures, a.name, of_a);
  add(figures, b.name, of_b);
  figures.emplace_back(b.name + "_ratio", median(of_b).total() / median(of_a).total());
  return {};
}

}  // namespace

Result<Figures> measure_cost(const MeasureSpec& spec) {
  auto keys = ScratchKeys::make();
  if (!keys) return tl::unexpected<Error>(keys.error());
  SystemSpec plain{.shards = spec.shards};
  auto system = System::start(plain);
  if (!system) return tl::unexpected<Error>(system.error());
  SystemSpec unmeasured = plain;
  unmeasured.broker_flags = {"--metrics", "off"};
  SystemSpec curve = plain;
  curve.keys = (*keys)->files();
  auto figures = describe(**system, {});
  if (!figures) return figures;
  figures->emplace_back("rounds", static_cast<double>(spec.rounds));
  figures->emplace_back("of", "broker, worker and client; PostgreSQL's time is not in it");
  const std::pair<Side, Side> pairs[] = {{{"metrics_off", unmeasured}, {"metrics_on", plain}},
                                         {{"plain", plain}, {"curve", curve}}};
  for (const auto& [a, b] : pairs) {
    if (auto ok = compare(**system, spec, a, b, *figures); !ok) {
      return tl::unexpected<Error>(ok.error());
    }
  }
  return figures;
}

}  // namespace ordo::bench
