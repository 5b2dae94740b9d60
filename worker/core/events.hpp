// What can happen to a worker's core. A shell (or the simulator) turns the world into these, one at
// a time.
//
// Shapes:  Event is a closed variant; runs and links are named by numbers that the core gave out.
// Units:   durations as chrono types.
// Threads: values, moved into WorkerCore::step.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "schema/messages.hpp"

namespace ordo::worker {

/// One broker of the configured list, by its position.
using LinkIndex = std::uint32_t;
/// One task as the core handed it to the shell; never reused.
using RunId = std::uint64_t;

/// What a handler came to.
struct Ending {
  Outcome outcome = Outcome::kSucceeded;
  std::string result;   ///< succeeded: opaque bytes
  std::string context;  ///< succeeded: JSON object of context fields; empty: none
  std::string error;    ///< transient, permanent: text for people
  std::string reason;   ///< permanent: business reason
  Millis delay{0};      ///< snooze: how long; transient: retry after, 0 leaves it to the policy
};

/// A run has left the shell: its handler returned, or it was taken out of the line before it began.
struct RunEnded {
  RunId run = 0;
  bool has_begun = true;  ///< false: the handler was never called; `ending` means nothing
  Ending ending;
};

struct RunNote {
  RunId run = 0;
  std::string note;
};

namespace event {

/// The link's connection is up: frames sent on it now reach a broker.
struct Connected {
  LinkIndex link = 0;
};
/// The connection broke.
struct Disconnected {
  LinkIndex link = 0;
  std::string why_not;  ///< set where it was refused before it was there
};
struct Received {
  LinkIndex link = 0;
  wire::Message message;
};
/// Any number of runs ended; a batch costs little more than one.
struct Ended {
  std::vector<RunEnded> runs;
};
/// Handlers said how far they are.
struct Noted {
  std::vector<RunNote> notes;
};
/// The answer to Effects::look: every run whose handler is being executed right now.
struct Looked {
  std::vector<RunId> in_slots;
};
/// Stop taking tasks, hand back those not begun, finish what runs, leave.
struct DrainRequested {};
/// Time went on; nothing else did.
struct TimePassed {};

}  // namespace event

using Event = std::variant<event::Connected, event::Disconnected, event::Received, event::Ended,
                           event::Noted, event::Looked, event::DrainRequested, event::TimePassed>;

}  // namespace ordo::worker
