#include "worker/app/stats.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/metric_text.hpp"
#include "base/process_metrics.hpp"
#include "worker/app/families.hpp"

namespace ordo::worker {
namespace {

/// As for brokers: three seconds is when peers give it up.
constexpr Seconds kHung{3};

std::uint64_t read(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

HandlerStats stats_of(const std::string& name, const HandlerCells& cells) {
  const auto outcome = [&](Outcome kind) {
    return read(cells.outcomes[static_cast<std::size_t>(kind)]);
  };
  HandlerStats stats;
  stats.handler = name;
  stats.succeeded = outcome(Outcome::kSucceeded);
  stats.transient = outcome(Outcome::kTransient);
  stats.permanent = outcome(Outcome::kPermanent);
  stats.snoozed = outcome(Outcome::kSnooze);
  stats.unknown = outcome(Outcome::kUnknown);
  for (std::size_t i = 0; i < stats.took.size(); ++i) stats.took[i] = read(cells.took[i]);
  stats.took_in_all = Micros{static_cast<std::int64_t>(read(cells.micros))};
  return stats;
}

void add_handlers(WorkerStats& stats, const LoopCounters& counters) {
  for (const auto& [name, place] : counters.places) {
    stats.handlers.push_back(stats_of(name, counters.handlers[place]));
    const HandlerStats& handler = stats.handlers.back();
    stats.succeeded += handler.succeeded;
    stats.transient += handler.transient;
    stats.permanent += handler.permanent;
    stats.snoozed += handler.snoozed;
    stats.unknown += handler.unknown;
  }
  stats.ended = stats.succeeded + stats.transient + stats.permanent + stats.snoozed + stats.unknown;
}

void write_handlers(MetricText& text, const WorkerStats& stats) {
  for (const HandlerStats& handler : stats.handlers) {
    const std::pair<std::string_view, std::uint64_t> outcomes[] = {{"succeeded", handler.succeeded},
                                                                   {"transient", handler.transient},
                                                                   {"permanent", handler.permanent},
                                                                   {"snooze", handler.snoozed},
                                                                   {"unknown", handler.unknown}};
    for (const auto& [word, count] : outcomes) {
      text.count(metrics::kWorkerAttempts, {handler.handler, word}, count);
    }
  }
  for (const HandlerStats& handler : stats.handlers) {
    text.histogram(metrics::kWorkerHandlerSeconds, {handler.handler}, handler.took,
                   handler.took_in_all.count());
  }
}

std::string_view status_of(const WorkerStats& stats) {
  if (stats.loop_age >= kHung) return "hung";
  if (stats.is_draining) return "draining";
  return stats.brokers > 0 ? "ready" : "no broker";
}

StatusPage page(bool is_well, std::string_view status, const WorkerStats& stats) {
  const auto age_ms = std::chrono::duration_cast<Millis>(stats.loop_age).count();
  return {is_well ? 200 : 503, "application/json",
          "{\"brokers\":" + std::to_string(stats.brokers_named) + ",\"brokers_up\":" +
              std::to_string(stats.brokers) + ",\"loop_age_ms\":" + std::to_string(age_ms) +
              ",\"status\":\"" + std::string(status) + "\"}\n"};
}

}  // namespace

WorkerStats stats_of(const WorkerLoop& loop) {
  const LoopCounters& counters = loop.counters();
  const auto fact = [&](FactKind kind) {
    return read(counters.facts[static_cast<std::size_t>(kind)]);
  };
  WorkerStats stats;
  add_handlers(stats, counters);
  stats.offered = read(counters.offered);
  stats.recorded = fact(FactKind::kResultRecorded);
  stats.refused = fact(FactKind::kResultRefused);
  stats.repeated = fact(FactKind::kResultRepeated);
  stats.handed_back = fact(FactKind::kHandedBack);
  stats.timed_out = fact(FactKind::kTimedOut);
  stats.reconnects = fact(FactKind::kReconnecting);
  stats.hung = static_cast<std::uint32_t>(read(counters.hung));
  stats.brokers = static_cast<std::uint32_t>(read(counters.welcome_links));
  stats.brokers_named = loop.links();
  stats.slots = loop.slots().size();
  stats.slots_used = loop.slots().busy();
  stats.ahead = loop.slots().waiting();
  stats.results_waiting = read(counters.results);
  stats.revoked = fact(FactKind::kRevoked);
  stats.regranted = fact(FactKind::kRegranted);
  stats.offers_stale = fact(FactKind::kOfferRefused);
  stats.offers_repeated = fact(FactKind::kOfferRepeated);
  stats.offers_over = fact(FactKind::kOverCredit);
  stats.hellos = read(counters.hellos);
  stats.beats = read(counters.beats);
  stats.welcomes = fact(FactKind::kWelcomed);
  stats.frames_refused = fact(FactKind::kFrameRefused);
  stats.frames_ignored = fact(FactKind::kFrameIgnored) + read(counters.undecodable);
  stats.is_draining = counters.is_draining.load(std::memory_order_relaxed);
  const Steady last{Micros{counters.stamp.load(std::memory_order_relaxed)}};
  stats.loop_age = std::max(steady_now() - last, Micros{0});
  return stats;
}

std::string to_metrics(const WorkerStats& stats) {
  using namespace metrics;
  MetricText text;
  text.count(kWorkerBuildInfo, {ORDO_VERSION}, 1);
  write_handlers(text, stats);
  text.count(kWorkerSlots, {}, stats.slots);
  text.count(kWorkerSlotsUsed, {}, stats.slots_used);
  text.count(kWorkerSlotsHung, {}, stats.hung);
  text.count(kWorkerTasksTaken, {}, stats.offered);
  text.count(kWorkerTasksAhead, {}, stats.ahead);
  text.count(kWorkerHandedBack, {}, stats.handed_back);
  text.count(kWorkerTimeouts, {}, stats.timed_out);
  text.count(kWorkerRevoked, {}, stats.revoked);
  text.count(kWorkerRegranted, {}, stats.regranted);
  text.count(kWorkerResults, {"recorded"}, stats.recorded);
  text.count(kWorkerResults, {"refused"}, stats.refused);
  text.count(kWorkerResultsWaiting, {}, stats.results_waiting);
  text.count(kWorkerResultsRepeated, {}, stats.repeated);
  text.count(kWorkerOffersDropped, {"stale"}, stats.offers_stale);
  text.count(kWorkerOffersDropped, {"repeated"}, stats.offers_repeated);
  text.count(kWorkerOffersDropped, {"over_credit"}, stats.offers_over);
  text.count(kWorkerBrokers, {}, stats.brokers_named);
  text.count(kWorkerBrokersUp, {}, stats.brokers);
  text.count(kWorkerHellos, {}, stats.hellos);
  text.count(kWorkerWelcomes, {}, stats.welcomes);
  text.count(kWorkerReconnects, {}, stats.reconnects);
  text.count(kWorkerBeats, {}, stats.beats);
  text.count(kWorkerFrames, {"refused"}, stats.frames_refused);
  text.count(kWorkerFrames, {"ignored"}, stats.frames_ignored);
  text.count(kWorkerDraining, {}, stats.is_draining ? 1 : 0);
  text.value(kWorkerLoopAge, {}, static_cast<double>(stats.loop_age.count()));
  write_process_metrics(text);
  return text.text();
}

StatusPage livez(const WorkerStats& stats) {
  const bool is_alive = stats.loop_age < kHung;
  return page(is_alive, is_alive ? "alive" : "hung", stats);
}

StatusPage readyz(const WorkerStats& stats) {
  const std::string_view status = status_of(stats);
  return page(status == "ready", status, stats);
}

}  // namespace ordo::worker
