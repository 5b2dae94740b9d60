#include "tests/integration/client/fake_broker.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace ordo::test {
namespace {

wire::EventView event(std::int64_t seq, std::string kind) {
  wire::EventView view;
  view.seq = seq;
  view.kind = std::move(kind);
  return view;
}

wire::OrderView view_of(const wire::OrderRequest& order) {
  wire::OrderView view;
  view.id = order.id;
  view.pipeline = order.pipeline;
  view.version = 1;
  view.status = "running";
  view.customer = order.customer;
  view.payload = order.payload;
  view.traceparent = order.traceparent;
  view.tracestate = order.tracestate;
  view.accepted_at_ms = order.id.unix_ms();
  auto& task = view.tasks.emplace_back();
  task.step = "only";
  task.state = "ready";
  view.events.push_back(event(1, "retried"));
  return view;
}

}  // namespace

wire::Answer ok(std::uint64_t request) {
  wire::Answer answer;
  answer.request = request;
  return answer;
}

FakeBroker::FakeBroker(Judge judge) : judge_(std::move(judge)) { start(); }
FakeBroker::~FakeBroker() { stop(); }

void FakeBroker::start() {
  router_.emplace(context_, zmq::socket_type::router);
  router_->set(zmq::sockopt::linger, 0);
  router_->set(zmq::sockopt::sndhwm, 0);
  router_->set(zmq::sockopt::rcvhwm, 0);
  // The port of a stopped broker is free a moment after its socket was closed.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (zmq_bind(router_->handle(), endpoint_.c_str()) != 0) {
    if (std::chrono::steady_clock::now() > until) throw zmq::error_t();
    std::this_thread::yield();
  }
  endpoint_ = router_->get(zmq::sockopt::last_endpoint);
  is_running_ = true;
  thread_ = std::thread([this] { run(); });
}

void FakeBroker::stop() {
  if (!thread_.joinable()) return;
  is_running_ = false;
  thread_.join();
  router_.reset();
  peers_.clear();
}

void FakeBroker::run() {
  ::pthread_setname_np(::pthread_self(), "fake-broker");
  auto next_beat = std::chrono::steady_clock::now();
  while (is_running_) {
    std::vector<zmq::pollitem_t> items{{router_->handle(), 0, ZMQ_POLLIN, 0}};
    zmq::poll(items, std::chrono::milliseconds{10});
    zmq::message_t peer;
    zmq::message_t frame;
    while (router_->recv(peer, zmq::recv_flags::dontwait)) {
      (void)router_->recv(frame);
      on_frame(peer.to_string(), frame.to_string_view());
    }
    if (std::chrono::steady_clock::now() < next_beat) continue;
    next_beat += std::chrono::milliseconds{200};
    for (const auto& [name, state] : peers_) {
      if (state.is_known) send(name, wire::Beat{state.sent, state.received, {}});
    }
  }
}

void FakeBroker::on_frame(const std::string& peer, std::string_view frame) {
  auto message = wire::decode(frame);
  if (!message) return;
  if (const auto* hello = std::get_if<wire::ClientHello>(&*message)) {
    ++hellos;
    peers_[peer] = {.is_known = true};
    wire::Welcome welcome;
    welcome.session = hello->session;
    welcome.broker = "fake";
    welcome.shards = {{0, 1, ""}, {1, 1, ""}};
    send(peer, welcome);
  } else if (!peers_[peer].is_known) {
    send(peer, wire::SayHello{"unknown_session"});
  } else if (const auto* submit = std::get_if<wire::Submit>(&*message)) {
    on_submit(peer, *submit);
  } else {
    on_request(peer, *message);
  }
}

void FakeBroker::on_submit(const std::string& peer, const wire::Submit& submit) {
  ++frames;
  submits += submit.orders.size();
  peers_[peer].received += submit.orders.size();
  std::vector<wire::Answer> answers;
  answers.reserve(submit.orders.size());
  for (const wire::OrderRequest& order : submit.orders) {
    std::optional<wire::Answer> answer = ok(order.request);
    if (judge_) answer = judge_(order, seen_[order.id]++);
    if (keeps_orders && answer && answer->code == 0) {
      if (!table_.emplace(order.id, order).second) answer->reason = "duplicate";
      orders = table_.size();
    }
    if (answer) answers.push_back(std::move(*answer));
  }
  if (answers_backwards) std::reverse(answers.begin(), answers.end());
  if (!answers.empty()) send_answers(peer, std::move(answers));
}

void FakeBroker::on_request(const std::string& peer, const wire::Message& message) {
  auto answer = body_of(message);
  if (!answer) return;
  ++peers_[peer].received;
  send_answers(peer, {std::move(*answer)});
}

std::optional<wire::Answer> FakeBroker::body_of(const wire::Message& message) {
  const auto found = [this](std::uint64_t request, OrderId id, auto make) {
    const auto at = table_.find(id);
    if (at == table_.end()) {
      return wire::to_answer(request, {Code::kNotFound, "unknown_order", "no such order", {}});
    }
    wire::Answer answer = ok(request);
    answer.body = wire::encode_body(make(at->second));
    return answer;
  };
  if (const auto* get = std::get_if<wire::Get>(&message)) {
    return found(get->request, get->id, view_of);
  }
  if (const auto* explain = std::get_if<wire::Explain>(&message)) {
    return found(explain->request, explain->id, [](const wire::OrderRequest&) {
      return wire::Explanation{"it waits for a worker", {"queue only: no workers"}};
    });
  }
  if (const auto* cancel = std::get_if<wire::Cancel>(&message)) {
    return found(cancel->request, cancel->id, [](const auto& o) { return view_of(o); });
  }
  if (const auto* wait = std::get_if<wire::Wait>(&message)) {
    const auto at = table_.find(wait->id);
    if (at != table_.end() && at->second.payload == "slow") return std::nullopt;
    return found(wait->request, wait->id, [&](const wire::OrderRequest& order) {
      return wire::OrderSummary{order.id, "succeeded", wait->step.empty() ? "" : "succeeded", "42"};
    });
  }
  if (const auto* watch = std::get_if<wire::Watch>(&message)) {
    return found(watch->request, watch->id, [&](const wire::OrderRequest&) {
      wire::EventPage page;
      page.events = {event(watch->after_seq + 1, "retried")};
      page.is_last = watch->after_seq >= 2;
      return page;
    });
  }
  if (const auto* list = std::get_if<wire::List>(&message)) {
    wire::OrderPage page;
    for (const auto& [id, order] : table_) {
      if (id.shard() != list->shard || id <= list->after) continue;
      page.is_last = page.orders.size() < list->limit;
      if (!page.is_last) break;
      page.orders.push_back(view_of(order));
    }
    wire::Answer answer = ok(list->request);
    answer.body = wire::encode_body(page);
    return answer;
  }
  if (const auto* queues = std::get_if<wire::GetQueues>(&message)) {
    wire::QueueList views;
    auto& queue = views.queues.emplace_back();
    queue.queue = "only";
    queue.ready = 3;
    wire::Answer answer = ok(queues->request);
    answer.body = wire::encode_body(views);
    return answer;
  }
  if (const auto* verb = std::get_if<wire::Operate>(&message)) {
    return found(verb->request, verb->id, [](const auto& order) { return view_of(order); });
  }
  return std::nullopt;
}

void FakeBroker::send_answers(const std::string& peer, std::vector<wire::Answer> items) {
  peers_[peer].sent += items.size();
  send(peer, wire::Answers{std::move(items)});
}

void FakeBroker::send(const std::string& peer, const wire::Message& message) {
  (void)router_->send(zmq::buffer(peer), zmq::send_flags::sndmore);
  (void)router_->send(zmq::buffer(wire::encode(message)), zmq::send_flags::none);
}

}  // namespace ordo::test
