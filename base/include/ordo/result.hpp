// The outcome of anything that may fail for an expected reason.
//
// Result<T> is a value or an Error. The code of an Error says what the caller does next; `reason`
// is one documented word for programs (docs/protocol.md lists them all); `message` is one sentence
// for people: what, where, the limit, what to do.
//
// Errors:  this header never throws; value() on an error terminates (see tl::expected).
// Threads: plain values.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace ordo {

/// What the caller does next. The numbers are the wire's and never change.
enum class Code : unsigned char {
  kMalformed = 1,     ///< the request is wrong: fix it, a retry cannot help
  kNotFound = 2,      ///< no such order, step, pipeline or queue
  kConflict = 3,      ///< the same id or key exists with other content, or the state forbids it
  kStale = 4,         ///< the fence did not match: somebody newer holds the task
  kBusy = 5,          ///< nothing happened: come back after `retry_after`
  kNotOwner = 6,      ///< another broker holds the shard: `message` is its endpoint
  kUnavailable = 7,   ///< nothing happened: a part that is needed cannot be reached now
  kUnauthorized = 8,  ///< the key's role does not allow it
  kInternal = 9,      ///< a fault of ours: report it
  kUnknown = 10,      ///< it may or may not have happened: ask again with the same id
};

/// The code's word on the wire, in logs and documents ("not_found").
constexpr std::string_view to_string(Code code) {
  switch (code) {
    case Code::kMalformed: return "malformed";
    case Code::kNotFound: return "not_found";
    case Code::kConflict: return "conflict";
    case Code::kStale: return "stale";
    case Code::kBusy: return "busy";
    case Code::kNotOwner: return "not_owner";
    case Code::kUnavailable: return "unavailable";
    case Code::kUnauthorized: return "unauthorized";
    case Code::kInternal: return "internal";
    case Code::kUnknown: return "unknown";
  }
  return "internal";
}

struct Error {
  Code code = Code::kInternal;
  std::string reason;                        ///< one documented word, e.g. "id_time"
  std::string message;                       ///< one sentence for people
  std::chrono::milliseconds retry_after{0};  ///< only with kBusy; 0 = at once

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T> using Result = tl::expected<T, Error>;

/// Shorthand for returning an error: `return fail(Code::kBusy, "inbox_full", "…");`
inline tl::unexpected<Error> fail(Code code, std::string_view reason, std::string message) {
  return tl::unexpected<Error>(Error{code, std::string(reason), std::move(message), {}});
}

}  // namespace ordo
