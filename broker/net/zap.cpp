#include "broker/net/zap.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace ordo {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kVersion = "1.0";
constexpr std::size_t kKeyBytes = 32;
// Version, request, domain, address, identity, mechanism, key.
constexpr std::size_t kParts = 7;

/// The key in Z85 that asks to come in; empty where this is no question about one.
std::string asked_key(const std::vector<std::string>& parts) {
  if (parts.size() != kParts || parts[0] != kVersion) return {};
  if (parts[2] != Zap::kDomain || parts[5] != "CURVE" || parts[6].size() != kKeyBytes) return {};
  std::array<char, 41> text{};
  std::array<std::uint8_t, kKeyBytes> key{};
  std::copy(parts[6].begin(), parts[6].end(), key.begin());
  if (zmq_z85_encode(text.data(), key.data(), key.size()) == nullptr) return {};
  return text.data();
}

}  // namespace

Result<std::unique_ptr<Zap>> Zap::open(zmq::context_t& context) {
  if (zmq_has("curve") != 1) {
    return fail(Code::kUnavailable, "keys", "this libzmq has no CURVE: keys cannot be used");
  }
  try {
    zmq::socket_t socket(context, zmq::socket_type::rep);
    socket.set(zmq::sockopt::linger, 0);
    socket.bind(kEndpoint);
    return std::unique_ptr<Zap>(new Zap(std::move(socket)));
  } catch (const zmq::error_t& error) {
    return fail(Code::kUnavailable, "keys",
                std::string("cannot ask for keys at ") + kEndpoint + ": " + error.what());
  }
}

std::size_t Zap::serve(const Keyring& keys) {
  std::size_t served = 0;
  while (served < kPass && serve_one(keys)) ++served;
  return served;
}

bool Zap::serve_one(const Keyring& keys) {
  zmq::message_t part;
  if (!socket_.recv(part, zmq::recv_flags::dontwait)) return false;
  std::vector<std::string> parts{part.to_string()};
  while (part.more()) {
    if (!socket_.recv(part, zmq::recv_flags::dontwait)) break;
    if (parts.size() <= kParts) parts.push_back(part.to_string());
  }
  const std::string asked = asked_key(parts);
  const Key* const key = asked.empty() ? nullptr : keys.find(asked);
  const bool is_in = key != nullptr && !key->is_revoked;
  const std::array<std::string, 6> answer{kVersion,
                                          parts.size() > 1 ? parts[1] : "",
                                          is_in ? "200" : "400",
                                          is_in ? "" : "key",
                                          is_in ? asked : "",
                                          ""};
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const bool is_last = i + 1 == answer.size();
    socket_.send(
        zmq::buffer(answer[i]),
        (is_last ? zmq::send_flags::none : zmq::send_flags::sndmore) | zmq::send_flags::dontwait);
  }
  return true;
}

}  // namespace ordo
