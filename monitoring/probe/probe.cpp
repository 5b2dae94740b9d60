#include "monitoring/probe/probe.hpp"

#include <algorithm>
#include <iterator>

namespace ordo {
namespace {

/// The first five are a worker's words (Outcome); the others are the broker's.
constexpr std::array<std::string_view, 9> kOutcomeWords{"succeeded", "transient",   "permanent",
                                                        "snooze",    "unknown",     "timeout",
                                                        "lost",      "handed_back", "cancelled"};

/// Why submits are rejected for good, and why they are to come back (docs/protocol.md).
constexpr std::array<std::string_view, 13> kRefusals{
    "trace",        "too_large",  "bad_id",          "bad_priority", "bad_delay",
    "bad_deadline", "bad_text",   "bad_context",     "too_deep",     "id_time",
    "payload",      "unstorable", "unknown_pipeline"};
constexpr std::array<std::string_view, 4> kBusies{"inbox_full", "queue_full", "rate",
                                                  "client_rate"};

const std::string kNoName = "unknown";

const std::string& name_of(const std::string* name) { return name == nullptr ? kNoName : *name; }

/// The worse the larger: what a dashboard colours by.
std::size_t breaker_number(std::string_view state) {
  constexpr std::array<std::string_view, 4> kWords{"closed", "ramping", "probing", "open"};
  const auto at = std::find(kWords.begin(), kWords.end(), state);
  return static_cast<std::size_t>(std::distance(kWords.begin(), at));
}

std::size_t outcome_index(std::string_view word) {
  const auto at = std::find(kOutcomeWords.begin(), kOutcomeWords.end(), word);
  return at == kOutcomeWords.end()
             ? 4
             : static_cast<std::size_t>(std::distance(kOutcomeWords.begin(), at));
}

}  // namespace

Probe::Probe(MetricBook& book)
    : book_(book), submit_seconds_(book.histogram(metrics::kSubmitSeconds)) {
  // What has not happened yet shows zero instead of nothing.
  for (const auto* family :
       {&metrics::kResultsStale, &metrics::kResultsRepeated, &metrics::kLeasesLost,
        &metrics::kTasksAdopted, &metrics::kWorkersJoined, &metrics::kWorkersResynced,
        &metrics::kWorkersLost, &metrics::kWorkersLeft, &metrics::kWaitsGivenUp,
        &metrics::kSignalsStuck}) {
    book_.counter(*family);
  }
}

void Probe::expect(const std::vector<ShardNumber>& shards) {
  for (const auto reason : kRefusals) book_.counter(metrics::kOrdersRefused, {std::string(reason)});
  for (const auto reason : kBusies) book_.counter(metrics::kOrdersBusy, {std::string(reason)});
  for (const ShardNumber shard : shards) {
    const MetricBook::Labels labels{std::to_string(shard)};
    book_.gauge(metrics::kShardOpen, labels);
    for (const auto* family : {&metrics::kShardsLost, &metrics::kShardsRefused,
                               &metrics::kWritesRejected, &metrics::kRowsMissing}) {
      book_.counter(*family, labels);
    }
  }
}

void Probe::observe(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::kTransition:
    case FactKind::kTaskReady: return;
    case FactKind::kOrderAccepted:
    case FactKind::kOrderDuplicate:
    case FactKind::kOrderEnded:
    case FactKind::kCompensationBegun:
    case FactKind::kCompensationEnded:
    case FactKind::kDeadlineMissed:
    case FactKind::kOrderRefused:
    case FactKind::kBusy: return observe_order(fact);
    case FactKind::kTaskEnded:
    case FactKind::kTaskRetried:
    case FactKind::kTaskAlarm:
    case FactKind::kTaskParked:
    case FactKind::kTaskTimedOut:
    case FactKind::kTaskCancelled:
    case FactKind::kLeaseLost:
    case FactKind::kHandedBack:
    case FactKind::kJoinFired:
    case FactKind::kWaitTimedOut: return observe_task(fact);
    case FactKind::kStepSkipped:
      return book_
          .counter(metrics::kStepsSkipped, {name_of(fact.pipeline), name_of(fact.step), fact.text})
          .add();
    case FactKind::kFellBack:
      return book_.counter(metrics::kStepFallbacks, {name_of(fact.pipeline), name_of(fact.step)})
          .add();
    case FactKind::kSignal:
      return book_.counter(metrics::kSignals, {name_of(fact.pipeline), fact.text}).add();
    case FactKind::kLateStarted:
      return book_.counter(metrics::kLateOrders, {name_of(fact.pipeline)}).add();
    case FactKind::kOrderRestored:
      return book_.counter(metrics::kOrdersRestored, {name_of(fact.pipeline)}).add();
    case FactKind::kOrderMerged:
      return book_.counter(metrics::kOrdersMerged, {name_of(fact.pipeline)}).add();
    case FactKind::kSignalStuck: return count(metrics::kSignalsStuck);
    case FactKind::kTaskDispatched:
    case FactKind::kBacklogged:
    case FactKind::kTaskHeld:
    case FactKind::kPagedIn: return observe_queue(fact);
    case FactKind::kDependencyState:
      book_.gauge(metrics::kDependencyState, {name_of(fact.dependency)})
          .set(static_cast<double>(breaker_number(fact.text)));
      return;
    case FactKind::kShardOpened:
    case FactKind::kShardLost:
    case FactKind::kShardRefused:
    case FactKind::kWriteRejected:
    case FactKind::kRowMissing: return observe_shard(fact);
    case FactKind::kPipelineKnown:
      // What has not happened yet shows zero: a rate over a series that begins misses its first.
      pipeline(fact.pipeline);
      step(fact);
      return;
    case FactKind::kWaitGivenUp: return count(metrics::kWaitsGivenUp);
    case FactKind::kResultStale: return count(metrics::kResultsStale);
    case FactKind::kResultRepeated: return count(metrics::kResultsRepeated);
    case FactKind::kTaskAdopted: return count(metrics::kTasksAdopted);
    case FactKind::kWorkerJoined: return count(metrics::kWorkersJoined);
    case FactKind::kWorkerResynced: return count(metrics::kWorkersResynced);
    case FactKind::kWorkerLost: return count(metrics::kWorkersLost);
    case FactKind::kWorkerLeft: return count(metrics::kWorkersLeft);
  }
}

void Probe::observe_order(const Fact& fact) {
  if (fact.kind == FactKind::kOrderRefused) return count(metrics::kOrdersRefused, fact.text);
  if (fact.kind == FactKind::kBusy) return count(metrics::kOrdersBusy, fact.text);
  auto& cells = pipeline(fact.pipeline);
  if (fact.kind == FactKind::kOrderAccepted) {
    cells.accepted->add();
    submit_seconds_.observe(fact.took);
  } else if (fact.kind == FactKind::kOrderDuplicate) {
    cells.duplicate->add();
  } else if (fact.kind == FactKind::kCompensationBegun) {
    cells.begun->add();
  } else if (fact.kind == FactKind::kCompensationEnded) {
    cells.undone->add();
  } else if (fact.kind == FactKind::kDeadlineMissed) {
    cells.missed->add();
  } else {
    cells.ended[static_cast<std::size_t>(fact.status)]->add();
    cells.seconds->observe(fact.took);
  }
}

void Probe::attempt_ended(const Fact& fact, std::string_view outcome) {
  step(fact).ended[outcome_index(outcome)]->add();
}

void Probe::observe_task(const Fact& fact) {
  if (fact.kind == FactKind::kTaskEnded) {
    attempt_ended(fact, fact.text);
    step(fact).run->observe(fact.took);
  } else if (fact.kind == FactKind::kTaskRetried) {
    step(fact).retried->add();
  } else if (fact.kind == FactKind::kTaskAlarm) {
    step(fact).alarms->add();
  } else if (fact.kind == FactKind::kTaskParked) {
    book_.counter(metrics::kTasksParked, {name_of(fact.pipeline), name_of(fact.step), fact.text})
        .add();
    if (fact.key.kind == TaskKind::kCompensate) {
      book_.counter(metrics::kCompensationsParked, {name_of(fact.pipeline), name_of(fact.step)})
          .add();
    }
  } else if (fact.kind == FactKind::kTaskTimedOut) {
    attempt_ended(fact, "timeout");
  } else if (fact.kind == FactKind::kTaskCancelled) {
    attempt_ended(fact, "cancelled");
  } else if (fact.kind == FactKind::kLeaseLost) {
    attempt_ended(fact, "lost");
    count(metrics::kLeasesLost);
  } else if (fact.kind == FactKind::kHandedBack) {
    attempt_ended(fact, "handed_back");
  } else if (fact.kind == FactKind::kWaitTimedOut) {
    book_.counter(metrics::kWaitsTimedOut, {name_of(fact.pipeline), name_of(fact.step)}).add();
  } else {
    step(fact).joins->add();
  }
}

void Probe::observe_queue(const Fact& fact) {
  auto& cells = queue(fact.queue);
  if (fact.kind == FactKind::kTaskDispatched) {
    cells.dispatched->add();
    cells.wait->observe(fact.took);
  } else if (fact.kind == FactKind::kBacklogged) {
    cells.backlogged->add();
  } else if (fact.kind == FactKind::kTaskHeld) {
    cells.held->add();
  } else {
    cells.paged_in->add(fact.count);
  }
}

void Probe::observe_shard(const Fact& fact) {
  const MetricBook::Labels shard{std::to_string(fact.shard)};
  if (fact.kind == FactKind::kShardOpened) {
    book_.gauge(metrics::kShardOpen, shard).set(1);
    book_.gauge(metrics::kShardEpoch, shard).set(static_cast<double>(fact.count));
  } else if (fact.kind == FactKind::kShardLost) {
    book_.gauge(metrics::kShardOpen, shard).set(0);
    book_.counter(metrics::kShardsLost, shard).add();
  } else if (fact.kind == FactKind::kShardRefused) {
    book_.gauge(metrics::kShardOpen, shard).set(0);
    book_.counter(metrics::kShardsRefused, shard).add();
  } else if (fact.kind == FactKind::kWriteRejected) {
    book_.counter(metrics::kWritesRejected, shard).add();
  } else {
    book_.counter(metrics::kRowsMissing, shard).add();
  }
}

void Probe::count(const MetricFamily& family, const std::string& reason) {
  auto& cell = reasons_[{&family, reason}];
  if (cell == nullptr) {
    const auto labels = family.labels.empty() ? MetricBook::Labels{} : MetricBook::Labels{reason};
    cell = &book_.counter(family, labels);
  }
  cell->add();
}

Probe::PipelineCells& Probe::pipeline(const std::string* name) {
  const auto known = pipelines_.find(name);
  if (known != pipelines_.end()) return known->second;
  const std::string& text = name_of(name);
  PipelineCells cells{&book_.counter(metrics::kOrdersAccepted, {text}),
                      &book_.counter(metrics::kOrdersDuplicate, {text}),
                      {},
                      &book_.histogram(metrics::kOrderSeconds, {text}),
                      &book_.counter(metrics::kCompensationsBegun, {text}),
                      &book_.counter(metrics::kCompensationsEnded, {text}),
                      &book_.counter(metrics::kDeadlinesMissed, {text})};
  for (std::size_t i = 0; i < kOrderStatuses; ++i) {
    const auto status = static_cast<OrderStatus>(i);
    // Only final statuses are shown; the others can never be counted.
    const std::string word(is_final(status) ? to_string(status) : to_string(OrderStatus::kFailed));
    cells.ended[i] = &book_.counter(metrics::kOrdersEnded, {text, word});
  }
  return pipelines_.emplace(name, cells).first->second;
}

Probe::StepCells& Probe::step(const Fact& fact) {
  const StepName name{fact.pipeline, fact.step};
  const auto known = steps_.find(name);
  if (known != steps_.end()) return known->second;
  const MetricBook::Labels labels{name_of(fact.pipeline), name_of(fact.step)};
  StepCells cells{{},
                  &book_.histogram(metrics::kTaskRunSeconds, labels),
                  &book_.counter(metrics::kTasksRetried, labels),
                  &book_.counter(metrics::kTaskAlarms, labels),
                  &book_.counter(metrics::kJoins, labels)};
  for (const char* reason : {"exhausted", "poisoned"}) {
    book_.counter(metrics::kTasksParked, {labels[0], labels[1], reason});
  }
  book_.counter(metrics::kCompensationsParked, labels);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    cells.ended[i] =
        &book_.counter(metrics::kTasksEnded, {labels[0], labels[1], std::string(kOutcomeWords[i])});
  }
  return steps_.emplace(name, cells).first->second;
}

Probe::QueueCells& Probe::queue(const std::string* name) {
  const auto known = queues_.find(name);
  if (known != queues_.end()) return known->second;
  const MetricBook::Labels labels{name_of(name)};
  const QueueCells cells{&book_.counter(metrics::kTasksDispatched, labels),
                         &book_.counter(metrics::kBacklogged, labels),
                         &book_.counter(metrics::kPagedIn, labels),
                         &book_.counter(metrics::kTasksHeld, labels),
                         &book_.histogram(metrics::kTaskWaitSeconds, labels)};
  return queues_.emplace(name, cells).first->second;
}

void Probe::queues(const std::vector<wire::QueueView>& views) {
  std::set<std::string> gone = shown_queues_;
  const auto show = [this](const wire::QueueView& view) {
    const MetricBook::Labels labels{view.queue};
    book_.gauge(metrics::kQueueReady, labels).set(static_cast<double>(view.ready));
    book_.gauge(metrics::kQueueLeased, labels).set(static_cast<double>(view.leased));
    book_.gauge(metrics::kQueueBacklog, labels).set(static_cast<double>(view.backlog));
    book_.gauge(metrics::kQueueHeld, labels).set(static_cast<double>(view.held));
    book_.gauge(metrics::kQueueOldest, labels).set(static_cast<double>(view.oldest_ms) / 1e3);
    book_.gauge(metrics::kQueueWorkers, labels).set(view.workers);
    book_.gauge(metrics::kQueueSlots, labels).set(view.slots);
    book_.gauge(metrics::kQueuePaused, labels).set(view.paused ? 1 : 0);
  };
  for (const auto& view : views) {
    show(view);
    shown_queues_.insert(view.queue);
    gone.erase(view.queue);
  }
  for (const auto& name : gone) {
    wire::QueueView none;
    none.queue = name;
    show(none);
  }
}

}  // namespace ordo
