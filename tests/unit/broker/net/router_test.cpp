#include "broker/net/router.hpp"

#include <gtest/gtest.h>

#include <string>

#include "schema/limits.hpp"

namespace ordo {
namespace {

template <class T> T option(Router& router, int name) {
  T value{};
  std::size_t size = sizeof(value);
  EXPECT_EQ(zmq_getsockopt(router.handle(), name, &value, &size), 0) << name;
  return value;
}

std::unique_ptr<Router> open(zmq::context_t& context) {
  auto router = Router::open(context, {"127.0.0.1", 0}, "");
  if (!router) throw std::runtime_error(router.error().message);
  return *std::move(router);
}

/// The routing id that the router gives to its first anonymous peer.
std::string first_route(zmq::context_t& context, Router& router) {
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.set(zmq::sockopt::linger, 0);
  dealer.connect("tcp://" + router.address().to_string());
  dealer.send(zmq::str_buffer("hello"));
  zmq::pollitem_t item{router.handle(), 0, ZMQ_POLLIN, 0};
  EXPECT_EQ(zmq::poll(&item, 1, std::chrono::seconds{10}), 1);
  const auto frame = router.receive();
  return frame ? std::string(frame->route) : std::string();
}

TEST(Router, SetsEveryBoundBeforeItListens) {
  zmq::context_t context;
  const auto router = open(context);
  const auto most = option<std::int64_t>(*router, ZMQ_MAXMSGSIZE);
  EXPECT_GT(most, std::int64_t{limits::kFrameBytes});
  EXPECT_LE(most, 2 * std::int64_t{limits::kFrameBytes});
  EXPECT_EQ(option<int>(*router, ZMQ_HANDSHAKE_IVL), 2000);
  EXPECT_EQ(option<int>(*router, ZMQ_LINGER), 1000);
  EXPECT_EQ(option<int>(*router, ZMQ_TCP_KEEPALIVE), 1);
  EXPECT_GT(option<int>(*router, ZMQ_SNDHWM), 0);
  EXPECT_GT(option<int>(*router, ZMQ_RCVHWM), 0);
  EXPECT_GT(option<int>(*router, ZMQ_HEARTBEAT_IVL), 0);
}

TEST(Router, GivesRoutingIdsThatNobodyCanGuess) {
  // What libzmq gives first when nobody has seeded its source of chance.
  const std::string well_known("\x00\x6b\x8b\x45\x67", 5);
  std::string before;
  for (int i = 0; i < 3; ++i) {
    zmq::context_t context;
    const auto router = open(context);
    const std::string route = first_route(context, *router);
    EXPECT_EQ(route.size(), 5u);
    EXPECT_NE(route, well_known);
    EXPECT_NE(route, before);
    before = route;
  }
}

TEST(Router, SaysThatNobodyIsThere) {
  zmq::context_t context;
  const auto router = open(context);
  EXPECT_EQ(router->send("nobody", "hello"), Router::Sent::kGone);
}

TEST(Router, NeverWaitsForAPeerThatDoesNotRead) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer looks for a minute at each of libzmq's queued frames";
#endif
  zmq::context_t context;
  const auto router = open(context);
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::rcvhwm, 1);
  dealer.set(zmq::sockopt::rcvbuf, 4096);
  dealer.connect("tcp://" + router->address().to_string());
  dealer.send(zmq::str_buffer("hello"));
  zmq::pollitem_t item{router->handle(), 0, ZMQ_POLLIN, 0};
  ASSERT_EQ(zmq::poll(&item, 1, std::chrono::seconds{10}), 1);
  const std::string route(router->receive()->route);
  auto sent = Router::Sent::kSent;
  for (int i = 0; i < 200'000 && sent == Router::Sent::kSent; ++i) {
    sent = router->send(route, std::string(1000, 'x'));
  }
  EXPECT_EQ(sent, Router::Sent::kFull);
}

}  // namespace
}  // namespace ordo
