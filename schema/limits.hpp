// Every bound that the parties agree on, with the reason for the number. Past a bound the sender
// gets a clear answer at once. Bounds that an operator sets are in the broker's configuration
// (docs/configuration.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ordo::limits {

using namespace std::chrono_literals;

/// A payload larger than this belongs into an object store, with its address in the payload.
inline constexpr std::size_t kPayloadBytes = 1u << 20;
/// Results travel with every later step of their order: small ones only.
inline constexpr std::size_t kResultBytes = 64u << 10;
/// All results of one order together; what a step's offer may carry, so it must stay far below a
/// frame.
inline constexpr std::size_t kOrderResultsBytes = 1u << 20;
/// The engine reads the context on every step: it is for decisions, not for data.
inline constexpr std::size_t kContextBytes = 64u << 10;
inline constexpr std::size_t kStepContextBytes = 4u << 10;
/// Labels are for people and filters.
inline constexpr std::size_t kLabelsBytes = 4u << 10;
inline constexpr std::size_t kKeyBytes = 256;
inline constexpr std::size_t kCustomerBytes = 128;
/// Names of pipelines, steps, handlers and queues: [a-z0-9_.-], long enough for "team.area.step".
inline constexpr std::size_t kNameBytes = 64;
/// Free text that an operator or a handler gives (errors, reasons): enough for a sentence and a
/// stack's top.
inline constexpr std::size_t kTextBytes = 4u << 10;
/// What is kept of a late result beside its hash and size.
inline constexpr std::size_t kEvidenceBytes = 1u << 10;

/// One frame, both ways. Holds the largest offer (payload, context, results) with room to spare.
inline constexpr std::size_t kFrameBytes = 4u << 20;
/// Where a sender cuts a frame of many items: big enough to spread a frame's cost, small enough not
/// to delay.
inline constexpr std::size_t kFrameTargetBytes = 256u << 10;
/// Items in one frame: bounds what a receiver does before it looks at its other peers.
inline constexpr std::size_t kFrameItems = 1024;
inline constexpr std::size_t kFrameOffers = 64;
/// Tasks that a worker lists in its hello or hands back in one frame; below what kDecodeTokens can
/// hold.
inline constexpr std::size_t kFrameHeld = 16384;
/// Depth and count of what a decoder accepts: no message of ours nests deeper than five.
inline constexpr std::size_t kDecodeDepth = 8;
inline constexpr std::size_t kDecodeTokens = 256u << 10;

/// Signals of one order, taken, early and late: each is remembered as long as the order, so that
/// none counts twice.
inline constexpr std::size_t kOrderSignals = 256;
/// Signals kept for one order that is not there, and for all of them in a shard: enough for an hour
/// in which some orders are lost, far from what could hurt the tables.
inline constexpr std::size_t kOrphanSignals = 16;
inline constexpr std::size_t kKeptSignals = 10'000;

inline constexpr std::size_t kPipelineSteps = 256;
inline constexpr std::size_t kPipelineEdges = 1024;
inline constexpr std::size_t kPipelineBytes = 256u << 10;
inline constexpr std::size_t kBranches = 1000;
/// Branches of all steps of an order: with a result for each of them and for every other step, an
/// offer stays below the 4,096 that a frame may list.
inline constexpr std::size_t kOrderBranches = 3840;
/// Branches of a step that an answer for people lists: those that are not over go first.
inline constexpr std::size_t kListedBranches = 100;
inline constexpr int kRetryAttempts = 100;
inline constexpr auto kRetryCap = 24h;
inline constexpr auto kStepTimeoutMin = 1ms;
inline constexpr auto kStepTimeoutMax = 24h;
inline constexpr auto kWaitTimeoutMax = 24h * 30;
inline constexpr auto kDelayMax = 24h * 365;
inline constexpr auto kDeadlineMax = 24h * 365;

inline constexpr unsigned kShards = 4096;
inline constexpr std::uint8_t kPriorities = 10;
inline constexpr std::uint8_t kDefaultPriority = 5;
inline constexpr std::size_t kWorkerQueues = 256;
/// Names that workers may add: a list of all must fit into one frame.
inline constexpr std::size_t kQueues = 4096;
inline constexpr std::uint32_t kWorkerSlots = 65536;

/// One commit: what one call of commit_batch carries at most. Larger ones gain nothing and delay
/// what waits.
inline constexpr std::size_t kBatchRows = 2000;
inline constexpr std::size_t kBatchBytes = 4u << 20;

/// A task on which this many workers were lost is poison.
inline constexpr int kPoisonLosses = 3;
/// A page of a list.
inline constexpr std::uint32_t kListPage = 1000;
/// Orders that a list with a filter looks at for one page: a rare pipeline among millions must not
/// hold a reader.
inline constexpr std::uint32_t kListLooks = kListPage;
/// Of a parked task's last error, in a view: enough to tell errors apart.
inline constexpr std::size_t kListedErrorBytes = 300;
/// Events of one order that one answer carries.
inline constexpr std::size_t kEventsPage = 1000;
/// An answer's body is cut here: with the largest single part behind it (a payload, an order's
/// results) it still fits into a frame.
inline constexpr std::size_t kAnswerCutBytes = 1u << 20;
/// … and here, well below what a decoder takes: values in one answer, fields and texts alike.
inline constexpr std::size_t kAnswerCutValues = 100'000;

}  // namespace ordo::limits
