#include "examples/demo/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

namespace ordo::demo {
namespace {

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double rounded(double value) { return std::round(value * 10) / 10; }

void count(Outcomes& outcomes, const std::string& status) {
  ++outcomes.orders;
  if (status == "succeeded")
    ++outcomes.succeeded;
  else if (status == "failed")
    ++outcomes.failed;
  else if (status == "cancelled")
    ++outcomes.cancelled;
  else if (status == "parked")
    ++outcomes.parked;
  else
    ++outcomes.open;
}

bool is_final(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

/// Counts what the events say; returns the moment at which each order ended, and of the last event.
struct EventCounts {
  std::unordered_map<std::string, std::int64_t> ended_ms;
  std::int64_t last_ms = 0;
};

EventCounts count_events(const Tables& tables, Summary& summary) {
  EventCounts counts;
  for (const EventRecord& event : tables.events) {
    counts.last_ms = std::max(counts.last_ms, event.at_ms);
    if (is_final(event.status)) counts.ended_ms[event.order] = event.at_ms;
    const bool is_end_of_task = event.kind == "succeeded" || event.kind == "failed" ||
                                event.kind == "operator_skip" || event.kind == "operator_complete";
    if (is_end_of_task) ++summary.tasks;
    if (event.kind == "late_result") ++summary.late_results;
  }
  return counts;
}

void count_orders(const Records& records, const EventCounts& events,
                  const std::map<std::string, std::string>& names, Summary& summary) {
  std::map<std::string, std::vector<double>> took;
  std::vector<double> all;
  std::int64_t first_ms = events.last_ms;
  for (const OrderRecord& order : records.tables.orders) {
    const auto name = names.find(order.pipeline);
    const std::string pipeline = name == names.end() ? order.pipeline : name->second;
    count(summary.all, order.status);
    count(summary.by_pipeline[pipeline], order.status);
    first_ms = std::min(first_ms, order.accepted_ms);
    const auto ended = events.ended_ms.find(order.id);
    if (ended == events.ended_ms.end()) continue;
    all.push_back(static_cast<double>(ended->second - order.accepted_ms));
    took[pipeline].push_back(all.back());
  }
  for (auto& [pipeline, values] : took) {
    summary.by_pipeline[pipeline].ms = percentiles(std::move(values));
  }
  summary.all.ms = percentiles(std::move(all));
  summary.seconds = static_cast<double>(events.last_ms - first_ms) / 1000.0;
}

std::string row(const std::string& name, const Outcomes& o) {
  return fmt::format("{:<10}{:>8}{:>11}{:>8}{:>11}{:>8}{:>10.0f}{:>10.0f}\n", name, o.orders,
                     o.succeeded, o.failed, o.cancelled, o.parked, o.ms.p50, o.ms.p99);
}

}  // namespace

Percentiles percentiles(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    return values[place];
  };
  return {at(0.5), at(0.99)};
}

Recovery recovery_of(const Records& records, const Kill& kill) {
  std::unordered_map<std::string, std::uint32_t> lost;  // key of a task → the attempt that died
  for (const EventRecord& event : records.tables.events) {
    if (event.worker != kill.worker) continue;
    const bool is_late = event.kind == "attempt_failed" && event.at_ms >= kill.wall_ms;
    if (event.kind == "worker_lost" || is_late) lost[effect_key(event)] = event.attempt;
  }
  std::unordered_map<std::string, std::int64_t> begun;
  for (const shop::Effect& effect : records.ledger) {
    const auto found = lost.find(effect.key);
    if (found == lost.end() || effect.attempt <= found->second) continue;
    const auto [place, is_new] = begun.emplace(effect.key, effect.start_ms);
    if (!is_new) place->second = std::min(place->second, effect.start_ms);
  }
  std::int64_t last = kill.monotonic_ms;
  for (const auto& [key, start_ms] : begun) last = std::max(last, start_ms);
  return {begun.size(), last - kill.monotonic_ms};
}

Summary summarize(const Records& records, const SubmitCounts& counts,
                  const std::vector<Kill>& kills, const std::map<std::string, std::string>& names) {
  Summary summary;
  summary.submitted = counts.acked;
  summary.refused = counts.refused;
  summary.unknown = counts.unknown;
  summary.attempts = records.ledger.size();
  summary.ack_ms = percentiles(counts.ack_ms);
  count_orders(records, count_events(records.tables, summary), names, summary);
  summary.kills = kills.size();
  for (const Kill& kill : kills) {
    const Recovery one = recovery_of(records, kill);
    summary.recovery.tasks += one.tasks;
    summary.recovery.ms = std::max(summary.recovery.ms, one.ms);
  }
  summary.verdict = check_records(records.acks, records.ledger, records.tables);
  return summary;
}

/// The commonest reasons, each with its count.
static std::string why_not(const Audit& audit) {
  std::vector<std::pair<std::uint64_t, std::string>> reasons;
  for (const auto& [reason, count] : audit.reasons) reasons.emplace_back(count, reason);
  std::sort(reasons.rbegin(), reasons.rend());
  constexpr std::size_t kShown = 12;
  std::string text = "\nwhy orders did not succeed, in the words of `ordo explain`:\n";
  for (std::size_t i = 0; i < std::min(reasons.size(), kShown); ++i) {
    text += fmt::format("{:>6}  {}\n", reasons[i].first, reasons[i].second);
  }
  if (reasons.size() > kShown) {
    text += fmt::format("        and {} reasons more\n", reasons.size() - kShown);
  }
  return reasons.empty() ? "" : text;
}

std::string to_json_line(const Summary& s) {
  const nlohmann::ordered_json line{{"submitted", s.submitted},
                                    {"succeeded", s.all.succeeded},
                                    {"failed", s.all.failed},
                                    {"parked", s.all.parked},
                                    {"cancelled", s.all.cancelled},
                                    {"lost", s.verdict.lost.count},
                                    {"duplicate_records", s.verdict.duplicate_records.count},
                                    {"tasks", s.tasks},
                                    {"attempts", s.attempts},
                                    {"violations", s.audit.violations},
                                    {"pipelines", s.by_pipeline.size()},
                                    {"waiting", s.all.open},
                                    {"explained", s.audit.explained},
                                    {"unexplained", s.audit.unexplained.size()},
                                    {"kills", s.kills},
                                    {"outage_s", s.outage_s},
                                    {"seconds", rounded(s.seconds)},
                                    {"orders_per_s", rounded(per_second(s.submitted, s.seconds))},
                                    {"tasks_per_s", rounded(per_second(s.tasks, s.seconds))},
                                    {"recovery_ms", s.recovery.ms},
                                    {"refused", s.refused},
                                    {"unknown", s.unknown},
                                    {"unexpected", s.verdict.unexpected.count},
                                    {"unexecuted", s.verdict.unexecuted.count},
                                    {"wrong_attempt", s.verdict.wrong_attempt.count},
                                    {"incomplete", s.verdict.incomplete.count},
                                    {"repeated_effects", s.verdict.repeated_effects},
                                    {"late_results", s.late_results},
                                    {"recovered_tasks", s.recovery.tasks},
                                    {"ack_p50_ms", rounded(s.ack_ms.p50)},
                                    {"ack_p99_ms", rounded(s.ack_ms.p99)},
                                    {"order_p50_ms", s.all.ms.p50},
                                    {"order_p99_ms", s.all.ms.p99}};
  return line.dump();
}

std::string to_table(const Summary& s) {
  std::string text =
      fmt::format("{:<10}{:>8}{:>11}{:>8}{:>11}{:>8}{:>10}{:>10}\n", "pipeline", "orders",
                  "succeeded", "failed", "cancelled", "parked", "p50 ms", "p99 ms");
  for (const auto& [name, outcomes] : s.by_pipeline) text += row(name, outcomes);
  text += row("all", s.all);
  text += fmt::format(
      "\n{:.1f} s: {:.0f} orders/s, {:.0f} tasks/s; submit to durable p50 {:.1f} ms, p99 {:.1f} "
      "ms\n",
      s.seconds, per_second(s.submitted, s.seconds), per_second(s.tasks, s.seconds), s.ack_ms.p50,
      s.ack_ms.p99);
  text += fmt::format(
      "{} tasks recorded, {} executions in the workers' ledgers ({} effects repeated, {} late "
      "results kept as evidence)\n",
      s.tasks, s.attempts, s.verdict.repeated_effects, s.late_results);
  text += fmt::format(
      "{} workers were killed with -9: {} tasks that they held began again, within {} ms; the "
      "supplier was down for {:.0f} s\n",
      s.kills, s.recovery.tasks, s.recovery.ms, s.outage_s);
  text += why_not(s.audit);
  text += fmt::format("\nacknowledged {}, lost {}, recorded twice {}, violations {}\n", s.submitted,
                      s.verdict.lost.count, s.verdict.duplicate_records.count, s.audit.violations);
  return text;
}

std::string findings_of(const Verdict& verdict) {
  std::string text;
  const auto add = [&](const char* name, const Finding& finding) {
    if (finding.count == 0) return;
    text += fmt::format("{}: {}\n", name, finding.count);
    for (const std::string& example : finding.examples) text += "  " + example + "\n";
  };
  add("lost", verdict.lost);
  add("recorded twice", verdict.duplicate_records);
  add("in the tables without a submit", verdict.unexpected);
  add("recorded without an execution", verdict.unexecuted);
  add("recorded with an attempt that no ledger has", verdict.wrong_attempt);
  add("succeeded with steps missing", verdict.incomplete);
  return text;
}

std::string findings_of(const Summary& summary) {
  std::string text = findings_of(summary.verdict);
  for (const std::string& finding : summary.audit.findings) text += finding + '\n';
  for (std::size_t i = 0; i < std::min<std::size_t>(summary.audit.unexplained.size(), 5); ++i) {
    text += "not explained: " + summary.audit.unexplained[i] + '\n';
  }
  return text;
}

}  // namespace ordo::demo
