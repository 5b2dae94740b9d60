// What `ordo` exits with: the same numbers as every program of the project, so that scripts need
// one table.
//
// Shapes:  exit_code_of() maps what a broker or the SDK answered; the rest is said on the spot.
// Threads: pure function.
#pragma once

#include "ordo/result.hpp"

namespace ordo::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,  ///< it was done and the answer is no
  kUsage = 2,   ///< the command line is wrong
  kUnhealthy = 3,
  kNotFound = 4,
  kTimedOut = 5,  ///< no answer in time: it may or may not have happened
  kUnreachable = 69,
  kOurFault = 70,
  kRefused = 71,  ///< the system refused a file, a port, a process
  kInterrupted = 130,
};

/// The exit code of an error that a broker or the SDK answered with.
inline ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::kNotFound: return kNotFound;
    case Code::kUnknown: return kTimedOut;
    case Code::kInternal: return kOurFault;
    case Code::kUnavailable:
      return error.reason == "no_answer" || error.reason == "wait_timeout" ? kTimedOut
                                                                           : kUnreachable;
    case Code::kMalformed:
      return error.reason == "bad_endpoint" || error.reason == "key_file" ? kUsage : kFailed;
    case Code::kConflict:
    case Code::kStale:
    case Code::kBusy:
    case Code::kNotOwner:
    case Code::kUnauthorized: return kFailed;
  }
  return kOurFault;
}

}  // namespace ordo::cli
