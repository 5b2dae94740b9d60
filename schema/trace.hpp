// Trace context: which trace an order belongs to, as its submitter says it, and how its attempts
// are named in that trace.
//
// Shapes:  traceparent `00-<32 hex trace id>-<16 hex parent id>-<2 hex flags>`, lower case, ids not
//          all zero; tracestate a list `vendor=value,…`. An order keeps both at the head of its
//          labels, under names that no label of a client may have: reading them is one comparison
//          for an order without a trace.
// Errors:  code malformed, reason `trace`; one sentence with what is wrong.
// Threads: pure functions.
// Source:  W3C Trace Context level 2; docs/decisions/0014-trace-context.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ordo/result.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

/// A traceparent of version 00.
inline constexpr std::size_t kTraceparentBytes = 55;
/// Vendors must pass on 512 bytes of tracestate; what is longer is refused.
inline constexpr std::size_t kTracestateBytes = 512;
inline constexpr std::size_t kTracestateMembers = 32;

struct TraceContext {
  std::string traceparent;  ///< empty: none
  std::string tracestate;   ///< empty: none

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// What a submitter gave, in the form that is kept: a later version is brought down to 00 with the
/// flags known there, blanks around members of the state go. Both empty: none.
Result<TraceContext> parse_trace(std::string_view traceparent, std::string_view tracestate);

/// The two ids in a traceparent that parse_trace() gave; empty where it is empty.
std::string_view trace_id_of(std::string_view traceparent);
std::string_view parent_id_of(std::string_view traceparent);

/// `labels` (a JSON object, or empty) with a trace at their head; as they are where it is none.
std::string with_trace(const TraceContext& trace, std::string_view labels);
/// The traceparent at the head of an order's labels; empty where there is none.
std::string_view traceparent_in(std::string_view labels);
TraceContext trace_in(std::string_view labels);
/// What the client gave as labels.
std::string labels_without_trace(std::string_view labels);

/// "ORDER/step/branch/kind": the name of a task that stays the same over its attempts.
std::string effect_key(const TaskKey& key, std::string_view step);
/// The span of an attempt, 16 hex digits, never all zero. Broker and worker reckon it out of what
/// both know, so no frame carries it to the worker.
std::string span_id(std::string_view effect_key, std::uint32_t attempt);

}  // namespace ordo
