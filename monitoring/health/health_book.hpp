// What one broker knows of the health of the system: counts the facts of its core by second and
// makes a tree of them once a second.
//
// Use:     observe() every fact, sample() once a second with what the engine and the stores show.
// Shapes:  nodes: the broker, its clients and shards, the queues, the workers, the dependencies
//          that their steps use. Interfaces: of a worker the steps it runs, of a dependency the
//          steps that use it, of the broker `submit`, of a shard `commit`, of a client `answers`.
// Threads: one owner, the loop.
// Bounds:  kClientsShown clients by name, the rest as one; kLostShown and kLostKept of lost
//          workers.
// Costs:   about 60 ns an ended attempt; a sample some microseconds a node.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/facts.hpp"
#include "monitoring/health/rules.hpp"
#include "schema/messages.hpp"

namespace ordo::health {

/// Commits of a shard since its broker started, as its store counts them.
struct CommitTotals {
  std::uint64_t commits = 0;
  Micros time{0};
  Steady asked{};  ///< when the session was asked for what it has not answered yet; zero: nothing
};

/// What is known at one moment beside the facts.
struct Sample {
  Wall at{};
  Steady now{};
  std::vector<wire::QueueView> queues;
  std::vector<wire::WorkerView> workers;
  std::vector<ClientCounts> clients;
  std::map<ShardNumber, CommitTotals> commits;  ///< every shard that the broker is to own
  std::map<ShardNumber, ShardPulse> pulses;     ///< of those with a database
};

class HealthBook {
 public:
  HealthBook(std::string system, std::string broker, Thresholds thresholds);

  void observe(const Fact& fact);
  Tree sample(const Sample& sample);

 private:
  static constexpr Seconds kLostShown{60};
  /// Lost workers that are shown at once: past that it is a storm, and more names say nothing.
  static constexpr std::size_t kLostKept = 100;
  /// Clients name themselves: a page and Prometheus want few.
  static constexpr std::size_t kClientsShown = 50;
  /// Right after its start a broker takes its shards: nobody should be called out for that.
  static constexpr int kOpeningTicks = 5;

  struct StepOfWorker {
    std::uint64_t worker;
    const std::string* pipeline;
    const std::string* step;
    friend bool operator==(const StepOfWorker&, const StepOfWorker&) = default;
  };
  struct StepOfWorkerHash {
    std::size_t operator()(const StepOfWorker& at) const {
      return at.worker ^ (std::hash<const void*>{}(at.pipeline) * 31) ^
             std::hash<const void*>{}(at.step);
    }
  };
  struct Step {
    InterfaceWatch calls;
    const std::string* dependency = nullptr;  ///< that it uses
  };
  /// A step that uses a dependency, of one version of its pipeline.
  struct UsingStep {
    InterfaceWatch calls;
    std::string name;
  };
  struct Client {
    InterfaceWatch answers;
    std::uint64_t busy = 0;  ///< in this second
    bool is_here = false;
  };
  struct Shard {
    InterfaceWatch commits;
    CommitTotals seen;
    bool is_open = false;
    bool was_open = false;      ///< at some time
    bool is_elsewhere = false;  ///< another session owns it
    int ticks = 0;              ///< without having been opened
    std::string why = "it has not been opened yet";
  };
  struct Lost {
    Steady at{};
    std::vector<std::string> queues;
  };

  void ended(const Fact& fact, bool is_error, bool is_timed);
  void shard_changed(const Fact& fact);
  Node& add(Tree& tree, NodeType type, std::string app, std::string name, Verdict found);
  void add_broker(Tree& tree);
  void count_clients(const Sample& sample);
  void add_clients(Tree& tree, const Sample& sample);
  void judge_breaker(const std::string& dependency, Verdict& verdict) const;
  void add_dependencies(Tree& tree);
  void add_shards(Tree& tree, const Sample& sample);
  void add_queues(Tree& tree, const Sample& sample);
  void add_workers(Tree& tree, const Sample& sample);
  void forget_replaced();
  void add_lost(Tree& tree, const Sample& sample);
  std::map<std::string, Verdict> judge_steps();

  const std::string system_;
  const std::string broker_;
  const Thresholds thresholds_;
  InterfaceWatch submits_;
  std::uint64_t busy_ = 0;  ///< in this second
  std::string busy_why_;
  std::map<ShardNumber, Shard> shards_;
  std::map<std::uint64_t, std::string> workers_;  ///< names by number
  std::map<std::string, std::vector<std::string>> queues_of_;
  std::map<std::string, Lost> lost_;
  std::vector<std::string> joined_;  ///< since the last sample
  std::unordered_map<StepOfWorker, Step, StepOfWorkerHash> steps_;
  std::unordered_map<const std::string*, UsingStep> dependencies_;  ///< by the step's own `uses`
  std::map<std::string, std::string> breakers_;                     ///< states by dependency
  std::map<wire::SessionId, ClientCounts> sessions_;                ///< as they were
  std::map<std::string, Client> clients_;
  std::map<std::string, NodeWatch> watches_;  ///< by node id
};

}  // namespace ordo::health
