// Turns the facts of a broker's core into metrics. The only place that counts what the core sees.
//
// Use:     observe() every fact; the book shows the numbers. Queue gauges come from queues(), about
//          once a second.
// Threads: one owner, the loop; scrapes read the book from elsewhere.
// Costs:   about 20 ns a fact: the cells of a pipeline's step are found by the addresses of the
//          names, which live as long as the engine. Facts of kind kTransition are for tests and
//          cost a comparison.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/facts.hpp"
#include "monitoring/probe/families.hpp"
#include "monitoring/probe/metric_book.hpp"
#include "schema/messages.hpp"

namespace ordo {

class Probe {
 public:
  explicit Probe(MetricBook& book);

  /// Shows zero for what these shards may come to, and for every reason that a submit may hear.
  void expect(const std::vector<ShardNumber>& shards);
  void observe(const Fact& fact);
  /// What the queues hold now; a queue that is gone shows zeros.
  void queues(const std::vector<wire::QueueView>& views);

 private:
  /// How an attempt ends, in the order of kOutcomeWords.
  static constexpr std::size_t kOutcomes = 9;
  struct PipelineCells {
    MetricBook::Counter* accepted;
    MetricBook::Counter* duplicate;
    std::array<MetricBook::Counter*, kOrderStatuses> ended;
    MetricBook::Histogram* seconds;
    MetricBook::Counter* begun;   ///< compensations …
    MetricBook::Counter* undone;  ///< … and those that are over
    MetricBook::Counter* missed;  ///< deadlines of orders that went on
  };
  struct StepCells {
    std::array<MetricBook::Counter*, kOutcomes> ended;
    MetricBook::Histogram* run;
    MetricBook::Counter* retried;
    MetricBook::Counter* alarms;
    MetricBook::Counter* joins;
  };
  struct QueueCells {
    MetricBook::Counter* dispatched;
    MetricBook::Counter* backlogged;
    MetricBook::Counter* paged_in;
    MetricBook::Counter* held;
    MetricBook::Histogram* wait;
  };
  struct StepName {
    const std::string* pipeline;
    const std::string* step;
    friend bool operator==(const StepName&, const StepName&) = default;
  };
  struct StepNameHash {
    std::size_t operator()(const StepName& name) const {
      return std::hash<const void*>{}(name.pipeline) * 31 + std::hash<const void*>{}(name.step);
    }
  };

  void observe_order(const Fact& fact);
  void observe_task(const Fact& fact);
  void observe_queue(const Fact& fact);
  void observe_shard(const Fact& fact);
  void count(const MetricFamily& family, const std::string& reason = {});
  void attempt_ended(const Fact& fact, std::string_view outcome);
  PipelineCells& pipeline(const std::string* name);
  StepCells& step(const Fact& fact);
  QueueCells& queue(const std::string* name);

  MetricBook& book_;
  MetricBook::Histogram& submit_seconds_;
  /// Counters of refusals by reason: under overload there are as many of them as orders.
  std::map<std::pair<const MetricFamily*, std::string>, MetricBook::Counter*> reasons_;
  std::unordered_map<const std::string*, PipelineCells> pipelines_;
  std::unordered_map<StepName, StepCells, StepNameHash> steps_;
  std::unordered_map<const std::string*, QueueCells> queues_;
  std::set<std::string> shown_queues_;
};

}  // namespace ordo
