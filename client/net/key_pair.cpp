#include "ordo/key_pair.hpp"

#include <array>
#include <zmq.hpp>

namespace ordo::client {

Result<NewKey> draw_key() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    return fail(Code::kUnavailable, "keys",
                std::string("this ZeroMQ library makes no keys: ") + zmq_strerror(zmq_errno()));
  }
  return NewKey{public_key.data(), secret_key.data()};
}

}  // namespace ordo::client
