#include "monitoring/monitor/tokens.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "base/config_text.hpp"
#include "base/key_file.hpp"
#include "base/log.hpp"

namespace ordo::monitor {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kLeastChars = 32, kMostChars = 256;
constexpr std::size_t kNameBytes = 64;

tl::unexpected<Error> wrong(const std::string& place, const std::string& what) {
  return fail(Code::kMalformed, "tokens", "token file " + place + ": " + what);
}

tl::unexpected<Error> refused(const std::string& doing, const std::string& path) {
  return fail(Code::kUnavailable, "key_file",
              "cannot " + doing + " token file " + path + ": " + std::strerror(errno));
}

std::string_view next_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool is_person_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return kBase64Url.find(c) != kBase64Url.npos || c == '.' || c == '@' || c == '+';
         });
}

bool is_token(std::string_view token) {
  return token.size() >= kLeastChars && token.size() <= kMostChars &&
         token.find_first_not_of(kBase64Url) == token.npos;
}

/// Takes as long for a token that is wrong in its first character as for one that is right.
bool is_same(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference = static_cast<unsigned char>(difference | (a[i] ^ other));
  }
  return difference == 0;
}

bool has_changed(const struct stat& a, const struct stat& b) {
  return a.st_ino != b.st_ino || a.st_size != b.st_size || a.st_mode != b.st_mode ||
         a.st_uid != b.st_uid || a.st_mtim.tv_sec != b.st_mtim.tv_sec ||
         a.st_mtim.tv_nsec != b.st_mtim.tv_nsec;
}

Result<Tokens> read_tokens(const std::string& path) {
  auto text = read_secret_file(path, "token file", Tokens::kFileBytes);
  if (!text) return tl::unexpected(text.error());
  return Tokens::parse(*text, path);
}

}  // namespace

Result<Tokens> Tokens::parse(std::string_view text, const std::string& path) {
  Tokens tokens;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::string place = path + ", line " + std::to_string(number);
    Entry entry;
    entry.person.name = next_word(line);
    const auto role = parse_role(next_word(line));
    entry.token = next_word(line);
    if (!is_person_name(entry.person.name)) {
      return wrong(place,
                   "write NAME ROLE TOKEN; a name is 1 to 64 of letters, digits and `_.@+-`");
    }
    if (role != Role::kObserver && role != Role::kOperator) {
      return wrong(place, "the role must be observer or operator");
    }
    entry.person.role = *role;
    if (!is_token(entry.token) || !trim(line).empty()) {
      return wrong(place,
                   "the token must be 32 to 256 letters, digits, `_` and `-`, the last word of its "
                   "line; `ordo-monitor token` makes one");
    }
    if (tokens.has_name(entry.person.name)) return wrong(place, "the name is there already");
    if (tokens.find(entry.token)) return wrong(place, "the token is another one's already");
    if (tokens.entries_.size() >= kMost) return wrong(place, "more than 1000 tokens");
    tokens.entries_.push_back(std::move(entry));
  }
  return tokens;
}

std::optional<Person> Tokens::find(std::string_view token) const {
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (is_same(entry.token, token)) found = &entry;
  }
  return found == nullptr ? std::nullopt : std::optional(found->person);
}

bool Tokens::has_name(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [name](const Entry& entry) { return entry.person.name == name; });
}

std::string draw_token() {
  std::array<unsigned char, kTokenBytes> bytes{};
  ORDO_CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string token;
  unsigned bits = 0;
  int count = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8U) | byte;
    for (count += 8; count >= 6; count -= 6) {
      token += kBase64Url[(bits >> static_cast<unsigned>(count - 6)) & 63U];
    }
  }
  if (count > 0) token += kBase64Url[(bits << static_cast<unsigned>(6 - count)) & 63U];
  return token;
}

Result<void> add_token(const std::string& path, const Person& person, const std::string& token) {
  if (!is_person_name(person.name)) {
    return fail(Code::kMalformed, "tokens", "a name is 1 to 64 of letters, digits and `_.@+-`");
  }
  std::string start;
  if (::access(path.c_str(), F_OK) == 0) {
    auto text = read_secret_file(path, "token file", Tokens::kFileBytes);
    if (!text) return tl::unexpected(text.error());
    if (!text->empty() && text->back() != '\n') start = "\n";
    auto tokens = Tokens::parse(*text, path);
    if (!tokens) return tl::unexpected(tokens.error());
    if (tokens->has_name(person.name)) {
      return fail(Code::kConflict, "tokens",
                  "token file " + path + " has a token for " + person.name +
                      " already: take its line out first, or choose another name");
    }
  }
  const std::string line =
      start + person.name + " " + std::string(to_string(person.role)) + " " + token + "\n";
  if (auto valid = Tokens::parse(line, path); !valid) return tl::unexpected(valid.error());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return refused("write", path);
  // One write of a short line: of two programs at once neither cuts the other's.
  const bool is_written =
      ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(fd) == 0;
  const int problem = errno;
  ::close(fd);
  errno = problem;
  if (!is_written) return refused("write", path);
  return {};
}

Result<std::unique_ptr<TokenFile>> TokenFile::open(const std::string& path) {
  struct stat seen {};
  (void)::stat(path.c_str(), &seen);
  auto tokens = read_tokens(path);
  if (!tokens) return tl::unexpected(tokens.error());
  return std::unique_ptr<TokenFile>(new TokenFile(path, *std::move(tokens), seen));
}

void TokenFile::look(Steady now) {
  if (now - looked_ < kLookEvery) return;
  looked_ = now;
  struct stat seen {};
  (void)::stat(path_.c_str(), &seen);
  if (!has_changed(seen, seen_)) return;
  seen_ = seen;
  auto tokens = read_tokens(path_);
  if (!tokens) {
    return log::error("tokens not read again: those from before hold",
                      {{"why", tokens.error().message}});
  }
  log::info("tokens read again", {{"tokens", tokens->count()}});
  tokens_ = std::make_shared<Tokens>(*std::move(tokens));
}

std::optional<Person> TokenFile::find(std::string_view token, Steady now) {
  std::shared_ptr<const Tokens> tokens;
  {
    const std::lock_guard lock(mutex_);
    look(now);
    tokens = tokens_;
  }
  return tokens->find(token);
}

bool Guesses::is_too_many(Steady now) {
  const std::lock_guard lock(mutex_);
  if (now - began_ > kWindow) {
    began_ = now;
    count_ = 0;
  }
  return ++count_ > kMost;
}

}  // namespace ordo::monitor
