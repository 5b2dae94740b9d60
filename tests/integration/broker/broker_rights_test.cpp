// The table of docs/security.md, each cell of it asked of a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <zmq.hpp>

#include "schema/codec.hpp"
#include "tests/integration/broker/keyed_broker.hpp"

namespace ordo::testing {
namespace {

/// A DEALER with a key that says one message and hears what comes of it.
class Peer {
 public:
  Peer(const std::string& endpoint, const DialKeys& keys)
      : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    socket_.set(zmq::sockopt::curve_serverkey, keys.broker);
    socket_.set(zmq::sockopt::curve_publickey, keys.own.public_key);
    socket_.set(zmq::sockopt::curve_secretkey, keys.own.secret_key);
    socket_.connect(endpoint);
  }
  void send(const std::string& bytes) { socket_.send(zmq::buffer(bytes)); }
  /// The next frame; a test that hears nothing fails where it looks at the variant.
  wire::Message next() {
    zmq::message_t frame;
    if (!socket_.recv(frame)) return wire::Goodbye{"nothing came"};
    auto message = wire::decode(frame.to_string_view());
    return message ? *std::move(message) : wire::Message(wire::Goodbye{"undecodable"});
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

constexpr std::uint64_t kRequest = 7;
constexpr wire::SessionId kSession{1, 2, 3};

/// One of each message that a peer may send, as small as it can be.
std::map<std::string, wire::Message> samples() {
  const std::vector<wire::Message> all{
      wire::ClientHello{kSession, "peer", "1"},
      wire::Submit{{{.request = kRequest, .pipeline = "one"}}},
      wire::Cancel{.request = kRequest},
      wire::Signal{.request = kRequest},
      wire::Wait{.request = kRequest},
      wire::Unwait{kRequest},
      wire::Watch{.request = kRequest},
      wire::Get{.request = kRequest},
      wire::List{.request = kRequest, .shard = 4000},
      wire::Explain{.request = kRequest},
      wire::GetPipelines{.request = kRequest},
      wire::PutPipeline{.request = kRequest, .source = "no pipeline"},
      wire::Operate{.request = kRequest},
      wire::SetQueue{.request = kRequest, .queue = "none"},
      wire::GetQueues{kRequest},
      wire::GetWorkers{kRequest},
      wire::GetSignals{.request = kRequest, .shard = 4000},
      wire::WorkerHello{kSession, "peer", "1", {"work"}, 1, {}},
      wire::Results{},
      wire::Drain{},
      wire::Goodbye{"done"}};
  std::map<std::string, wire::Message> samples;
  for (const auto& message : all) samples.emplace(wire::type_name(message), message);
  return samples;
}

bool is_for_workers(const std::string& type) {
  return type == "WorkerHello" || type == "Results" || type == "Drain" || type == "Goodbye";
}

/// What the broker says to a message: the sentence of a refusal, empty where the key may.
std::string refusal(const KeyedBroker& keyed, const std::string& role, const std::string& type) {
  const auto& endpoints = keyed.broker->endpoints();
  Peer peer(is_for_workers(type) ? endpoints.workers : endpoints.clients,
            keyed.keys.dial_keys(role));
  const wire::Message sample = samples().at(type);
  if (!type.ends_with("Hello")) peer.send(wire::encode(samples().at("ClientHello")));
  peer.send(wire::encode(sample));
  // Refused at once, and after whatever the gateway has to say of the sample.
  peer.send("\xc1");
  for (bool is_over = false; !is_over;) {
    const wire::Message message = peer.next();
    if (const auto* refused = std::get_if<wire::Refusal>(&message)) {
      if (refused->reason == "forbidden") {
        EXPECT_EQ(refused->code, static_cast<int>(Code::kUnauthorized));
        return refused->message;
      }
      is_over = refused->reason == "not_msgpack";
    }
    if (std::holds_alternative<wire::Goodbye>(message)) return "nothing came";
  }
  return {};
}

/// The same for messages that are answered by number.
std::string answer(const KeyedBroker& keyed, const std::string& role, const std::string& type) {
  Peer peer(keyed.broker->endpoints().clients, keyed.keys.dial_keys(role));
  peer.send(wire::encode(samples().at("ClientHello")));
  peer.send(wire::encode(samples().at(type)));
  for (;;) {
    const wire::Message message = peer.next();
    if (const auto* refused = std::get_if<wire::Refusal>(&message)) return refused->message;
    if (std::holds_alternative<wire::Goodbye>(message)) return "nothing came";
    const auto* const answers = std::get_if<wire::Answers>(&message);
    if (answers == nullptr) continue;
    const wire::Answer& first = answers->items.at(0);
    EXPECT_EQ(first.request, kRequest);
    if (first.code != static_cast<int>(Code::kUnauthorized)) return {};
    EXPECT_EQ(first.reason, "forbidden");
    return first.message;
  }
}

bool is_numbered(const std::string& type) {
  return !is_for_workers(type) && type != "ClientHello" && type != "Unwait";
}

/// message → role → whether the document says yes.
std::map<std::string, std::map<std::string, bool>> documented() {
  std::ifstream in("docs/security.md");
  std::map<std::string, std::map<std::string, bool>> table;
  std::vector<std::string> roles;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells;
    for (std::size_t at = 2; line.starts_with("| ") && at < line.size();) {
      const std::size_t end = std::min(line.find(" |", at), line.size());
      cells.push_back(line.substr(at, end - at));
      at = end + 3;
    }
    if (!cells.empty() && cells[0] == "message") roles.assign(cells.begin() + 1, cells.end());
    if (roles.empty() || cells.size() != roles.size() + 1 || !cells[0].starts_with('`')) continue;
    const std::string type = cells[0].substr(1, cells[0].size() - 2);
    for (std::size_t i = 0; i < roles.size(); ++i) table[type][roles[i]] = cells[i + 1] == "yes";
  }
  return table;
}

TEST(BrokerRights, EveryCellOfTheTableHolds) {
  const KeyedBroker keyed;
  const auto table = documented();
  ASSERT_EQ(table.size(), samples().size());
  for (const auto& [type, roles] : table) {
    ASSERT_EQ(roles.size(), 4u) << type;
    for (const auto& [role, is_allowed] : roles) {
      const std::string said =
          is_numbered(type) ? answer(keyed, role, type) : refusal(keyed, role, type);
      EXPECT_EQ(said.empty(), is_allowed) << role << " " << type << ": " << said;
      if (is_allowed) continue;
      // Who, and what to do.
      EXPECT_THAT(said, ::testing::HasSubstr(role + " key `" + role + "` may not")) << type;
      EXPECT_THAT(said, ::testing::HasSubstr(": use a")) << type;
    }
  }
}

TEST(BrokerRights, ASubmitLosesOnlyTheOrdersThatTheKeyDoesNotAllow) {
  const KeyedBroker keyed({{.name = "limited", .role = Role::kClient, .pipelines = {"mine-*"}}});
  client::Client boss(keyed.client_options("operator"));
  for (const std::string name : {"mine-a", "other"}) {
    const auto put = boss.put_pipeline("pipeline: " + name + "\nversion: 1\nsteps:\n  work: {}\n");
    ASSERT_TRUE(put) << put.error().message;
  }
  client::Client limited(keyed.client_options("limited"));
  const auto answers = limited.submit_batch({{.pipeline = "mine-a", .payload = "1"},
                                             {.pipeline = "other", .payload = "2"},
                                             {.pipeline = "mine-a", .payload = "3"}});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(answers[0].receipt);
  EXPECT_TRUE(answers[2].receipt);
  ASSERT_FALSE(answers[1].receipt);
  EXPECT_EQ(answers[1].receipt.error().code, Code::kUnauthorized);
  EXPECT_THAT(answers[1].receipt.error().message,
              ::testing::HasSubstr("client key `limited` may not submit to pipeline `other`"));
  EXPECT_TRUE(limited.pipeline("mine-a"));
  EXPECT_EQ(limited.pipeline("other").error().reason, "forbidden");
}

TEST(BrokerRights, AWorkerServesItsOwnQueuesOnly) {
  const KeyedBroker keyed({{.name = "packer", .role = Role::kWorker, .queues = {"pack"}}});
  Peer own(keyed.broker->endpoints().workers, keyed.keys.dial_keys("packer"));
  own.send(wire::encode(wire::WorkerHello{kSession, "own", "1", {"pack"}, 1, {}}));
  EXPECT_TRUE(std::holds_alternative<wire::Welcome>(own.next()));
  Peer greedy(keyed.broker->endpoints().workers, keyed.keys.dial_keys("packer"));
  greedy.send(wire::encode(wire::WorkerHello{{4, 5}, "greedy", "1", {"pack", "pay"}, 1, {}}));
  const wire::Message said = greedy.next();
  ASSERT_TRUE(std::holds_alternative<wire::Refusal>(said));
  EXPECT_EQ(std::get<wire::Refusal>(said).reason, "forbidden");
  EXPECT_THAT(std::get<wire::Refusal>(said).message,
              ::testing::HasSubstr("worker key `packer` may not serve queue `pay`"));
}

}  // namespace
}  // namespace ordo::testing
