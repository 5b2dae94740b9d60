// Keys of the sockets as files: a key is 32 bytes of Curve25519 written as 40 characters of Z85,
// and a secret one lives in a file of its own that nobody else can read.
//
// Shapes:  a file has lines `public KEY` and `secret KEY`; lines that begin with `#` are remarks. A
//          file without the secret line is a public key, which may be shown to anybody.
// Errors:  kMalformed "key_file" for what is in a file or who may read it, kUnavailable "key_file"
//          where the system refuses it; one sentence with the path.
// Threads: pure functions over files.
// Source:  RFC 32 (Z85), RFC 26 (CurveZMQ).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ordo/result.hpp"

namespace ordo {

inline constexpr std::size_t kKeyChars = 40;  ///< of a key in Z85

/// Forty characters of Z85.
bool is_key(std::string_view text);

struct KeyPair {
  std::string public_key;
  std::string secret_key;
};

/// The secret key of this program. Refused where others than its account may read or write it: mode
/// 0600 or less; a file of root's may be read by a group (0640), as mounted secrets are.
Result<KeyPair> read_key_pair(const std::string& path);

/// A whole file that holds secrets of another kind: its text, where nobody else may use it. `what`
/// names it in messages ("token file"), `most` is its bound in bytes.
Result<std::string> read_secret_file(const std::string& path, const std::string& what,
                                     std::size_t most);

/// The public key that `text` is, or that the file of this name holds.
Result<std::string> read_public_key(const std::string& text);

/// What a client or worker dials with.
struct DialKeys {
  KeyPair own;
  std::string broker;  ///< its public key; empty: plain text

  [[nodiscard]] bool is_plain() const { return broker.empty(); }
};

/// `key_file` holds the own key, `broker_key` is the broker's public one or a file with it. Both
/// empty: plain text; one alone is a mistake.
Result<DialKeys> read_dial_keys(const std::string& key_file, const std::string& broker_key);

/// Writes a new file with mode 0600; one that is there already is never replaced. `remark` is one
/// line for people.
Result<void> write_key_pair(const std::string& path, const KeyPair& pair, std::string_view remark);

/// The public half, for others: mode 0644.
Result<void> write_public_key(const std::string& path, const KeyPair& pair,
                              std::string_view remark);

}  // namespace ordo
