// Where callbacks go: to a broker as signals, to an address over HTTP, or into a file.
//
// Rule:    deliver() answers true only when the other side has taken it for good. What is not taken
//          comes again.
// Errors:  open_sink(): kMalformed or kUnavailable.
// Threads: the desk's, several at a time.
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

/// "tcp://host:port": a broker's client socket, the order is told by Client::signal(), taken when
/// that is durable; several with commas between. "http://host:port/path": POST of
/// to_json(callback), taken with any status 2xx. "file:PATH": one line each, taken when it is on
/// disk.
Result<std::unique_ptr<CallbackSink>> open_sink(const std::string& where);

}  // namespace ordo::shop
