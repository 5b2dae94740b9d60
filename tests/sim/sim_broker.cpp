#include "tests/sim/sim_broker.hpp"

#include <type_traits>
#include <utility>

namespace ordo::sim {

/// Ticks a second past which an engine is said to spin.
constexpr std::uint64_t kMostTicks = 20'000;

SimBroker::SimBroker(Context& context, Checker& checker, Network& network, Databases& databases,
                     int number)
    : context_(context),
      checker_(checker),
      network_(network),
      databases_(databases),
      number_(number) {
  Settings settings = context.scenario.settings;
  settings.tells_transitions = true;
  settings.broker_name = "broker-" + std::to_string(number);
  settings.seed = context.scenario.seed + static_cast<std::uint64_t>(number) * 977;
  engine_ = std::make_unique<Engine>(settings);
  for (auto& database : databases_) {
    shards_.emplace(database->shard(),
                    std::make_unique<SimShard>(context, checker, *database,
                                               [this](std::vector<Event>&& events) {
                                                 for (auto& event : events) post(std::move(event));
                                               }));
  }
}

Times SimBroker::now() const {
  return {context_.time.now(), context_.time.wall() + context_.scenario.broker_skew};
}

void SimBroker::start() {
  is_alive_ = true;
  context_.trace([&] { return "BROKER " + std::to_string(number_) + " starts"; });
  engine_->start(now(), effects_);
  perform();
}

void SimBroker::crash() {
  if (!is_alive_) return;
  is_alive_ = false;
  is_frozen_ = false;
  context_.trace([&] { return "BROKER " + std::to_string(number_) + " CRASHES"; });
  inbox_.clear();
  for (auto& [number, shard] : shards_) shard->die();
  network_.broker_died(*this);
}

void SimBroker::freeze() {
  is_frozen_ = true;
  context_.trace([&] { return "BROKER " + std::to_string(number_) + " FREEZES"; });
}

void SimBroker::thaw() {
  if (!is_alive_ || !is_frozen_) return;
  is_frozen_ = false;
  context_.trace([&] { return "BROKER " + std::to_string(number_) + " thaws"; });
  auto waiting = std::exchange(inbox_, {});
  for (auto& event : waiting) post(std::move(event));
  arm();
}

void SimBroker::frame_from(Send::To side, PeerId peer, wire::Message message) {
  if (!is_alive_) return;
  if (side == Send::To::kClient) {
    checker_.asked(number_, peer, message);
    post(event::FromClient{peer, std::move(message)});
  } else {
    post(event::FromWorker{peer, std::move(message)});
  }
}

void SimBroker::peer_gone(Send::To side, PeerId peer) {
  if (side == Send::To::kClient) {
    post(event::ClientGone{peer});
  } else {
    post(event::WorkerGone{peer});
  }
}

void SimBroker::post(Event&& event) {
  if (!is_alive_) return;
  if (is_frozen_) {
    inbox_.push_back(std::move(event));
  } else {
    step(std::move(event));
  }
}

void SimBroker::step(Event&& event) {
  engine_->step(now(), std::move(event), effects_);
  perform();
}

/// Store operations and sends may bring new events, but only later: nothing here calls the engine
/// again.
void SimBroker::perform() {
  for (const Fact& fact : effects_.facts) {
    context_.coverage.count(fact);
    context_.trace([&] {
      std::string text = "    fact " + std::string(to_string(fact.kind));
      if (!fact.key.order.is_zero()) text += " " + describe(fact.key);
      if (fact.kind == FactKind::kTransition) {
        text += " " + std::string(to_string(fact.from)) + " -> " + std::string(to_string(fact.to)) +
                " (" + std::string(to_string(fact.cause)) + ")";
      }
      return text + (fact.text.empty() ? "" : " " + fact.text);
    });
  }
  for (auto& operation : std::exchange(effects_.store, {})) {
    if (const auto* write = std::get_if<std::unique_ptr<Write>>(&operation.operation)) {
      checker_.queued(number_, **write);
    }
    const ShardNumber shard = operation.shard;
    shards_.at(shard)->push(std::move(operation));
  }
  send_all();
  for (const Query& query : effects_.queries) ask(query);
  effects_.clear();
  arm();
}

namespace {

/// Puts an item into the frame that is being filled, or starts a new one.
class Packer {
 public:
  template <class Send> explicit Packer(Send send) : send_(std::move(send)) {}

  void put(Send::To side, PeerId peer, Send::Item& item) {
    std::visit([&](auto& one) { place(side, peer, one); }, item);
  }
  void flush() {
    if (has_frame_) send_(side_, peer_, std::move(frame_));
    has_frame_ = false;
  }

 private:
  void place(Send::To side, PeerId peer, wire::Answer& item) {
    add<wire::Answers>(side, peer, item);
  }
  void place(Send::To side, PeerId peer, wire::Offer& item) { add<wire::Offers>(side, peer, item); }
  void place(Send::To side, PeerId peer, wire::Recorded& item) {
    add<wire::RecordedItems>(side, peer, item);
  }
  void place(Send::To side, PeerId peer, wire::Regrant& item) {
    add<wire::Regrants>(side, peer, item);
  }
  void place(Send::To side, PeerId peer, wire::Revoked& item) {
    add<wire::Revokes>(side, peer, item);
  }
  template <class Single> void place(Send::To side, PeerId peer, Single& item) {
    flush();
    send_(side, peer, wire::Message(std::move(item)));
  }

  template <class Frame, class Item> void add(Send::To side, PeerId peer, Item& item) {
    auto* frame =
        has_frame_ && side == side_ && peer == peer_ ? std::get_if<Frame>(&frame_) : nullptr;
    if (frame == nullptr || frame->items.size() >= limits::kFrameOffers) {
      flush();
      has_frame_ = true;
      side_ = side;
      peer_ = peer;
      frame_ = Frame{};
      frame = &std::get<Frame>(frame_);
    }
    frame->items.push_back(std::move(item));
  }

  std::function<void(Send::To, PeerId, wire::Message)> send_;
  bool has_frame_ = false;
  Send::To side_ = Send::To::kClient;
  PeerId peer_ = 0;
  wire::Message frame_;
};

}  // namespace

void SimBroker::send_all() {
  Packer packer([this](Send::To side, PeerId peer, wire::Message message) {
    network_.send_to_peer(*this, side, peer, std::move(message));
  });
  checker_.noticed(number_, effects_.facts);
  for (Send& send : effects_.sends) {
    checker_.sent(number_, send);
    context_.mix(send.peer * 7 + send.item.index());
    packer.put(send.to, send.peer, send.item);
  }
  packer.flush();
}

void SimBroker::ask(const Query& query) {
  context_.time.after(context_.store.around(context_.scenario.commit_delay), [this, query] {
    Result<std::vector<OrderRecord>> records;
    if (context_.fault(context_.store, context_.scenario.query_fails, Fault::kQueryFailed)) {
      records = fail(Code::kUnavailable, "lost", "the second session is gone");
    } else {
      records = MemoryReader(*databases_.at(query.shard)).query(query.spec);
    }
    post(event::QueryDone{query.query, std::move(records)});
  });
}

void SimBroker::arm() {
  if (!is_alive_ || is_frozen_) return;
  const auto deadline = engine_->next_deadline();
  if (!deadline) return;
  // A loop of a real broker is woken with the granularity of a millisecond.
  const Steady at = std::max(*deadline, context_.time.now() + Micros{200});
  if (tick_at_ > context_.time.now() && tick_at_ <= at) return;
  tick_at_ = at;
  context_.time.at(at, [this, round = ++tick_round_] {
    if (round != tick_round_) return;
    tick_at_ = Steady::max();
    if (!is_alive_ || is_frozen_) return;
    if (context_.time.now() - spin_since_ > Seconds{1}) {
      spin_since_ = context_.time.now();
      ticks_ = 0;
    }
    if (++ticks_ > kMostTicks) throw Violation("the loop rests", "next_deadline never moves on");
    step(event::TimePassed{});
  });
}

}  // namespace ordo::sim
