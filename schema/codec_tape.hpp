// The tokens of one frame, side by side: what a parser of msgpack leaves for the readers of
// structs.
//
// Shapes:  an array (or map) is one token that says how many elements follow; elements follow in
//          order, so a whole value is skipped by counting. Strings and bins point into the frame,
//          which must outlive the tape.
// Errors:  parse() is total: not_msgpack, too_deep, too_many, too_large, all of code malformed.
// Threads: one owner; codec.cpp keeps one tape a thread and uses it again for every frame.
// Costs:   16 bytes a token. A header that announces more elements than bytes remain is refused
//          when it is read, so a frame of n bytes never makes more than n tokens.
// Source:  msgpack specification; the visitor parser of msgpack-cxx.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::wire {

struct Token {
  enum class Kind : std::uint8_t {
    kNil,
    kBool,
    kUnsigned,
    kNegative,
    kString,
    kArray,
    kMap,
    kOther
  };
  union {
    std::uint64_t number;  ///< kBool, kUnsigned; kNegative: the two's complement
    const char* data;      ///< kString
  };
  std::uint32_t size = 0;  ///< kString: bytes; kArray: elements; kMap: pairs
  Kind kind = Kind::kNil;
};
static_assert(sizeof(Token) == 16);

class Tape {
 public:
  /// Replaces what the tape held by the tokens of `bytes`, which hold exactly one value.
  Result<void> parse(std::string_view bytes);

  [[nodiscard]] const Token* begin() const { return tokens_.data(); }
  [[nodiscard]] const Token* end() const { return tokens_.data() + tokens_.size(); }

  /// The first token after the value that starts at `at`.
  static const Token* skip(const Token* at);
  /// Gives memory back that a rare large frame took.
  void trim();

 private:
  std::vector<Token> tokens_;
};

}  // namespace ordo::wire
