// A broker in a thread: a real ROUTER, real frames, and a table of orders in memory. What it
// answers to a submit is the test's to say; everything else it answers in a fixed, plausible way.
//
// Shapes:  stop() and start() are a crash and a restart: the table stays, sessions are forgotten.
// Threads: one of its own; `judge` runs on it. The members that tests read are atomic or behind
//          stop().
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "schema/codec.hpp"

namespace ordo::test {

class FakeBroker {
 public:
  /// What to answer to an order; nullopt: nothing at all. `times`: how often this id was seen
  /// before.
  using Judge = std::function<std::optional<wire::Answer>(const wire::OrderRequest&, int times)>;

  explicit FakeBroker(Judge judge = {});
  ~FakeBroker();

  void start();
  void stop();
  [[nodiscard]] std::string endpoint() const { return endpoint_; }

  std::atomic<std::size_t> submits{0};  ///< items, doubles included
  std::atomic<std::size_t> frames{0};   ///< Submit frames
  std::atomic<std::size_t> hellos{0};
  std::atomic<bool> answers_backwards{false};
  std::atomic<bool> keeps_orders{true};  ///< false: no table, for measuring
  std::atomic<std::size_t> orders{0};    ///< in the table

 private:
  struct Peer {
    bool is_known = false;
    std::uint64_t sent = 0, received = 0;
  };

  void run();
  void on_frame(const std::string& peer, std::string_view frame);
  void on_submit(const std::string& peer, const wire::Submit& submit);
  void on_request(const std::string& peer, const wire::Message& message);
  void send(const std::string& peer, const wire::Message& message);
  void send_answers(const std::string& peer, std::vector<wire::Answer> items);
  std::optional<wire::Answer> body_of(const wire::Message& message);

  Judge judge_;
  std::string endpoint_ = "tcp://127.0.0.1:*";
  zmq::context_t context_;
  std::optional<zmq::socket_t> router_;
  std::map<std::string, Peer> peers_;
  std::map<OrderId, int> seen_;
  std::map<OrderId, wire::OrderRequest> table_;
  std::atomic<bool> is_running_{false};
  std::thread thread_;
};

/// An ok answer.
wire::Answer ok(std::uint64_t request);

}  // namespace ordo::test
