#include "schema/codec_tape.hpp"

#include <exception>
#include <msgpack.hpp>
#include <string>

#include "schema/limits.hpp"

namespace ordo::wire {
namespace {

/// A tape above this size goes back to the allocator after use: one large frame must not pin 4 MiB
/// a thread.
constexpr std::size_t kKeptTokens = 64u << 10;

/// Called by the parser for every header, before anything that follows the header is looked at.
class TapeWriter {
 public:
  TapeWriter(std::vector<Token>& tokens, std::size_t bytes) : tokens_(tokens), room_(bytes) {}

  bool visit_nil() { return add(0, 0, Token::Kind::kNil); }
  bool visit_boolean(bool v) { return add(v ? 1 : 0, 0, Token::Kind::kBool); }
  bool visit_positive_integer(std::uint64_t v) { return add(v, 0, Token::Kind::kUnsigned); }
  bool visit_negative_integer(std::int64_t v) {
    // A signed form of a number that is not negative means the same as the unsigned form.
    return add(static_cast<std::uint64_t>(v), 0,
               v < 0 ? Token::Kind::kNegative : Token::Kind::kUnsigned);
  }
  bool visit_float32(float) { return add(0, 0, Token::Kind::kOther); }
  bool visit_float64(double) { return add(0, 0, Token::Kind::kOther); }
  bool visit_str(const char* data, std::uint32_t size) { return add_string(data, size); }
  bool visit_bin(const char* data, std::uint32_t size) { return add_string(data, size); }
  bool visit_ext(const char*, std::uint32_t) { return add(0, 0, Token::Kind::kOther); }

  bool start_array(std::uint32_t count) { return open(count, count, Token::Kind::kArray); }
  bool start_map(std::uint32_t pairs) {
    return open(std::uint64_t{pairs} * 2, pairs, Token::Kind::kMap);
  }
  bool end_array() { return close(); }
  bool end_map() { return close(); }
  static bool start_array_item() { return true; }
  static bool end_array_item() { return true; }
  static bool start_map_key() { return true; }
  static bool end_map_key() { return true; }
  static bool start_map_value() { return true; }
  static bool end_map_value() { return true; }

  void parse_error(std::size_t, std::size_t) {
    refuse("not_msgpack", "the frame holds a byte that starts no msgpack value");
  }
  void insufficient_bytes(std::size_t, std::size_t) {
    refuse("not_msgpack", "the frame ends in the middle of a value");
  }

  [[nodiscard]] const char* reason() const { return reason_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  bool add(std::uint64_t number, std::uint32_t size, Token::Kind kind) {
    if (tokens_.size() >= limits::kDecodeTokens) return refuse_count();
    Token& token = tokens_.emplace_back();
    token.number = number;
    token.size = size;
    token.kind = kind;
    return true;
  }
  bool add_string(const char* data, std::uint32_t size) {
    if (!add(0, size, Token::Kind::kString)) return false;
    tokens_.back().data = data;
    return true;
  }
  bool open(std::uint64_t values, std::uint32_t size, Token::Kind kind) {
    // Every value takes a byte at least: what all headers announce together must fit the frame.
    if (values > room_) {
      refuse("too_many", "an array announces more elements than the frame has bytes");
      return false;
    }
    room_ -= values;
    if (++depth_ > limits::kDecodeDepth) {
      refuse("too_deep", "arrays nest deeper than " + std::to_string(limits::kDecodeDepth));
      return false;
    }
    return add(0, size, kind);
  }
  bool close() {
    --depth_;
    return true;
  }
  bool refuse_count() {
    refuse("too_many",
           "the frame holds more than " + std::to_string(limits::kDecodeTokens) + " values");
    return false;
  }
  void refuse(const char* reason, std::string message) {
    if (reason_ != nullptr) return;  // the first fault is the one that explains the others
    reason_ = reason;
    message_ = std::move(message);
  }

  std::vector<Token>& tokens_;
  std::size_t room_;  ///< elements that headers may still announce
  std::size_t depth_ = 0;
  const char* reason_ = nullptr;
  std::string message_;
};

tl::unexpected<Error> malformed(std::string_view reason, std::string message) {
  return fail(Code::kMalformed, reason, std::move(message));
}

}  // namespace

Result<void> Tape::parse(std::string_view bytes) {
  tokens_.clear();
  if (bytes.size() > limits::kFrameBytes) {
    return malformed("too_large", "the frame has " + std::to_string(bytes.size()) +
                                      " bytes; at most " + std::to_string(limits::kFrameBytes) +
                                      " are allowed");
  }
  if (bytes.empty()) return malformed("not_msgpack", "the frame is empty");
  TapeWriter writer(tokens_, bytes.size());
  std::size_t offset = 0;
  bool is_whole = false;
  try {
    is_whole = msgpack::parse(bytes.data(), bytes.size(), offset, writer);
  } catch (const std::exception& error) {
    return malformed("not_msgpack", error.what());
  }
  if (writer.reason() != nullptr) return malformed(writer.reason(), writer.message());
  if (!is_whole) return malformed("not_msgpack", "the frame is not msgpack");
  if (offset != bytes.size()) {
    return malformed("not_msgpack", std::to_string(bytes.size() - offset) +
                                        " bytes follow the end of the frame's array");
  }
  return {};
}

const Token* Tape::skip(const Token* at) {
  for (std::uint64_t pending = 1; pending > 0; --pending, ++at) {
    if (at->kind == Token::Kind::kArray) pending += at->size;
    if (at->kind == Token::Kind::kMap) pending += std::uint64_t{at->size} * 2;
  }
  return at;
}

void Tape::trim() {
  if (tokens_.capacity() <= kKeptTokens) return;
  tokens_.clear();
  tokens_.shrink_to_fit();
}

}  // namespace ordo::wire
