// The broker's list of public keys: who may come in, in which role, to which queues and pipelines.
//
// Shapes:  a text file, a key a line: NAME ROLE KEY, then `queues=a,b.*` (of a worker) or
//          `pipelines=x` (of a client), where `*` stands for any characters and all are meant when
//          it is left out, then `revoked`. Lines that begin with `#` are remarks. Names and keys
//          are there once each.
// Errors:  kMalformed "keyring" with path, line and what to write; kUnavailable "keyring" where the
//          system refuses the file. A keyring with one bad line is refused whole: half of the rules
//          are no rules.
// Threads: a value; the functions that change a file may be called by several programs at once.
// Costs:   one look-up by key or name is a hash or a walk over at most kKeys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ordo/result.hpp"

namespace ordo {

enum class Role : std::uint8_t { kClient, kWorker, kOperator, kObserver };
inline constexpr Role kRoles[] = {Role::kClient, Role::kWorker, Role::kOperator, Role::kObserver};

/// "client", "worker", "operator", "observer".
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view word);

struct Key {
  std::string name;
  Role role = Role::kClient;
  std::string public_key;              ///< Z85
  std::vector<std::string> queues;     ///< patterns; empty: all
  std::vector<std::string> pipelines;  ///< patterns; empty: all
  bool is_revoked = false;

  [[nodiscard]] bool may_serve(std::string_view queue) const;
  [[nodiscard]] bool may_run(std::string_view pipeline) const;
  /// The line that stands for it.
  [[nodiscard]] std::string line() const;

  friend bool operator==(const Key&, const Key&) = default;
};

/// What `ordo keys` and a broker read.
class Keyring {
 public:
  static constexpr std::size_t kKeys = 10'000;   ///< read whole, twice a second when it changes
  static constexpr std::size_t kPatterns = 256;  ///< of one kind, of one key

  /// `path` is for messages.
  static Result<Keyring> parse(std::string_view text, const std::string& path);
  static Result<Keyring> read(const std::string& path);

  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
  /// Null where it is not there. A revoked one is there.
  [[nodiscard]] const Key* find(std::string_view public_key) const;
  [[nodiscard]] const Key* named(std::string_view name) const;

 private:
  Result<void> add(Key&& key, const std::string& place);

  std::vector<Key> keys_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

/// Appends a key; a file that is not there is begun. Whole or not at all.
Result<void> add_to_keyring(const std::string& path, const Key& key);
/// Marks a key as revoked; its line stays. kNotFound "unknown_key"; one that is revoked already is
/// no error.
Result<void> revoke_in_keyring(const std::string& path, std::string_view name);

}  // namespace ordo
