#include "broker/net/doorkeeper.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "base/clock.hpp"

namespace ordo {
namespace {

// A handshake on one machine takes milliseconds; a busy machine may take a while.
constexpr Micros kProofPatience = Seconds{10};
constexpr std::chrono::milliseconds kProofStep{20};

tl::unexpected<Error> unproven(const Address& address, const std::string& what) {
  return fail(Code::kUnavailable, "self_test",
              "refusing to serve " + address.to_string() + ": " + what +
                  ", so keys would protect nothing (a libzmq that does not enforce ZAP?)");
}

/// Where a socket that listens at `address` can be dialed from here.
std::string reachable(Address address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return "tcp://" + address.to_string();
}

/// The event's number; 0 where none waits.
std::uint16_t next_event(zmq::socket_t& monitor) {
  zmq::message_t event;
  zmq::message_t address;
  if (!monitor.recv(event, zmq::recv_flags::dontwait)) return 0;
  (void)monitor.recv(address, zmq::recv_flags::none);
  std::uint16_t kind = 0;
  if (event.size() >= sizeof kind) std::memcpy(&kind, event.data(), sizeof kind);
  return kind;
}

/// Ends a socket's events. libzmq's own thread waits for ever where it has one to tell and the
/// listener is gone: nothing may be told any more before the listener goes.
class Watched {
 public:
  Watched(zmq::socket_t& socket, const std::string& place) : socket_(socket) {
    if (zmq_socket_monitor(socket.handle(), place.c_str(), ZMQ_EVENT_ALL) != 0) {
      throw zmq::error_t();
    }
  }
  ~Watched() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  zmq::socket_t& socket_;
};

zmq::socket_t stranger(zmq::context_t& context, const std::string& broker_key) {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) throw zmq::error_t();
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.set(zmq::sockopt::linger, 0);
  dealer.set(zmq::sockopt::ipv6, true);
  dealer.set(zmq::sockopt::curve_serverkey, broker_key);
  dealer.set(zmq::sockopt::curve_publickey, std::string(public_key.data()));
  dealer.set(zmq::sockopt::curve_secretkey, std::string(secret_key.data()));
  return dealer;
}

}  // namespace

Result<std::unique_ptr<Doorkeeper>> Doorkeeper::open(zmq::context_t& context, std::string path) {
  auto zap = Zap::open(context);
  if (!zap) return tl::unexpected(zap.error());
  std::unique_ptr<Doorkeeper> keeper(new Doorkeeper(*std::move(zap), std::move(path)));
  keeper->seen_ = keeper->stamp();
  auto keys = Keyring::read(keeper->path_);
  if (!keys) return tl::unexpected(keys.error());
  keeper->keys_ = *std::move(keys);
  return keeper;
}

const Key* Doorkeeper::live(std::string_view public_key) const {
  const Key* const key = keys_.find(public_key);
  return key == nullptr || key->is_revoked ? nullptr : key;
}

Doorkeeper::Stamp Doorkeeper::stamp() const {
  struct stat about {};
  if (::stat(path_.c_str(), &about) != 0) return {};
  return {about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_ino, about.st_size};
}

std::optional<Result<void>> Doorkeeper::look(Steady now) {
  if (now < next_look_) return std::nullopt;
  next_look_ = now + kLookEvery;
  // Before the file is read: a change that comes in between is seen at the next look.
  const Stamp stamp_now = stamp();
  if (stamp_now == seen_) return std::nullopt;
  seen_ = stamp_now;
  auto keys = Keyring::read(path_);
  if (!keys) return tl::unexpected(keys.error());
  keys_ = *std::move(keys);
  return Result<void>{};
}

Result<void> prove_refusal(zmq::context_t& context, const Address& address,
                           const std::string& broker_key, const std::function<void()>& serve) {
  try {
    zmq::socket_t dealer = stranger(context, broker_key);
    const std::string place = "inproc://proof-" + address.to_string();
    zmq::socket_t monitor(context, zmq::socket_type::pair);
    monitor.set(zmq::sockopt::linger, 0);
    const Watched watched(dealer, place);
    monitor.connect(place);
    dealer.connect(reachable(address));
    const Steady until = steady_now() + kProofPatience;
    while (steady_now() < until) {
      serve();
      zmq::pollitem_t item{monitor.handle(), 0, ZMQ_POLLIN, 0};
      zmq::poll(&item, 1, kProofStep);
      while (const std::uint16_t event = next_event(monitor)) {
        if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return {};
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
          return unproven(address, "a key that nobody knows was let in");
        }
      }
    }
    return unproven(address, "a key that nobody knows was not refused in time");
  } catch (const zmq::error_t& error) {
    return unproven(address, std::string("it cannot be tried: ") + error.what());
  }
}

}  // namespace ordo
