// Handshakes against the keyring, and the self-test that must notice an open door.
#include "broker/net/doorkeeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "base/key_file.hpp"
#include "broker/net/gateway.hpp"
#include "broker/net/router.hpp"

namespace ordo {
namespace {

KeyPair draw() {
  std::array<char, 41> open{};
  std::array<char, 41> secret{};
  EXPECT_EQ(zmq_curve_keypair(open.data(), secret.data()), 0);
  return {open.data(), secret.data()};
}

class DoorkeeperTest : public ::testing::Test {
 protected:
  DoorkeeperTest() : own_(draw()), friend_(draw()) {
    folder_ = std::filesystem::temp_directory_path() / "ordo-door-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder");
    std::ofstream(ring()) << "shop client " << friend_.public_key << "\n";
  }
  ~DoorkeeperTest() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string ring() const { return folder_ + "/ring"; }

  std::unique_ptr<Doorkeeper> keeper() {
    auto opened = Doorkeeper::open(context_, ring());
    if (!opened) throw std::runtime_error(opened.error().message);
    return *std::move(opened);
  }
  std::unique_ptr<Router> router() {
    auto opened = Router::open(context_, {"127.0.0.1", 0}, own_.secret_key);
    if (!opened) throw std::runtime_error(opened.error().message);
    return *std::move(opened);
  }
  zmq::socket_t dialer(const Address& address) {
    zmq::socket_t dealer(context_, zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::curve_serverkey, own_.public_key);
    dealer.set(zmq::sockopt::curve_publickey, friend_.public_key);
    dealer.set(zmq::sockopt::curve_secretkey, friend_.secret_key);
    dealer.connect("tcp://" + address.to_string());
    dealer.send(zmq::str_buffer("hello"));
    return dealer;
  }
  /// The key of the first frame that comes within the time; "nothing" where none does.
  static std::string first_key(Router& router, Millis patience,
                               const std::function<void()>& serve) {
    const Steady until = steady_now() + patience;
    while (steady_now() < until) {
      serve();
      zmq::pollitem_t item{router.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, std::chrono::milliseconds{10});
      if (const auto frame = router.receive()) return std::string(frame->key);
    }
    return "nothing";
  }

  zmq::context_t context_;
  KeyPair own_, friend_;
  std::string folder_;
};

TEST_F(DoorkeeperTest, LetsInAListedKeyAndNamesItOnEachFrame) {
  const auto keeper = this->keeper();
  const auto router = this->router();
  const auto dealer = dialer(router->address());
  EXPECT_EQ(first_key(*router, Millis{10'000}, [&] { keeper->serve(); }), friend_.public_key);
}

TEST_F(DoorkeeperTest, NobodyComesInWhileNobodyAnswers) {
  const auto router = this->router();
  const auto dealer = dialer(router->address());
  EXPECT_EQ(first_key(*router, Millis{500}, [] {}), "nothing");
}

TEST_F(DoorkeeperTest, ProvesThatAStrangerIsRefused) {
  const auto keeper = this->keeper();
  const auto router = this->router();
  const auto proof =
      prove_refusal(context_, router->address(), own_.public_key, [&] { keeper->serve(); });
  EXPECT_TRUE(proof) << proof.error().message;
}

TEST_F(DoorkeeperTest, FindsAnOpenDoor) {
  zmq::socket_t open(context_, zmq::socket_type::router);
  open.set(zmq::sockopt::curve_server, true);
  open.set(zmq::sockopt::curve_secretkey, own_.secret_key);
  open.bind("tcp://127.0.0.1:*");
  const auto bound = parse_address(open.get(zmq::sockopt::last_endpoint).substr(6));
  const auto proof = prove_refusal(context_, *bound, own_.public_key, [] {});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().reason, "self_test");
  EXPECT_THAT(proof.error().message, ::testing::HasSubstr("was let in"));
}

TEST_F(DoorkeeperTest, FollowsItsFileAtItsPace) {
  const auto keeper = this->keeper();
  const Steady start = steady_now();
  EXPECT_FALSE(keeper->look(start));
  ASSERT_TRUE(revoke_in_keyring(ring(), "shop"));
  EXPECT_FALSE(keeper->look(start + Doorkeeper::kLookEvery - Micros{1}));
  EXPECT_NE(keeper->live(friend_.public_key), nullptr);
  const auto change = keeper->look(start + Doorkeeper::kLookEvery);
  ASSERT_TRUE(change);
  EXPECT_TRUE(*change);
  EXPECT_EQ(keeper->live(friend_.public_key), nullptr);
  std::ofstream(ring()) << "nonsense\n";
  const auto bad = keeper->look(start + 2 * Doorkeeper::kLookEvery);
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->error().reason, "keyring");
  EXPECT_FALSE(keeper->look(start + 3 * Doorkeeper::kLookEvery));
}

TEST_F(DoorkeeperTest, SetsTheOptionsOfKeysBeforeItListens) {
  const auto router = this->router();
  const auto number = [&router](int name) {
    int value = -1;
    std::size_t size = sizeof value;
    EXPECT_EQ(zmq_getsockopt(router->handle(), name, &value, &size), 0) << name;
    return value;
  };
  EXPECT_EQ(number(ZMQ_CURVE_SERVER), 1);
  EXPECT_EQ(number(ZMQ_MECHANISM), ZMQ_CURVE);
  EXPECT_EQ(number(93), 1);  // ZMQ_ZAP_ENFORCE_DOMAIN
  std::array<char, 32> domain{};
  std::size_t size = domain.size();
  EXPECT_EQ(zmq_getsockopt(router->handle(), ZMQ_ZAP_DOMAIN, domain.data(), &size), 0);
  EXPECT_STREQ(domain.data(), "ordo");
}

TEST_F(DoorkeeperTest, OpensTheGatewayOffLoopback) {
  ASSERT_TRUE(write_key_pair(folder_ + "/own", own_, "a test's"));
  const auto opened = Gateway::open({.clients = {"0.0.0.0", 0},
                                     .workers = {"0.0.0.0", 0},
                                     .keyring = ring(),
                                     .secret_key_file = folder_ + "/own"});
  EXPECT_TRUE(opened) << opened.error().message;
}

}  // namespace
}  // namespace ordo
