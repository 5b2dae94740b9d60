// Hostile peers beside a good client: each gets a clear Refusal or is cut off, and nobody else
// notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <zmq.hpp>

#include "ordo/client.hpp"
#include "schema/codec.hpp"
#include "schema/limits.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;

/// A DEALER that sends bytes.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    socket_.connect(endpoint);
  }
  void send(const std::string& bytes) { socket_.send(zmq::buffer(bytes)); }
  void send_parts(const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      socket_.send(zmq::buffer(parts[i]),
                   i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  /// The next frame that is a Refusal; its reason. "none" where nothing comes.
  std::string refusal() {
    zmq::message_t frame;
    while (socket_.recv(frame)) {
      const auto message = wire::decode(frame.to_string_view());
      if (!message) return "undecodable";
      if (const auto* refusal = std::get_if<wire::Refusal>(&*message)) return refusal->reason;
    }
    return "none";
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

class BrokerHostile : public ::testing::Test {
 protected:
  // Bytes from outside never reach a store: the one in memory is enough.
  BrokerHostile() : broker_("", {"--store", "memory"}) {}
  void SetUp() override {
    ASSERT_TRUE(broker_.wait_until_ready()) << broker_.log();
    client::Options options;
    options.endpoints = {broker_.endpoints().clients};
    client_.emplace(options);
    ASSERT_TRUE(client_->put_pipeline("pipeline: one\nversion: 1\nsteps:\n  work: {}\n"));
  }
  void TearDown() override {
    EXPECT_TRUE(broker_.process().is_running()) << broker_.log();
    const auto receipt = client_->submit({.pipeline = "one", .payload = "still here"});
    EXPECT_TRUE(receipt) << receipt.error().message;
  }
  BrokerProcess broker_;
  std::optional<client::Client> client_;
};

TEST_F(BrokerHostile, FramesThatSayNothingAreRefusedWithTheReason) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\xc1", "not_msgpack"},
      {"", "not_msgpack"},
      {std::string(5, '\x91') + "\xdd\xff\xff\xff\xff", ""},
      {std::string("\x92\x63\x00", 3), "wrong_protocol"},
      {std::string("\x92\x01\xcc\xc8", 4), "unknown_type"},
      {std::string(2000, '\x91'), "too_deep"}};
  for (const auto& endpoint : {broker_.endpoints().clients, broker_.endpoints().workers}) {
    for (const auto& [bytes, reason] : cases) {
      RawPeer peer(endpoint);
      peer.send(bytes);
      const std::string given = peer.refusal();
      EXPECT_NE(given, "none");
      const std::string expected = reason.empty() ? given : reason;
      EXPECT_EQ(given, expected) << ::testing::PrintToString(bytes.substr(0, 20));
    }
  }
  EXPECT_TRUE(wait_until(
      5s, [&] { return broker_.metric("ordo_socket_refused_total{socket=\"clients\"}") >= 6; }));
}

TEST_F(BrokerHostile, FramesThatAreTooLargeAreRefusedOrCutOff) {
  RawPeer somewhat(broker_.endpoints().clients);
  somewhat.send(std::string(limits::kFrameBytes + 1, 'x'));
  EXPECT_EQ(somewhat.refusal(), "too_large");
  RawPeer far(broker_.endpoints().clients);
  far.send(std::string(limits::kFrameBytes * 4, 'x'));
  RawPeer next(broker_.endpoints().clients);
  next.send("\xc1");
  EXPECT_EQ(next.refusal(), "not_msgpack");
}

TEST_F(BrokerHostile, MessagesOfManyPartsAreRefused) {
  RawPeer peer(broker_.endpoints().clients);
  peer.send_parts(std::vector<std::string>(1000, "part"));
  EXPECT_EQ(peer.refusal(), "bad_envelope");
}

TEST_F(BrokerHostile, MessagesForTheOtherSideAreRefused) {
  RawPeer peer(broker_.endpoints().clients);
  peer.send(wire::encode(wire::ClientHello{{1, 2, 3}, "odd", "1"}));
  peer.send(wire::encode(wire::Results{}));
  EXPECT_EQ(peer.refusal(), "unexpected_type");
}

TEST_F(BrokerHostile, AFloodOfRubbishLeavesAGoodClientServed) {
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<RawPeer>(i % 2 == 0 ? broker_.endpoints().clients
                                                         : broker_.endpoints().workers));
  }
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    for (auto& peer : peers) peer->send(bytes);
    if (round % 100 != 0) continue;
    const auto receipt = client_->submit({.pipeline = "one", .payload = "x"});
    ASSERT_TRUE(receipt) << receipt.error().message;
  }
}

}  // namespace
}  // namespace ordo::testing
