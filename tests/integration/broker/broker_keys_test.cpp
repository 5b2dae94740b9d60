// Who comes in: listed keys do, and nobody else, while a client with a good key works beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <zmq.hpp>

#include "base/clock.hpp"
#include "schema/codec.hpp"
#include "tests/integration/broker/keyed_broker.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using ::testing::HasSubstr;

constexpr const char* kOneStep = "pipeline: one\nversion: 1\nsteps:\n  work: {}\n";

class BrokerKeys : public ::testing::Test {
 protected:
  BrokerKeys() : good_(keyed_.client_options("operator")) {
    const auto put = good_.put_pipeline(kOneStep);
    if (!put) ADD_FAILURE() << put.error().message << keyed_.broker->log();
  }
  ~BrokerKeys() override {
    EXPECT_TRUE(keyed_.broker->process().is_running()) << keyed_.broker->log();
    expect_served();
  }
  void expect_served() {
    const auto receipt = good_.submit({.pipeline = "one", .payload = "x"});
    EXPECT_TRUE(receipt) << receipt.error().message;
  }
  /// Why somebody with these options is not let in; empty where they are.
  std::string refusal(client::Options options) {
    options.timeout = 1500ms;
    client::Client client(std::move(options));
    const auto ready = client.ready(1500ms);
    expect_served();
    return ready ? "" : ready.error().message;
  }

  KeyedBroker keyed_{{{.name = "gone", .role = Role::kClient, .is_revoked = true}}};
  client::Client good_;
};

TEST_F(BrokerKeys, LetInWhoIsListed) { EXPECT_EQ(refusal(keyed_.client_options("client")), ""); }

TEST_F(BrokerKeys, KeepOutWhoIsNotListed) {
  keyed_.keys.add({.name = "stranger"}, false);
  EXPECT_THAT(refusal(keyed_.client_options("stranger")),
              HasSubstr("the broker does not let this key in"));
}

TEST_F(BrokerKeys, KeepOutWhoIsRevoked) {
  EXPECT_THAT(refusal(keyed_.client_options("gone")),
              HasSubstr("the broker does not let this key in"));
}

TEST_F(BrokerKeys, KeepOutWhoHasNoKey) {
  client::Options plain;
  plain.endpoints = {keyed_.broker->endpoints().clients};
  EXPECT_THAT(refusal(plain), HasSubstr("the handshake failed"));
}

TEST_F(BrokerKeys, KeepOutWhoExpectsAnotherBroker) {
  keyed_.keys.add({.name = "impostor"}, false);
  client::Options options = keyed_.client_options("client");
  options.broker_key = keyed_.keys.secret("impostor");
  EXPECT_THAT(refusal(options), HasSubstr("no broker could be reached"));
}

TEST_F(BrokerKeys, AClientWithAKeyDoesNotTalkToABrokerWithout) {
  const BrokerProcess plain("", {"--store", "memory"});
  client::Options options = keyed_.client_options("client");
  options.endpoints = {plain.endpoints().clients};
  EXPECT_THAT(refusal(options), HasSubstr("no broker could be reached"));
}

TEST_F(BrokerKeys, AKeyThatIsAddedLaterComesInWithoutAnewStart) {
  Key late{.name = "late"};
  keyed_.keys.add(late, false);
  client::Client client(keyed_.client_options("late"));
  EXPECT_FALSE(client.ready(300ms));
  late.public_key = keyed_.keys.dial_keys("late").own.public_key;
  ASSERT_TRUE(add_to_keyring(keyed_.keys.keyring(), late));
  const auto ready = client.ready(10s);
  EXPECT_TRUE(ready) << ready.error().message;
}

TEST_F(BrokerKeys, ARevokedClientIsCutOffWithinASecondAndTold) {
  zmq::context_t context;
  zmq::socket_t peer(context, zmq::socket_type::dealer);
  const DialKeys keys = keyed_.keys.dial_keys("client");
  peer.set(zmq::sockopt::linger, 0);
  peer.set(zmq::sockopt::rcvtimeo, 10'000);
  peer.set(zmq::sockopt::curve_serverkey, keys.broker);
  peer.set(zmq::sockopt::curve_publickey, keys.own.public_key);
  peer.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
  peer.connect(keyed_.broker->endpoints().clients);
  const auto ask = [&peer]() -> wire::Message {
    peer.send(zmq::buffer(wire::encode(wire::ClientHello{{1}, "peer", "1"})));
    zmq::message_t frame;
    if (!peer.recv(frame)) return wire::Goodbye{};
    return *wire::decode(frame.to_string_view());
  };
  ASSERT_TRUE(std::holds_alternative<wire::Welcome>(ask()));
  const Steady revoked_at = steady_now();
  ASSERT_TRUE(revoke_in_keyring(keyed_.keys.keyring(), "client"));
  std::string reason;
  while (reason.empty() && steady_now() < revoked_at + Seconds{10}) {
    const wire::Message said = ask();
    if (const auto* refused = std::get_if<wire::Refusal>(&said)) {
      EXPECT_EQ(refused->code, static_cast<int>(Code::kUnauthorized));
      reason = refused->reason;
    }
  }
  EXPECT_EQ(reason, "revoked");
  EXPECT_LE(steady_now() - revoked_at, Seconds{1});
}

TEST_F(BrokerKeys, ARevokedWorkersTasksGoToAnother) {
  keyed_.keys.add({.name = "other", .role = Role::kWorker}, false);
  std::atomic<bool> has_begun{false}, may_end{false};
  WorkerOptions options = keyed_.worker_options("worker");
  options.drain_timeout = 100ms;  // nobody takes its result any more
  Worker first(options);
  first.on("work", [&](Task&) {
    has_begun = true;
    wait_until(20s, [&] { return may_end.load(); });
    return succeeded("first");
  });
  ASSERT_TRUE(first.start());
  const auto receipt = good_.submit({.pipeline = "one", .payload = "held"});
  ASSERT_TRUE(receipt);
  ASSERT_TRUE(wait_until(10s, [&] { return has_begun.load(); }));
  ASSERT_TRUE(revoke_in_keyring(keyed_.keys.keyring(), "worker"));
  Key other{.name = "other", .role = Role::kWorker};
  other.public_key = keyed_.keys.dial_keys("other").own.public_key;
  ASSERT_TRUE(add_to_keyring(keyed_.keys.keyring(), other));
  ASSERT_TRUE(wait_until(
      5s, [&] { return keyed_.broker->log().find("other keys count") != std::string::npos; }));
  Worker second(keyed_.worker_options("other"));
  second.on("work", [](Task&) { return succeeded("second"); });
  ASSERT_TRUE(second.start());
  const auto waited = good_.wait(receipt->id, {.timeout = 20s});
  may_end = true;
  ASSERT_TRUE(waited) << waited.error().message;
  EXPECT_EQ(waited->status, "succeeded");
  const auto view = good_.get(receipt->id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->tasks.at(0).result, "second");
}

TEST_F(BrokerKeys, ABadKeyringIsSaidAndTheKeysFromBeforeCount) {
  std::ofstream(keyed_.keys.keyring(), std::ios::app) << "what is this\n";
  EXPECT_TRUE(wait_until(5s, [&] {
    return keyed_.broker->log().find("the keyring has changed and is not used") !=
           std::string::npos;
  }));
  EXPECT_THAT(keyed_.broker->log(), HasSubstr("line 6"));
  EXPECT_EQ(refusal(keyed_.client_options("client")), "");
}

TEST_F(BrokerKeys, TheSdksSayWhatIsWrongWithTheirOwn) {
  client::Options options = keyed_.client_options("client");
  ::chmod(options.key_file.c_str(), 0644);
  EXPECT_THAT(refusal(options), HasSubstr("chmod 600"));
  client::Client client(options);
  EXPECT_EQ(client.submit({.pipeline = "one"}).error().reason, "key_file");
  WorkerOptions half = keyed_.worker_options("worker");
  half.broker_key.clear();
  Worker worker(half);
  worker.on("work", [](Task&) { return succeeded(); });
  EXPECT_THAT(worker.start().error().message, HasSubstr("key_file is given without broker_key"));
}

TEST(BrokerKeysStart, SaysInOneSentenceWhatIsWrong) {
  const KeyFolder keys;
  keys.add({.name = "open"}, false);
  ::chmod(keys.secret("open").c_str(), 0644);
  std::ofstream(keys.file("bad.keys")) << "shop client short\n";
  const auto ring = keys.keyring();
  const auto own = keys.secret("broker");
  struct Case {
    std::vector<std::string> flags;
    int code;
    std::string said;
  };
  for (const auto& [flags, code, said] : std::vector<Case>{
           {{"--keys", ring}, 2, "without secret-key-file"},
           {{"--secret-key-file", own}, 2, "without keys"},
           {{"--keys", ring, "--secret-key-file", own, "--plaintext"}, 2, "contradict"},
           {{"--keys", ring, "--secret-key-file", keys.secret("open")}, 2, "chmod 600"},
           {{"--keys", ring, "--secret-key-file", keys.broker_public()},
            2,
            "can be used by others"},
           {{"--keys", ring, "--secret-key-file", keys.file("none")}, 71, "cannot read key file"},
           {{"--keys", keys.file("none"), "--secret-key-file", own}, 71, "cannot read keyring"},
           {{"--keys", keys.file("bad.keys"), "--secret-key-file", own}, 2, "line 1"}}) {
    std::vector<std::string> all{"--store",     "memory",           "--listen-clients",
                                 "127.0.0.1:0", "--listen-workers", "127.0.0.1:0"};
    all.insert(all.end(), flags.begin(), flags.end());
    const auto ended = run_broker(all);
    EXPECT_EQ(ended.code, code) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(said));
    EXPECT_EQ(std::count(ended.output.begin(), ended.output.end(), '\n'), 1) << ended.output;
  }
}

}  // namespace
}  // namespace ordo::testing
