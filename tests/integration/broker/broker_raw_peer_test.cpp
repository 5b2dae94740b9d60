// What only a hand-made peer can do to libzmq's sockets: claim names, stop half way through a
// handshake, never finish a message. A good client works beside each of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "schema/codec.hpp"
#include "schema/limits.hpp"
#include "tests/integration/broker/keyed_broker.hpp"
#include "tests/integration/broker/raw_peer.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

/// Longer than the broker gives a handshake (two seconds), with room for a busy machine.
constexpr Millis kHangUp{8'000};

std::string hello(std::uint8_t session) {
  return wire::encode(wire::ClientHello{{session}, "raw", "1"});
}

bool is_welcome(const std::string& frame) {
  const auto message = wire::decode(frame);
  return message && std::holds_alternative<wire::Welcome>(*message);
}

/// A broker, and a client whose orders are taken before and after what a test does.
class Beside {
 public:
  Beside(BrokerProcess& broker, client::Options options)
      : broker_(broker), client_(std::move(options)) {
    const auto put = client_.put_pipeline("pipeline: one\nversion: 1\nsteps:\n  work: {}\n");
    if (!put) ADD_FAILURE() << put.error().message;
    expect_served();
  }
  ~Beside() {
    EXPECT_TRUE(broker_.process().is_running()) << broker_.log();
    expect_served();
  }
  void expect_served() {
    const auto receipt = client_.submit({.pipeline = "one", .payload = "x"});
    EXPECT_TRUE(receipt) << receipt.error().message;
  }

 private:
  BrokerProcess& broker_;
  client::Client client_;
};

class RawPlain : public ::testing::Test {
 protected:
  RawPlain() : broker_("", {"--store", "memory"}) {
    if (!broker_.wait_until_ready()) throw std::runtime_error(broker_.log());
    client::Options options;
    options.endpoints = {broker_.endpoints().clients};
    beside_.emplace(broker_, options);
  }
  RawPeer peer() { return RawPeer(broker_.endpoints().clients); }

  BrokerProcess broker_;
  std::optional<Beside> beside_;
};

class RawKeyed : public ::testing::Test {
 protected:
  RawKeyed() : beside_(*keyed_.broker, keyed_.client_options("operator")) {}
  RawPeer peer() { return RawPeer(keyed_.broker->endpoints().clients); }

  KeyedBroker keyed_;
  Beside beside_;
};

TEST_F(RawPlain, APeerThatSpeaksTheProtocolIsServed) {
  RawPeer raw = peer();
  ASSERT_TRUE(raw.shake_hands());
  ASSERT_TRUE(raw.send_message(hello(1)));
  EXPECT_TRUE(is_welcome(raw.next_message(10s)));
}

TEST_F(RawPlain, ATakenRoutingIdIsNeitherServedNorStolen) {
  RawPeer first = peer();
  ASSERT_TRUE(first.shake_hands({{"Identity", "me"}}));
  ASSERT_TRUE(first.send_message(hello(1)));
  ASSERT_TRUE(is_welcome(first.next_message(10s)));
  RawPeer second = peer();
  if (second.shake_hands({{"Identity", "me"}})) second.send_message(hello(2));
  EXPECT_EQ(second.next_message(500ms), "");
  ASSERT_TRUE(first.send_message(hello(3)));
  EXPECT_TRUE(is_welcome(first.next_message(10s)));
}

// The id that an unseeded library gives to its first peer. A right guess would end the
// broker, and what is drawn here is not to be guessed.
TEST_F(RawPlain, TheWellKnownRoutingIdIsNobodys) {
  RawPeer squatter = peer();
  const std::string well_known("\x00\x6b\x8b\x45\x67", 5);
  (void)squatter.shake_hands({{"Identity", well_known}});
  for (std::uint8_t i = 0; i < 50; ++i) {
    RawPeer raw = peer();
    ASSERT_TRUE(raw.shake_hands());
    ASSERT_TRUE(raw.send_message(hello(i)));
    EXPECT_TRUE(is_welcome(raw.next_message(10s)));
  }
}

// Without keys a name in the handshake is only a name.
TEST_F(RawPlain, AUserIdOfItsOwnChangesNothing) {
  RawPeer raw = peer();
  ASSERT_TRUE(raw.shake_hands({{"User-Id", "operator"}}));
  ASSERT_TRUE(raw.send_message(hello(1)));
  EXPECT_TRUE(is_welcome(raw.next_message(10s)));
}

TEST_F(RawPlain, AMessageThatNeverEndsHarmsNobodyElse) {
  RawPeer raw = peer();
  ASSERT_TRUE(raw.shake_hands());
  const std::string part = RawPeer::message(std::string(60'000, 'x'), true);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(raw.send(part));
  beside_->expect_served();
}

// Both sides of the bound.
TEST_F(RawPlain, AFrameFarOverTheBoundIsCutOffAtItsHead) {
  RawPeer within = peer();
  ASSERT_TRUE(within.shake_hands());
  ASSERT_TRUE(within.send_message(std::string(limits::kFrameBytes + (1 << 20), 'x')));
  const auto said = wire::decode(within.next_message(10s));
  ASSERT_TRUE(said);
  EXPECT_EQ(std::get<wire::Refusal>(*said).reason, "too_large");
  RawPeer over = peer();
  ASSERT_TRUE(over.shake_hands());
  // The head of a frame one byte larger, and none of its body.
  over.send(
      RawPeer::message(std::string(limits::kFrameBytes + (1 << 20) + 1, 'x'), false).substr(0, 9));
  EXPECT_TRUE(over.is_closed_within(kHangUp));
}

TEST_F(RawPlain, WhoDoesNotShakeHandsIsHungUpOn) {
  RawPeer silent = peer();
  RawPeer half = peer();
  half.send(RawPeer::greeting("NULL").substr(0, 20));
  RawPeer greeted = peer();
  greeted.send(RawPeer::greeting("NULL"));
  RawPeer web = peer();
  web.send("GET / HTTP/1.1\r\nHost: broker\r\n\r\n");
  for (RawPeer* raw : {&silent, &half, &greeted, &web}) {
    EXPECT_TRUE(raw->is_closed_within(kHangUp));
  }
}

TEST_F(RawPlain, HundredsOfIdleConnectionsLeaveAGoodClientServed) {
  std::vector<RawPeer> idle;
  for (int i = 0; i < 300; ++i) idle.push_back(peer());
  for (int i = 0; i < 20; ++i) beside_->expect_served();
}

/// How many files a process may have open from now on; what it has stays open.
void limit_files(pid_t pid, rlim_t most) {
  rlimit limit{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = most;
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

TEST_F(RawPlain, OutOfFilesItServesWhoIsThereAndRecoversWhenTheyLeave) {
  const pid_t pid = broker_.process().pid();
  const auto open = static_cast<rlim_t>(std::distance(
      std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"), {}));
  limit_files(pid, open + 8);
  std::vector<RawPeer> crowd;
  for (int i = 0; i < 40; ++i) crowd.push_back(peer());  // the kernel takes them, the broker cannot
  for (int i = 0; i < 20; ++i) beside_->expect_served();
  crowd.clear();
  RawPeer late = peer();
  EXPECT_TRUE(late.shake_hands());
  EXPECT_TRUE(late.send_message(hello(1)));
  EXPECT_TRUE(is_welcome(late.next_message(10s)));
}

TEST_F(RawKeyed, PlainTextOfAnyVersionIsHungUpOn) {
  const std::string v1("\x01\x00", 2);
  const std::string v2("\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\x00\x00", 14);
  for (const std::string& first : {RawPeer::greeting("NULL"), RawPeer::greeting("PLAIN"),
                                   RawPeer::greeting("GSSAPI"), v1 + v1, v2}) {
    RawPeer raw = peer();
    raw.send(first);
    raw.send(RawPeer::command("READY", std::string("\x0bSocket-Type\0\0\0\x06"
                                                   "DEALER",
                                                   22)));
    raw.send_message(hello(1));
    EXPECT_TRUE(raw.is_closed_within(kHangUp));
  }
}

// With keys nobody names himself either, whatever the handshake says.
TEST_F(RawKeyed, AUserIdWithoutAKeyOpensNothing) {
  RawPeer raw = peer();
  EXPECT_FALSE(raw.shake_hands({{"User-Id", keyed_.keys.dial_keys("operator").own.public_key}}));
}

// Nothing is held of what comes before the handshake is over.
TEST_F(RawKeyed, AFloodInsideTheHandshakeIsCutOff) {
  const auto resident_kib = [this] {
    std::ifstream in("/proc/" + std::to_string(keyed_.broker->process().pid()) + "/status");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0L;
  };
  const long before = resident_kib();
  RawPeer raw = peer();
  ASSERT_TRUE(raw.send(RawPeer::greeting("CURVE")));
  const std::string huge = RawPeer::command("HELLO", std::string(64u << 20, 'x'));
  raw.send(huge);
  EXPECT_TRUE(raw.is_closed_within(kHangUp));
  EXPECT_LT(resident_kib() - before, 16 * 1024);
}

TEST_F(RawKeyed, AGreetingThatStopsThereIsHungUpOn) {
  RawPeer raw = peer();
  ASSERT_TRUE(raw.send(RawPeer::greeting("CURVE")));
  EXPECT_TRUE(raw.is_closed_within(kHangUp));
}

}  // namespace
}  // namespace ordo::testing
