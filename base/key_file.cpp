#include "base/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace ordo {
namespace {

// Two keys and some remarks; more is another file.
constexpr std::size_t kFileBytes = 4096;
constexpr std::string_view kZ85 =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

tl::unexpected<Error> wrong(std::string message) {
  return fail(Code::kMalformed, "key_file", std::move(message));
}

tl::unexpected<Error> refused(const std::string& doing, const std::string& path) {
  return fail(Code::kUnavailable, "key_file",
              "cannot " + doing + " " + path + ": " + std::strerror(errno));
}

/// A descriptor that is closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> check_readers(const struct stat& about, const std::string& what,
                           const std::string& path) {
  const bool is_roots = about.st_uid == 0;
  const bool is_ours = about.st_uid == ::geteuid();
  const mode_t bad = is_roots ? 0037 : 0077;
  if ((is_roots || is_ours) && (about.st_mode & bad) == 0) return {};
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", about.st_mode & 07777U);
  return wrong(what + " " + path + " can be used by others (mode " + mode.data() +
               (is_roots || is_ours ? "" : ", of another account") +
               "): make it yours alone, chmod 600 " + path);
}

struct Text {
  std::string bytes;
  struct stat about {};
};

/// `what` names it in messages.
Result<Text> read_file(const std::string& path, const std::string& what, std::size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Text text;
  if (file.get() < 0 || ::fstat(file.get(), &text.about) != 0) {
    return refused("read " + what, path);
  }
  if (!S_ISREG(text.about.st_mode)) return wrong(what + " " + path + " is no file");
  text.bytes.resize(most + 1);
  const ssize_t size = ::read(file.get(), text.bytes.data(), text.bytes.size());
  if (size < 0) return refused("read " + what, path);
  text.bytes.resize(static_cast<std::size_t>(size));
  if (text.bytes.size() > most) {
    return wrong(what + " " + path + " is larger than " + std::to_string(most / 1024) +
                 " KiB: it is no " + what);
  }
  return text;
}

/// Fills what the lines name.
Result<KeyPair> parse(std::string_view text, const std::string& path) {
  KeyPair pair;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    std::string* const place = line.starts_with("public ")   ? &pair.public_key
                               : line.starts_with("secret ") ? &pair.secret_key
                                                             : nullptr;
    // What stands in the line is not repeated: it may be half a secret.
    if (place == nullptr || !place->empty() || !is_key(line.substr(7))) {
      return wrong("key file " + path + ", line " + std::to_string(number) +
                   ": write `public KEY` and `secret KEY` once each, a key being 40 characters of "
                   "Z85; `ordo keys new` makes such files");
    }
    *place = line.substr(7);
  }
  return pair;
}

Result<void> write_file(const std::string& path, const std::string& text, mode_t mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return refused("write key file", path);
  const bool is_written =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0;
  if (is_written) return {};
  auto failure = refused("write key file", path);
  ::unlink(path.c_str());
  return failure;
}

}  // namespace

bool is_key(std::string_view text) {
  return text.size() == kKeyChars && text.find_first_not_of(kZ85) == text.npos;
}

Result<KeyPair> read_key_pair(const std::string& path) {
  auto text = read_file(path, "key file", kFileBytes);
  if (!text) return tl::unexpected(text.error());
  if (auto readers = check_readers(text->about, "key file", path); !readers) {
    return tl::unexpected(readers.error());
  }
  auto pair = parse(text->bytes, path);
  if (pair && (pair->secret_key.empty() || pair->public_key.empty())) {
    return wrong("key file " + path + " has no " +
                 (pair->secret_key.empty() ? "secret" : "public") +
                 " key: name the file that `ordo keys new --out` has written");
  }
  return pair;
}

Result<std::string> read_secret_file(const std::string& path, const std::string& what,
                                     std::size_t most) {
  auto text = read_file(path, what, most);
  if (!text) return tl::unexpected(text.error());
  if (auto readers = check_readers(text->about, what, path); !readers) {
    return tl::unexpected(readers.error());
  }
  return std::move(text->bytes);
}

Result<std::string> read_public_key(const std::string& text) {
  if (is_key(text)) return text;
  auto read = read_file(text, "key file", kFileBytes);
  if (!read) return tl::unexpected(read.error());
  auto pair = parse(read->bytes, text);
  if (!pair) return tl::unexpected(pair.error());
  if (pair->public_key.empty()) return wrong("key file " + text + " has no public key");
  return pair->public_key;
}

Result<DialKeys> read_dial_keys(const std::string& key_file, const std::string& broker_key) {
  if (key_file.empty() && broker_key.empty()) return DialKeys{};
  if (key_file.empty() || broker_key.empty()) {
    return wrong(key_file.empty()
                     ? "broker_key is given without key_file: name the file of your own key "
                       "(`ordo keys new` makes one)"
                     : "key_file is given without broker_key: give the broker's public key, or the "
                       "file that holds it");
  }
  auto own = read_key_pair(key_file);
  if (!own) return tl::unexpected(own.error());
  auto broker = read_public_key(broker_key);
  if (!broker) return tl::unexpected(broker.error());
  return DialKeys{*std::move(own), *std::move(broker)};
}

Result<void> write_key_pair(const std::string& path, const KeyPair& pair, std::string_view remark) {
  return write_file(path,
                    "# " + std::string(remark) + "\npublic " + pair.public_key + "\nsecret " +
                        pair.secret_key + "\n",
                    0600);
}

Result<void> write_public_key(const std::string& path, const KeyPair& pair,
                              std::string_view remark) {
  return write_file(path, "# " + std::string(remark) + "\npublic " + pair.public_key + "\n", 0644);
}

}  // namespace ordo
