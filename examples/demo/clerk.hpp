// What the shop's own people do beside the customers: pay back what somebody sends back, look after
// restored orders, run the nightly jobs, say when a book has come out, and reconcile payments with
// orders until nothing is left.
//
// Rule:    their orders are in the log of acks like everybody's.
// Errors:  of the log; what brokers refuse is tried again next time.
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "examples/demo/ack_log.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

class Clerk {
 public:
  Clerk(client::Client& client, AckLog& log) : client_(client), log_(log) {}

  /// Orders that customers have just submitted.
  void notice(const std::vector<client::Order>& orders);
  /// What is due now; a few calls at most.
  Result<void> step();
  /// The same once there are no more orders: no probes.
  Result<void> look_on();
  /// The day's end: the night's jobs, and every book that was ordered before it came out is out.
  Result<void> close();
  /// Looks for money that belongs to nobody. True while there was some, or it is not known yet.
  Result<bool> reconcile();

 private:
  Result<void> submit(client::Order order);
  Result<void> start_job(const std::string& job);
  Result<void> look_after_one(std::deque<OrderId>& line);

  client::Client& client_;
  AckLog& log_;
  std::size_t seen_ = 0;
  std::deque<OrderId> sent_back_;  ///< once they have succeeded, their money goes back
  std::deque<OrderId> looked_at_;  ///< by pipeline `restore`, once they have ended
  std::vector<OrderId> preorders_;
  Steady probed_{}, looked_{};
  OrderId reconciling_{};
};

}  // namespace ordo::demo
