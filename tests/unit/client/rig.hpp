// A client core with everything around it played by the test: time, links, a broker's words.
//
// Shapes:  effects are collected per call of tick(); sent<T>() gives the messages of one type.
// Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client/core/client_core.hpp"
#include "schema/codec.hpp"

namespace ordo::client {

/// An answer without a body.
inline wire::Answer ok(std::uint64_t request, std::string reason = {}) {
  wire::Answer answer;
  answer.request = request;
  answer.reason = std::move(reason);
  return answer;
}

class Rig {
 public:
  explicit Rig(CoreOptions options = {.endpoints = {"tcp://a"}}) : core(std::move(options)) {
    now = {Steady{Seconds{1000}}, Wall{Seconds{1'700'000'000}}};
  }

  void tell(Event event) { core.step(now, std::move(event), effects); }
  /// Forgets the effects so far, then ticks.
  void tick() {
    effects.clear();
    tell(Tick{});
  }
  void pass(Micros time) {
    now.steady += time;
    now.wall += time;
    tick();
  }
  /// Steps from one deadline of the core to the next, beating like a healthy broker.
  void live(Micros time) {
    const Steady end = now.steady + time;
    std::vector<Done> dones;
    while (now.steady < end) {
      const Steady next = std::min({core.next_deadline(), end, now.steady + Micros{500'000}});
      const Micros gap = std::max(next - now.steady, Micros{0});
      now.steady += gap;
      now.wall += gap;
      for (LinkIndex link = 0; link < healthy; ++link)
        tell(Received{link, wire::Beat{0, 1U << 30, {}}});
      tell(Tick{});
    }
  }

  void connect(LinkIndex link, std::vector<wire::ShardEntry> shards = {{0, 1, ""}, {1, 1, ""}}) {
    effects.clear();
    tell(LinkUp{link});
    const auto hello = sent<wire::ClientHello>(link);
    ASSERT_EQ(hello.size(), 1U);
    welcome(link, hello[0].session, std::move(shards));
  }
  void welcome(LinkIndex link, const wire::SessionId& session,
               std::vector<wire::ShardEntry> shards = {{0, 1, ""}, {1, 1, ""}}) {
    wire::Welcome words;
    words.session = session;
    words.broker = "b";
    words.shards = std::move(shards);
    tell(Received{link, words});
    tick();
  }

  void submit(Token token, Micros patience = Seconds{10}, wire::OrderRequest order = {}) {
    if (order.pipeline.empty()) order.pipeline = "p";
    tell(Ask{token, Request{std::move(order)}, now.steady + patience, retries_busy});
  }
  void ask(Token token, Request request, Micros patience = Seconds{10}) {
    tell(Ask{token, std::move(request), now.steady + patience, true});
  }
  void answer(LinkIndex link, wire::Answer answer) {
    tell(Received{link, wire::Answers{{std::move(answer)}}});
  }
  void refuse(LinkIndex link, std::uint64_t request, Error error) {
    answer(link, wire::to_answer(request, error));
  }

  template <class T> [[nodiscard]] std::vector<T> sent(LinkIndex link = 0) const {
    std::vector<T> messages;
    for (const Send& send : effects.sends) {
      if (send.link != link) continue;
      if (const auto* message = std::get_if<T>(&send.message)) messages.push_back(*message);
    }
    return messages;
  }
  /// All orders in the frames of this step.
  [[nodiscard]] std::vector<wire::OrderRequest> orders(LinkIndex link = 0) const {
    std::vector<wire::OrderRequest> all;
    for (const auto& frame : sent<wire::Submit>(link)) {
      all.insert(all.end(), frame.orders.begin(), frame.orders.end());
    }
    return all;
  }

  ClientCore core;
  Times now;
  Effects effects;
  bool retries_busy = true;
  LinkIndex healthy = 1;  ///< links that live() beats for
};

}  // namespace ordo::client
