// Submits orders at a steady rate and writes down what it is told.
//
// Use:     Submitter submitter(client, log, options); while (submitter.step(source)) …
// Rules:   an id is drawn and on disk before its order leaves; an answer is on disk before it is
//          counted. A few customers change their mind at once: their orders are cancelled.
// Units:   rate in orders a second; 0: as fast as they are acknowledged.
// Errors:  of the log; what brokers answer is counted, not an error.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "examples/demo/ack_log.hpp"
#include "examples/demo/order_source.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

struct SubmitOptions {
  double rate = 0;
  double cancel_chance = 0.005;
  std::uint64_t seed = 1;
  /// an order without an answer until then is `unknown`
  std::chrono::milliseconds timeout{60'000};
  /// what customers do with their orders, whose ids are drawn, before they are submitted
  std::function<void(const std::vector<client::Order>&)> before{};
};

struct SubmitCounts {
  std::uint64_t tried = 0, acked = 0, refused = 0, unknown = 0;
  std::vector<double> ack_ms;  ///< one a batch: from its first word to its last answer
  std::string last_refusal;    ///< sentence of the newest refusal
};

class Submitter {
 public:
  Submitter(client::Client& client, AckLog& log, const SubmitOptions& options);

  /// Submits what is due, and waits until the next is. False once the source is empty.
  Result<bool> step(OrderSource& source);
  [[nodiscard]] const SubmitCounts& counts() const { return counts_; }

 private:
  [[nodiscard]] std::size_t due() const;
  Result<void> send(std::vector<client::Order> orders);
  void take(const client::Submitted& submitted);

  client::Client& client_;
  AckLog& log_;
  SubmitOptions options_;
  Random random_;
  Steady start_{};
  SubmitCounts counts_;
};

}  // namespace ordo::demo
