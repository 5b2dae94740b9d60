// Where callbacks go: to an address over HTTP, into a file, or wherever a program wants them.
//
// Rule:    deliver() answers true only when the other side has taken it for good. What is not taken
//          comes again.
// Errors:  open_sink(): kMalformed or kUnavailable.
// Threads: the desk's.
#pragma once

#include <memory>
#include <string>

#include "examples/shop/callback_plan.hpp"
#include "ordo/result.hpp"

namespace ordo::shop {

class CallbackSink {
 public:
  CallbackSink() = default;
  virtual ~CallbackSink() = default;
  CallbackSink(const CallbackSink&) = delete;
  CallbackSink& operator=(const CallbackSink&) = delete;

  virtual bool deliver(const Callback& callback) = 0;
};

/// "http://host:port/path": POST of to_json(callback), taken with any status 2xx. "file:PATH": one
/// line each, taken when it is on disk.
Result<std::unique_ptr<CallbackSink>> open_sink(const std::string& where);

}  // namespace ordo::shop
