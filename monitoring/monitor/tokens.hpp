// Who may use the API: bearer tokens with a name and a role, from a file.
//
// Shapes:  a line a token: NAME ROLE TOKEN. Role `observer` reads, `operator` reads and acts; a
//          token is 32 to 256 characters of A-Z, a-z, 0-9, `_` and `-`. Lines that begin with `#`
//          are remarks. Names and tokens are there once each; one bad line and the file is refused
//          whole.
// Errors:  kMalformed "tokens" with path and line, never with what stands there; kMalformed or
//          kUnavailable "key_file" where others may read the file or nobody can.
// Threads: Tokens is a value; TokenFile any thread.
// Costs:   a look-up compares with every token, each in full, so that its time says nothing.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyring.hpp"
#include "base/time.hpp"
#include "ordo/result.hpp"

namespace ordo::monitor {

struct Person {
  std::string name;
  Role role = Role::kObserver;

  [[nodiscard]] bool may_act() const { return role == Role::kOperator; }
  friend bool operator==(const Person&, const Person&) = default;
};

class Tokens {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kFileBytes = 1u << 20;

  /// `path` is for messages.
  static Result<Tokens> parse(std::string_view text, const std::string& path);
  /// Whose token it is.
  [[nodiscard]] std::optional<Person> find(std::string_view token) const;
  [[nodiscard]] bool has_name(std::string_view name) const;
  [[nodiscard]] std::size_t count() const { return entries_.size(); }

 private:
  struct Entry {
    Person person;
    std::string token;
  };
  std::vector<Entry> entries_;
};

/// A new token: 32 bytes of the system's chance as 43 characters of base64url.
std::string draw_token();
/// Appends a line to the file, which is made (mode 0600) where there is none. kConflict "tokens"
/// where the name is taken.
Result<void> add_token(const std::string& path, const Person& person, const std::string& token);

/// The file, followed while the program runs. A file that has become wrong changes nothing but the
/// log.
class TokenFile {
 public:
  static Result<std::unique_ptr<TokenFile>> open(const std::string& path);
  /// By the file of at most kLookEvery ago.
  std::optional<Person> find(std::string_view token, Steady now);

 private:
  static constexpr Millis kLookEvery{250};

  TokenFile(std::string path, Tokens tokens, const struct stat& seen)
      : path_(std::move(path)), tokens_(std::make_shared<Tokens>(std::move(tokens))), seen_(seen) {}
  void look(Steady now);

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const Tokens> tokens_;
  struct stat seen_ {};
  Steady looked_{};
};

/// Slows down who guesses: after kMost wrong tokens within kWindow each further one is to be sent
/// away. Right ones never are, or anybody could lock everybody out.
class Guesses {
 public:
  /// A wrong one came: whether it is one too many.
  bool is_too_many(Steady now);

 private:
  static constexpr int kMost = 20;
  static constexpr Seconds kWindow{10};
  std::mutex mutex_;
  Steady began_{};
  int count_ = 0;
};

}  // namespace ordo::monitor
