// What a worker's core wants done. A shell performs these in the order of the members below.
//
// Rule:    a send may be lost, and so may the whole connection: whatever matters is sent again
//          until it is answered. The shell never has to keep a frame for longer than the connection
//          it was meant for.
// Threads: values.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "worker/core/events.hpp"

namespace ordo::worker {

/// A frame for a link.
struct Send {
  LinkIndex link = 0;
  wire::Message message;
};

/// Put the task at the end of the line that the slots take from. The shell runs at most `slots` at
/// a time.
struct StartRun {
  RunId run = 0;
  Steady timeout_at{};               ///< when this attempt is over
  std::optional<Steady> order_ends;  ///< the order's deadline
  wire::Offer offer;
};

/// Tell the handler to stop; a run that has not begun leaves the line as RunEnded{has_begun =
/// false}.
struct CancelRun {
  RunId run = 0;
  std::string reason;  ///< "timeout", "order_ending", "superseded", "draining"
};

enum class FactKind : std::uint8_t {
  kWelcomed,        ///< a broker knows the session
  kReconnecting,    ///< a link is dialled anew
  kOfferRefused,    ///< an offer of an older (timeline, epoch) or attempt
  kOfferRepeated,   ///< an offer that is held or was finished
  kOverCredit,      ///< more offers than were asked for: dropped
  kRegranted,       ///< a task goes on under a new fence
  kRevoked,         ///< a task is no longer ours
  kTimedOut,        ///< an attempt's timeout passed here
  kHung,            ///< a handler is still running long after its timeout
  kResultRecorded,  ///< the broker has it
  kResultRefused,   ///< the broker refused it as stale
  kResultRepeated,  ///< sent again
  kHandedBack,      ///< given back before it began
  kFrameRefused,    ///< the broker refused a frame; text = reason
  kFrameIgnored,    ///< a message that a worker has no use for
  kDraining,
  kLeft
};
inline constexpr std::size_t kFactKinds = 17;
inline constexpr std::array<std::string_view, kFactKinds> kFactWords{
    "welcomed",    "reconnecting",    "offer_refused",  "offer_repeated",
    "over_credit", "regranted",       "revoked",        "timed_out",
    "hung",        "result_recorded", "result_refused", "result_repeated",
    "handed_back", "frame_refused",   "frame_ignored",  "draining",
    "left"};

constexpr std::string_view to_string(FactKind kind) {
  return kFactWords[static_cast<std::size_t>(kind)];
}

struct Fact {
  FactKind kind = FactKind::kWelcomed;
  TaskKey key;  ///< zero where it is about no task
  Fence fence;
  std::string text;
};

struct Effects {
  std::vector<LinkIndex> connects;  ///< drop the link's connection and what waits in it, dial anew
  std::vector<Send> sends;
  std::vector<StartRun> starts;
  std::vector<CancelRun> cancels;
  bool withdraw = false;    ///< take every run that has not begun out of the line: RunEnded each
  bool look = false;        ///< answer with event::Looked
  std::optional<int> exit;  ///< the worker has left: stop with this exit code
  std::vector<Fact> facts;

  void clear() {
    connects.clear();
    sends.clear();
    starts.clear();
    cancels.clear();
    withdraw = false;
    look = false;
    exit.reset();
    facts.clear();
  }
};

}  // namespace ordo::worker
