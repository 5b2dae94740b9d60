#include "broker/net/gateway.hpp"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <zmq.hpp>

#include "base/clock.hpp"
#include "schema/codec.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

using Side = Gateway::Side;

class Dealer {
 public:
  Dealer(zmq::context_t& context, const Address& address)
      : socket_(context, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 5000);
    socket_.connect("tcp://" + address.to_string());
  }
  void send(const wire::Message& message) { send(wire::encode(message)); }
  void send(const std::string& bytes) { socket_.send(zmq::buffer(bytes)); }
  wire::Message receive() {
    zmq::message_t frame;
    if (!socket_.recv(frame)) throw std::runtime_error("nothing came");
    return *wire::decode(frame.to_string_view());
  }

 private:
  zmq::socket_t socket_;
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() : wake_(::eventfd(0, EFD_NONBLOCK)) {
    auto opened = Gateway::open({{"127.0.0.1", 0}, {"127.0.0.1", 0}, true});
    if (!opened) throw std::runtime_error(opened.error().message);
    gateway_ = *std::move(opened);
  }
  ~GatewayTest() override { ::close(wake_); }

  Dealer dealer(Side side) { return {context_, gateway_->address(side)}; }

  /// Events of one side until there are `count`.
  std::vector<Event> receive(Side side, std::size_t count) {
    std::vector<Event> events;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (events.size() < count && std::chrono::steady_clock::now() < deadline) {
      gateway_->wait(wake_, Millis{100});
      gateway_->receive(side, steady_now(),
                        [&](Event&& event) { events.push_back(std::move(event)); });
      gateway_->flush();
    }
    return events;
  }

  zmq::context_t context_;
  int wake_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, NumbersPeersAndAnswersThem) {
  Dealer first = dealer(Side::kClient);
  Dealer second = dealer(Side::kClient);
  first.send(wire::Get{7, {}});
  const auto a = receive(Side::kClient, 1);
  second.send(wire::Get{8, {}});
  const auto b = receive(Side::kClient, 1);
  ASSERT_EQ(a.size() + b.size(), 2u);
  const auto& from_a = std::get<event::FromClient>(a[0]);
  const auto& from_b = std::get<event::FromClient>(b[0]);
  EXPECT_NE(from_a.peer, from_b.peer);
  EXPECT_EQ(std::get<wire::Get>(from_a.message).request, 7u);

  std::vector<Send> sends;
  wire::Answer answer;
  answer.request = 8;
  sends.push_back({Side::kClient, from_b.peer, answer});
  answer.request = 7;
  sends.push_back({Side::kClient, from_a.peer, answer});
  gateway_->send(sends);
  EXPECT_TRUE(sends.empty());
  gateway_->flush();
  EXPECT_EQ(std::get<wire::Answers>(first.receive()).items.at(0).request, 7u);
  EXPECT_EQ(std::get<wire::Answers>(second.receive()).items.at(0).request, 8u);
}

TEST_F(GatewayTest, KeepsWorkersApartFromClients) {
  Dealer worker = dealer(Side::kWorker);
  worker.send(wire::Results{});
  const auto events = receive(Side::kWorker, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<event::FromWorker>(events[0]));
}

TEST_F(GatewayTest, RefusesWhatItCannotDecodeAndCountsIt) {
  Dealer peer = dealer(Side::kClient);
  peer.send(std::string("\xc1"));
  peer.send(wire::Get{1, {}});
  EXPECT_EQ(receive(Side::kClient, 1).size(), 1u);
  const auto message = peer.receive();
  EXPECT_EQ(std::get<wire::Refusal>(message).reason, "not_msgpack");
  EXPECT_EQ(gateway_->counts(Side::kClient).refused, 1u);
}

TEST_F(GatewayTest, TellsOnceThatAPeerIsGone) {
  PeerId peer = 0;
  {
    Dealer dealer_of_a_moment = dealer(Side::kWorker);
    dealer_of_a_moment.send(wire::Beat{});
    const auto events = receive(Side::kWorker, 1);
    ASSERT_EQ(events.size(), 1u);
    peer = std::get<event::FromWorker>(events[0]).peer;
  }
  std::vector<Event> gone;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (gone.empty() && std::chrono::steady_clock::now() < deadline) {
    std::vector<Send> sends;
    sends.push_back({Side::kWorker, peer, wire::Beat{}});
    gateway_->send(sends);
    gateway_->flush();
    gateway_->take_gone(gone);
    gateway_->wait(wake_, Millis{5});
  }
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(std::get<event::WorkerGone>(gone[0]).peer, peer);
  std::vector<Send> late;
  late.push_back({Side::kWorker, peer, wire::Beat{}});
  gateway_->send(late);
  gateway_->flush();
  gone.clear();
  gateway_->take_gone(gone);
  EXPECT_TRUE(gone.empty());
  EXPECT_EQ(gateway_->counts(Side::kWorker).undeliverable, 1u);
}

TEST_F(GatewayTest, ForgetsWhoHasBeenSilentForAMinute) {
  Dealer peer = dealer(Side::kClient);
  peer.send(wire::Get{1, {}});
  ASSERT_EQ(receive(Side::kClient, 1).size(), 1u);
  gateway_->forget_silent(steady_now() + Seconds{30});
  EXPECT_EQ(gateway_->counts(Side::kClient).peers, 1u);
  gateway_->forget_silent(steady_now() + Seconds{61});
  EXPECT_EQ(gateway_->counts(Side::kClient).peers, 0u);
  std::vector<Event> gone;
  gateway_->take_gone(gone);
  EXPECT_EQ(gone.size(), 1u);
  peer.send(wire::Get{2, {}});
  const auto events = receive(Side::kClient, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<event::FromClient>(events[0]).peer, 2u);
}

TEST_F(GatewayTest, TakesABoundedAmountAtATime) {
  Dealer peer = dealer(Side::kClient);
  wire::Submit submit;
  submit.orders.resize(limits::kFrameItems);
  for (int i = 0; i < 8; ++i) peer.send(submit);
  ASSERT_FALSE(receive(Side::kClient, 1).empty());
  std::size_t left = 8;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (left > 6 && std::chrono::steady_clock::now() < deadline) {
    const auto taken = gateway_->receive(Side::kClient, steady_now(), [](Event&&) {});
    EXPECT_LE(taken, 2u);
    left -= taken;
  }
}

TEST_F(GatewayTest, IsWokenByItsDescriptor) {
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(wake_, &one, sizeof(one)), 8);
  const auto began = std::chrono::steady_clock::now();
  gateway_->wait(wake_, Seconds{10});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
}

TEST(GatewayOpen, RefusesPlainTextOffLoopbackOrUnasked) {
  const Address here{"127.0.0.1", 0};
  const Address everywhere{"0.0.0.0", 0};
  for (const GatewaySettings& settings :
       {GatewaySettings{here, here, false}, GatewaySettings{everywhere, here, true},
        GatewaySettings{here, everywhere, true}, GatewaySettings{here, here, true, "ring", "key"},
        GatewaySettings{here, here, false, "ring", ""},
        GatewaySettings{here, here, false, "", "key"}}) {
    const auto refused = Gateway::open(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "plaintext");
  }
  EXPECT_TRUE(Gateway::open({here, here, true}));
}

}  // namespace
}  // namespace ordo
