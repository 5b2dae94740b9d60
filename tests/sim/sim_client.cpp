#include "tests/sim/sim_client.hpp"

#include <utility>

namespace ordo::sim {

SimClient::SimClient(Context& context, Checker& checker, Network& network, int number)
    : context_(context), checker_(checker), network_(network), name_("c" + std::to_string(number)) {
  client::CoreOptions options;
  options.endpoints = {"broker"};
  options.name = name_;
  options.seed = context.scenario.seed * 17 + static_cast<std::uint64_t>(number);
  options.resend_after = Millis{2000};
  options.poll_every = Millis{5000};
  core_ = std::make_unique<client::ClientCore>(options);
}

void SimClient::start() { post(client::Tick{}); }

void SimClient::ask(client::Request request, Micros patience,
                    std::function<void(const client::Done&)> done) {
  const client::Token token = ++last_token_;
  Asked& asked = asked_[token];
  asked.done = std::move(done);
  if (const auto* order = std::get_if<wire::OrderRequest>(&request)) {
    asked.is_submit = true;
    asked.payload = order->payload;
  }
  asked.is_watch = std::holds_alternative<wire::Watch>(request);
  post(client::Ask{token, std::move(request), context_.time.now() + patience, true});
}

void SimClient::forget_watches() {
  std::vector<client::Token> tokens;
  for (const auto& [token, asked] : asked_) {
    if (asked.is_watch) tokens.push_back(token);
  }
  for (const auto token : tokens) post(client::Forget{token});
}

std::optional<OrderId> SimClient::draw_id() { return core_->draw_id(context_.time.wall(), {}); }

void SimClient::post(client::Event&& event) {
  inbox_.push_back(std::move(event));
  if (is_stepping_) return;
  is_stepping_ = true;
  while (!inbox_.empty()) {
    client::Event next = std::move(inbox_.front());
    inbox_.pop_front();
    step(std::move(next));
    if (inbox_.empty()) step(client::Tick{});
  }
  is_stepping_ = false;
  arm();
}

void SimClient::step(client::Event&& event) {
  client::Effects effects;
  core_->step(now(), std::move(event), effects);
  perform(effects);
}

void SimClient::perform(client::Effects& effects) {
  if (!effects.opens.empty() || !effects.resets.empty()) network_.dial(*this, Send::To::kClient);
  for (auto& send : effects.sends) network_.send_to_broker(*this, std::move(send.message));
  for (const auto& done : effects.dones) {
    const auto it = asked_.find(done.token);
    if (it == asked_.end()) throw Violation("one answer per question", name_ + " answers twice");
    Asked asked = std::move(it->second);
    asked_.erase(it);
    context_.trace([&] {
      return "    " + name_ + " is told " + (done.error ? done.error->reason : "ok") + " about " +
             done.id.to_string().substr(24);
    });
    if (asked.is_submit) checker_.told(done.id, asked.payload, done.error);
    if (asked.done) asked.done(done);
  }
}

void SimClient::arm() {
  const Steady deadline = core_->next_deadline();
  if (deadline == Steady::max()) return;
  const Steady at = std::max(deadline, context_.time.now() + Micros{200});
  if (tick_at_ > context_.time.now() && tick_at_ <= at) return;
  tick_at_ = at;
  context_.time.at(at, [this, round = ++tick_round_] {
    if (round != tick_round_) return;
    tick_at_ = Steady::max();
    post(client::Tick{});
  });
}

}  // namespace ordo::sim
