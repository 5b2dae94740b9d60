// What a run exercised: kinds of faults, transitions of tasks, facts. A run over many seeds fails
// where one of them never happened, so that a generator that went lame is noticed.
//
// Threads: one owner; runs add theirs up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/facts.hpp"
#include "schema/vocabulary.hpp"

namespace ordo::sim {

enum class Fault : std::uint8_t {
  kFrameLost,
  kFrameDoubled,
  kFrameLate,
  kFrameToNobody,
  kFrameAcrossReconnect,
  kConnectionCut,
  kLinkClogged,
  kCommitSlow,
  kCommitRejected,
  kCulprit,
  kInDoubtApplied,
  kInDoubtNotApplied,
  kAppliedAfterLoss,
  kCommitWarned,
  kWarnedAndGone,
  kSessionTerminated,
  kLockLingers,
  kOpenRefused,
  kQueryFailed,
  kDatabaseDown,
  kBrokerCrashed,
  kBrokerFrozen,
  kBrokerReplacedWhileFrozen,
  kClockSkewed,
  kWorkerCrashed,
  kWorkerFrozen,
  kWorkerDrained,
  kHandlerHangs,
  kHandlerCrashesWorker,
  kWrongFence,
  kSubmitDoubled,
  kSubmitConflicting,
  kCancelled,
  kOperated,
  kQueuePaused,
  kDeadlineSet,
  kDelaySet,
  kOutage,
  kSignalSent,
  kSignalDoubled,
  kOrderWithheld
};
inline constexpr std::size_t kFaults = 41;
inline constexpr std::array<std::string_view, kFaults> kFaultWords{
    "frame lost",
    "frame doubled",
    "frame late",
    "frame to nobody",
    "frame sent across a reconnect",
    "connection cut",
    "link clogged",
    "commit slow",
    "commit rejected",
    "culprit in a batch",
    "in doubt, applied",
    "in doubt, not applied",
    "applied after the loss was told",
    "commit with a warning",
    "warned and gone",
    "session terminated",
    "lock lingers",
    "open refused",
    "query failed",
    "database down",
    "broker crashed",
    "broker frozen",
    "broker replaced while frozen",
    "clock skewed",
    "worker crashed",
    "worker frozen",
    "worker drained",
    "handler hangs",
    "handler crashes its worker",
    "answer with a wrong fence",
    "submit doubled",
    "same id, other content",
    "order cancelled",
    "operator verb",
    "queue paused",
    "deadline set",
    "delay set",
    "dependency out",
    "signal sent",
    "signal sent again",
    "order later than its signals, or lost"};

class Coverage {
 public:
  void count(Fault fault) { ++faults_[static_cast<std::size_t>(fault)]; }
  void count(const Fact& fact);
  void add(const Coverage& other);

  /// What never happened: words of faults and transitions. Empty when all did.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// A table of counts, one line each.
  [[nodiscard]] std::string table() const;
  [[nodiscard]] std::uint64_t faults(Fault fault) const {
    return faults_[static_cast<std::size_t>(fault)];
  }

 private:
  std::array<std::uint64_t, kFaults> faults_{};
  std::array<std::uint64_t, kTransitions.size()> transitions_{};
  std::array<std::uint64_t, kFactWords.size()> facts_{};
};

}  // namespace ordo::sim
