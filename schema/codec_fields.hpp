// What the codec knows of fields beyond their C++ type: the parts that have no fields() of their
// own, which strings are opaque, how large enums and lists get. Included by codec.cpp alone.
//
// Shapes:  rules are found by the address of a field in its struct; the optimizer turns them into
//          constants.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "schema/limits.hpp"
#include "schema/messages.hpp"

namespace ordo::wire {

/// Calls `f` with every field of a struct of the wire, in the wire's order.
template <class T, class F> void visit_fields(T& value, F&& f) {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Plain, TaskKey>) {
    f(value.order, value.step, value.branch, value.kind);
  } else if constexpr (std::is_same_v<Plain, Fence>) {
    f(value.timeline, value.epoch, value.attempt);
  } else {
    Plain::fields(value, std::forward<F>(f));
  }
}

/// Bytes that nobody but a handler reads: a bin on the wire. Other strings are str.
template <class T> bool is_opaque(const T& owner, const std::string* field) {
  if constexpr (requires { owner.payload; }) {
    if (field == &owner.payload) return true;
  }
  if constexpr (requires { owner.result; }) {
    if (field == &owner.result) return true;
  }
  if constexpr (requires { owner.body; }) {
    if (field == &owner.body) return true;
  }
  return false;
}

/// The largest value of a number: of its enum where it stands for one, else of its type.
template <class T, class Number> std::uint64_t max_of(const T& owner, const Number* field) {
  const void* at = field;
  if constexpr (requires { owner.outcome; }) {
    if (at == &owner.outcome) return static_cast<std::uint64_t>(Outcome::kUnknown);
  }
  if constexpr (requires { owner.verb; }) {
    if (at == &owner.verb) return static_cast<std::uint64_t>(Verb::kCompensate);
  }
  if constexpr (requires { owner.what; }) {
    if (at == &owner.what) return static_cast<std::uint64_t>(ListWhat::kRecent);
  }
  if constexpr (requires { owner.code; }) {
    if (at == &owner.code) return static_cast<std::uint64_t>(Code::kUnknown);
  }
  return static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
}

/// Elements of a list of T in one frame. An element may take a single byte on the wire and hundreds
/// in memory: this bound, not the frame's size, limits what a frame of empty elements costs.
template <class T> constexpr std::size_t max_items() {
  if constexpr (std::is_same_v<T, Offer>) return limits::kFrameOffers;
  if constexpr (std::is_same_v<T, ShardEntry>) return limits::kShards;
  if constexpr (std::is_same_v<T, HeldTask>) return limits::kFrameHeld;
  // Results of all steps and branches that a task depends on, and the tasks of one order.
  if constexpr (std::is_same_v<T, StepResult> || std::is_same_v<T, TaskView>) return 4096;
  if constexpr (std::is_same_v<T, AttemptView>) return 4096;
  // Lists for people that are not paged.
  if constexpr (std::is_same_v<T, QueueView> || std::is_same_v<T, WorkerView>) return 16384;
  if constexpr (std::is_same_v<T, PipelineView>) return 16384;
  return limits::kFrameItems;
}

/// The name of a message in errors and logs, by its number on the wire.
inline constexpr std::string_view kTypeNames[] = {
    "Beat",       "SayHello",      "Welcome",     "Refusal",      "ClientHello", "Submit",
    "Wait",       "Unwait",        "Watch",       "Get",          "List",        "Cancel",
    "Operate",    "Explain",       "PutPipeline", "GetPipelines", "GetQueues",   "SetQueue",
    "GetWorkers", "Answers",       "WorkerHello", "Results",      "Drain",       "Goodbye",
    "Offers",     "RecordedItems", "Regrants",    "Revokes",      "Signal",      "GetSignals"};
static_assert(std::size(kTypeNames) == std::variant_size_v<Message>);

}  // namespace ordo::wire
