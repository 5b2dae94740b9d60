// One client process: the real ClientCore and callers that want all kinds of things of it.
//
// Threads: one owner.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/core/client_core.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

class SimClient final : public Endpoint {
 public:
  SimClient(Context& context, Checker& checker, Network& network, int number);

  void start();
  /// Asks; `done` is called with the one answer. `patience` bounds it.
  void ask(client::Request request, Micros patience,
           std::function<void(const client::Done&)> done = {});
  void forget_watches();
  [[nodiscard]] bool is_ready() const { return core_->is_connected(); }
  [[nodiscard]] std::size_t in_flight() const { return core_->in_flight(); }
  [[nodiscard]] std::optional<OrderId> draw_id();

  void connected() override { post(client::LinkUp{0}); }
  void disconnected() override { post(client::LinkDown{0}); }
  void received(wire::Message message) override { post(client::Received{0, std::move(message)}); }

 private:
  struct Asked {
    std::function<void(const client::Done&)> done;
    OrderId id;
    std::string payload;  ///< of a submit
    bool is_submit = false;
    bool is_watch = false;
  };

  void post(client::Event&& event);
  void step(client::Event&& event);
  void perform(client::Effects& effects);
  void arm();
  [[nodiscard]] Times now() const { return {context_.time.now(), context_.time.wall()}; }

  Context& context_;
  Checker& checker_;
  Network& network_;
  std::string name_;
  std::unique_ptr<client::ClientCore> core_;
  client::Token last_token_ = 0;
  std::map<client::Token, Asked> asked_;
  std::deque<client::Event> inbox_;
  bool is_stepping_ = false;
  Steady tick_at_ = Steady::max();
  std::uint64_t tick_round_ = 0;
};

}  // namespace ordo::sim
