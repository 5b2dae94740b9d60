#include "worker/executor/signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/check.hpp"

namespace ordo::executor {

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto* const made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  ORDO_CHECK(made != nullptr, size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(std::size_t{2} * size);
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

std::string sign(const Signed& call, const std::vector<std::string>& keys) {
  const std::string seconds = std::to_string(call.seconds);
  std::string text = "v1\n" + seconds + '\n';
  for (const std::string_view part : {call.method, call.path, call.key}) {
    text.append(part).append(1, '\n');
  }
  text.append(call.body);
  std::string value = "t=" + seconds;
  for (const std::string& key : keys) value += ",v1=" + hmac_sha256(key, text);
  return value;
}

}  // namespace ordo::executor
