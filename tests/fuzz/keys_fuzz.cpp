// Any bytes as a key file, as a keyring and as a handshake's question: what is taken is whole and
// keeps its meaning, what is not says why, and nobody comes in but by a key that is live.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "base/check.hpp"
#include "base/key_file.hpp"
#include "base/keyring.hpp"
#include "broker/net/zap.hpp"

namespace {

using namespace ordo;

constexpr const char* kLive = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
constexpr const char* kRevoked = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

void check_said(const Error& error, std::string_view reason) {
  ORDO_CHECK(error.reason == reason && !error.message.empty(), error.reason, error.message);
}

void check_key_file(std::string_view bytes) {
  // A file that no disk has; its mode is what a key file's must be.
  static const int file = memfd_create("key", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  ORDO_CHECK(file >= 0 && fchmod(file, 0600) == 0 && ftruncate(file, 0) == 0);
  ORDO_CHECK(pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  if (const auto pair = read_key_pair(path)) {
    ORDO_CHECK(is_key(pair->public_key) && is_key(pair->secret_key));
  } else {
    check_said(pair.error(), "key_file");
  }
  if (const auto key = read_public_key(path)) ORDO_CHECK(is_key(*key));
}

void check_keyring(std::string_view bytes) {
  const auto first = Keyring::parse(bytes, "ring");
  if (!first) return check_said(first.error(), "keyring");
  std::string text;
  for (const Key& key : first->keys()) {
    ORDO_CHECK(first->find(key.public_key) == &key && first->named(key.name) == &key);
    text += key.line() + "\n";
  }
  const auto second = Keyring::parse(text, "ring");
  ORDO_CHECK(second.has_value(), second ? "" : second.error().message);
  ORDO_CHECK(first->keys() == second->keys());
}

/// What libzmq would ask, cut out of the bytes: each part has its length before it.
std::vector<std::string> parts_of(std::string_view bytes) {
  constexpr std::size_t kMost = 20;
  std::vector<std::string> parts;
  while (!bytes.empty() && parts.size() < kMost) {
    const std::size_t length = static_cast<std::uint8_t>(bytes.front());
    parts.emplace_back(bytes.substr(1, length));
    bytes.remove_prefix(std::min(length + 1, bytes.size()));
  }
  if (parts.empty()) parts.emplace_back();
  return parts;
}

bool is_live_question(const std::vector<std::string>& parts) {
  std::uint8_t key[32];
  zmq_z85_decode(key, kLive);
  return parts.size() == 7 && parts[0] == "1.0" && parts[2] == Zap::kDomain &&
         parts[5] == "CURVE" && parts[6] == std::string(std::begin(key), std::end(key));
}

struct Door {
  Door() : zap(*Zap::open(context)), asker(context, zmq::socket_type::dealer) {
    asker.set(zmq::sockopt::rcvtimeo, 10'000);
    asker.connect("inproc://zeromq.zap.01");
    keys = *Keyring::parse(
        std::string("in client ") + kLive + "\nout client " + kRevoked + " revoked\n", "ring");
  }
  zmq::context_t context;
  std::unique_ptr<Zap> zap;
  zmq::socket_t asker;
  Keyring keys;
};

void check_question(std::string_view bytes) {
  static Door door;
  const auto parts = parts_of(bytes);
  door.asker.send(zmq::message_t(), zmq::send_flags::sndmore);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    door.asker.send(zmq::buffer(parts[i]),
                    is_last ? zmq::send_flags::none : zmq::send_flags::sndmore);
  }
  ORDO_CHECK(door.zap->serve(door.keys) == 1);
  std::vector<std::string> answer;
  zmq::message_t part;
  do {
    ORDO_CHECK(door.asker.recv(part).has_value());
    answer.push_back(part.to_string());
  } while (part.more());
  // The empty part in front, then version, request, status, text, user, metadata.
  ORDO_CHECK(answer.size() == 7, answer.size());
  ORDO_CHECK(answer[3] == (is_live_question(parts) ? "200" : "400"), answer[3]);
  ORDO_CHECK(answer[5] == (is_live_question(parts) ? kLive : ""), answer[5]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_key_file(bytes);
  check_keyring(bytes);
  check_question(bytes);
  return 0;
}
