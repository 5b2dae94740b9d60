#include "base/keyring.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/config_text.hpp"
#include "base/key_file.hpp"

namespace ordo {
namespace {

// The most keys with long lines fit; more is another file.
constexpr std::size_t kFileBytes = 4u << 20;
constexpr std::size_t kNameBytes = 64;  // as every name of ours

tl::unexpected<Error> wrong(const std::string& place, const std::string& what) {
  return fail(Code::kMalformed, "keyring", "keyring " + place + ": " + what);
}

tl::unexpected<Error> refused(const std::string& doing, const std::string& path) {
  return fail(Code::kUnavailable, "keyring",
              "cannot " + doing + " keyring " + path + ": " + std::strerror(errno));
}

bool is_of(std::string_view word, std::string_view more) {
  return !word.empty() && word.size() <= kNameBytes &&
         std::all_of(word.begin(), word.end(), [more](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                  c == '-' || more.find(c) != more.npos;
         });
}

/// A word of somebody's file, harmless and short, for a message.
std::string printable_word(std::string_view word) {
  std::string out(word.substr(0, kNameBytes));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

/// `*` stands for any characters. Goes back to the last star only, which is enough.
bool matches(std::string_view pattern, std::string_view word) {
  std::size_t p = 0, w = 0, star = pattern.npos, from = 0;
  while (w < word.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = w;
    } else if (p < pattern.size() && pattern[p] == word[w]) {
      ++p;
      ++w;
    } else if (star != pattern.npos) {
      p = star + 1;
      w = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view word) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [word](const std::string& pattern) { return matches(pattern, word); });
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == line.npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r", start), line.size());
    words.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

Result<void> take_patterns(std::string_view list, std::vector<std::string>& out,
                           const std::string& place) {
  if (!out.empty()) return wrong(place, "the same rights are named twice");
  out = split_list(list);
  // An empty list would read as "none" and mean "all".
  if (out.empty() || out.size() > Keyring::kPatterns) {
    return wrong(place, "name 1 to 256 patterns, separated by commas; leave it out for all");
  }
  for (const std::string& pattern : out) {
    if (!is_of(pattern, "*")) {
      return wrong(place, "`" + printable_word(pattern) +
                              "` is no pattern: write 1 to 64 of a-z, 0-9, `_`, `.`, `-` and `*`");
    }
  }
  return {};
}

Result<Key> parse_line(std::string_view line, const std::string& place) {
  const auto words = words_of(line);
  if (words.size() < 3) return wrong(place, "write NAME ROLE KEY, then rights");
  Key key;
  key.name = words[0];
  if (!is_of(key.name, "")) {
    return wrong(place, "the name must be 1 to 64 of a-z, 0-9, `_`, `.` and `-`");
  }
  const auto role = parse_role(words[1]);
  if (!role) return wrong(place, "the role must be client, worker, operator or observer");
  key.role = *role;
  if (!is_key(words[2])) return wrong(place, "the key must be 40 characters of Z85");
  key.public_key = words[2];
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::string_view word = words[i];
    Result<void> taken{};
    if (word == "revoked") {
      key.is_revoked = true;
    } else if (word.starts_with("queues=")) {
      taken = take_patterns(word.substr(7), key.queues, place);
    } else if (word.starts_with("pipelines=")) {
      taken = take_patterns(word.substr(10), key.pipelines, place);
    } else {
      taken = wrong(place, "`" + printable_word(word) +
                               "` is neither `queues=…`, `pipelines=…` nor `revoked`");
    }
    if (!taken) return tl::unexpected(taken.error());
  }
  // A right that nothing looks at would be trusted by whoever wrote it.
  if (!key.queues.empty() && key.role != Role::kWorker) {
    return wrong(place, "`queues=` is for workers alone");
  }
  if (!key.pipelines.empty() && key.role != Role::kClient) {
    return wrong(place, "`pipelines=` is for clients alone");
  }
  return key;
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return refused("read", path);
  std::string text(kFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return refused("read", path);
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileBytes) return wrong(path, "larger than 4 MiB: it is no keyring");
  return text;
}

std::string join_commas(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

/// The file that becomes the keyring: made once, so that of two programs one waits or gives way.
class NextKeyring {
 public:
  explicit NextKeyring(const std::string& path)
      : path_(path),
        part_(path + ".part"),
        fd_(::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {}
  ~NextKeyring() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(part_.c_str());
  }
  NextKeyring(const NextKeyring&) = delete;
  NextKeyring& operator=(const NextKeyring&) = delete;

  Result<void> begin() {
    if (fd_ >= 0) return {};
    if (errno != EEXIST) return refused("write", path_);
    return fail(
        Code::kUnavailable, "keyring",
        "keyring " + path_ + " is being changed by another program; if none runs, remove " + part_);
  }
  Result<void> finish(const std::string& text) {
    const bool is_there =
        ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd_) == 0 && ::rename(part_.c_str(), path_.c_str()) == 0;
    if (!is_there) return refused("write", path_);
    ::close(fd_);
    fd_ = -1;
    return {};
  }

 private:
  std::string path_, part_;
  int fd_;
};

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kClient: return "client";
    case Role::kWorker: return "worker";
    case Role::kOperator: return "operator";
    case Role::kObserver: return "observer";
  }
  return "observer";
}

std::optional<Role> parse_role(std::string_view word) {
  for (const Role role : kRoles) {
    if (to_string(role) == word) return role;
  }
  return std::nullopt;
}

bool Key::may_serve(std::string_view queue) const { return matches_any(queues, queue); }
bool Key::may_run(std::string_view pipeline) const { return matches_any(pipelines, pipeline); }

std::string Key::line() const {
  std::string out = name + " " + std::string(to_string(role)) + " " + public_key;
  if (!queues.empty()) out += " queues=" + join_commas(queues);
  if (!pipelines.empty()) out += " pipelines=" + join_commas(pipelines);
  if (is_revoked) out += " revoked";
  return out;
}

Result<void> Keyring::add(Key&& key, const std::string& place) {
  if (keys_.size() >= kKeys) return wrong(place, "more than 10000 keys");
  if (!by_name_.emplace(key.name, keys_.size()).second) {
    return wrong(place, "there is a key `" + key.name + "` already: names are there once");
  }
  const auto [same, is_new] = by_key_.emplace(key.public_key, keys_.size());
  if (!is_new) {
    return wrong(place, "`" + key.name + "` has the key of `" + keys_[same->second].name +
                            "`: keys are there once, or a revoked one could come back");
  }
  keys_.push_back(std::move(key));
  return {};
}

Result<Keyring> Keyring::parse(std::string_view text, const std::string& path) {
  Keyring ring;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::string place = path + ", line " + std::to_string(number);
    auto key = parse_line(line, place);
    if (!key) return tl::unexpected(key.error());
    if (auto added = ring.add(*std::move(key), place); !added) {
      return tl::unexpected(added.error());
    }
  }
  return ring;
}

Result<Keyring> Keyring::read(const std::string& path) {
  auto text = read_text(path);
  if (!text) return tl::unexpected(text.error());
  return parse(*text, path);
}

const Key* Keyring::find(std::string_view public_key) const {
  const auto found = by_key_.find(std::string(public_key));
  return found == by_key_.end() ? nullptr : &keys_[found->second];
}

const Key* Keyring::named(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &keys_[found->second];
}

Result<void> add_to_keyring(const std::string& path, const Key& key) {
  NextKeyring next(path);
  if (auto begun = next.begin(); !begun) return begun;
  std::string text;
  if (::access(path.c_str(), F_OK) == 0) {
    auto read = read_text(path);
    if (!read) return tl::unexpected(read.error());
    text = *std::move(read);
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += key.line() + "\n";
  if (auto whole = Keyring::parse(text, path); !whole) return tl::unexpected(whole.error());
  return next.finish(text);
}

Result<void> revoke_in_keyring(const std::string& path, std::string_view name) {
  NextKeyring next(path);
  if (auto begun = next.begin(); !begun) return begun;
  auto text = read_text(path);
  if (!text) return tl::unexpected(text.error());
  const auto ring = Keyring::parse(*text, path);
  if (!ring) return tl::unexpected(ring.error());
  const Key* const key = ring->named(name);
  if (key == nullptr) {
    return fail(Code::kNotFound, "unknown_key",
                "keyring " + path + " has no key `" + printable_word(name) + "`");
  }
  if (key->is_revoked) return {};
  std::string out;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto words = words_of(line);
    const bool is_it = !words.empty() && line.front() != '#' && words[0] == name;
    out += std::string(line) + (is_it ? " revoked\n" : "\n");
  }
  return next.finish(out);
}

}  // namespace ordo
