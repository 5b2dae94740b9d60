#include "schema/pipeline_condition.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "schema/pipeline_values.hpp"

namespace ordo::pipeline {
namespace {

constexpr std::array<std::string_view, 6> kOperators{"==", "!=", "<=", ">=", "<", ">"};
constexpr std::array<std::string_view, 6> kReserved{"and", "or", "not", "true", "false", "null"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '+';
}

struct Lexeme {
  enum class Kind : std::uint8_t { kEnd, kWord, kText, kSymbol };
  Kind kind = Kind::kEnd;
  std::string_view text;  ///< kText: with its quotes
  std::size_t offset = 0;
};

std::optional<double> number_in(std::string_view word) {
  double number = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  const bool has_digit = word.find_first_of("0123456789") != std::string_view::npos;
  if (error != std::errc{} || stop != end || !has_digit) return std::nullopt;
  return number;
}

/// What a lexeme of a value says; it was read as one.
FieldValue value_of(const Lexeme& lexeme) {
  using Kind = FieldValue::Kind;
  if (lexeme.kind == Lexeme::Kind::kText) {
    return {.kind = Kind::kText,
            .text = std::string(lexeme.text.substr(1, lexeme.text.size() - 2))};
  }
  if (lexeme.text == "null") return {.kind = Kind::kNull};
  if (lexeme.text == "true") return {.kind = Kind::kFlag, .flag = true};
  if (lexeme.text == "false") return {.kind = Kind::kFlag};
  return {.kind = Kind::kNumber, .number = number_in(lexeme.text).value_or(0)};
}

template <class Value> bool is_ordered(const Value& a, std::string_view op, const Value& b) {
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

bool compare(const FieldValue& field, std::string_view op, const FieldValue& value) {
  using Kind = FieldValue::Kind;
  if (field.kind == Kind::kMissing) return false;
  if (op == "==") return field == value;
  if (op == "!=") return !(field == value);
  if (field.kind != value.kind) return false;
  if (field.kind == Kind::kNumber) return is_ordered(field.number, op, value.number);
  return field.kind == Kind::kText && is_ordered(field.text, op, value.text);
}

/// Reads a condition, and with fields to look at tells whether it holds.
class Reading {
 public:
  explicit Reading(std::string_view text, const Lookup* lookup = nullptr)
      : text_(text), lookup_(lookup) {
    advance();
  }

  std::optional<ConditionFault> run() {
    if (now_.kind == Lexeme::Kind::kEnd && !fault_) {
      fail("the condition is empty", "remove it, or write such as `amount > 100`");
    }
    holds_ = condition(0);
    if (!fault_ && now_.kind != Lexeme::Kind::kEnd) {
      fail("nothing may follow a whole condition, but " + shown() + " does",
           "join conditions with `and` or `or`");
    }
    return fault_;
  }
  [[nodiscard]] bool holds() const { return holds_ && !fault_; }

 private:
  [[nodiscard]] bool is_word(std::string_view word) const {
    return now_.kind == Lexeme::Kind::kWord && now_.text == word;
  }
  [[nodiscard]] bool is_symbol(std::string_view symbol) const {
    return now_.kind == Lexeme::Kind::kSymbol && now_.text == symbol;
  }
  [[nodiscard]] std::string shown() const {
    if (now_.kind == Lexeme::Kind::kEnd) return "the end";
    return "`" + std::string(now_.text) + "`";
  }
  /// Nothing more is read, and nothing holds.
  bool fail(std::string what, std::string instead) {
    if (!fault_) fault_ = ConditionFault{now_.offset, std::move(what), std::move(instead)};
    now_ = {Lexeme::Kind::kEnd, {}, text_.size()};
    at_ = text_.size();
    return false;
  }

  void advance() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    now_ = {Lexeme::Kind::kEnd, {}, at_};
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '"' || c == '\'') return take_text(c);
    if (is_word_char(c)) {
      std::size_t end = at_;
      while (end < text_.size() && is_word_char(text_[end])) ++end;
      return take(Lexeme::Kind::kWord, end - at_);
    }
    const auto two = text_.substr(at_, 2);
    const bool is_two =
        two.size() == 2 && (is_one_of(two, kOperators) || two == "&&" || two == "||");
    take(Lexeme::Kind::kSymbol, is_two ? 2 : character_bytes());
  }
  /// Of the character at hand, so that a message never shows half of one.
  [[nodiscard]] std::size_t character_bytes() const {
    std::size_t size = 1;
    while (at_ + size < text_.size() &&
           (static_cast<unsigned char>(text_[at_ + size]) & 0xc0) == 0x80)
      ++size;
    return size;
  }
  void take(Lexeme::Kind kind, std::size_t size) {
    now_ = {kind, text_.substr(at_, size), at_};
    at_ += size;
  }
  void take_text(char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) {
      fail("a quote is opened and not closed", std::string("close it with `") + quote + "`");
      return;
    }
    take(Lexeme::Kind::kText, end + 1 - at_);
  }

  bool condition(std::size_t depth) {
    bool any = both(depth);
    while (is_word("or")) {
      advance();
      any = both(depth) || any;
    }
    if (is_symbol("&&") || is_symbol("||")) {
      fail(shown() + " is no word of conditions", now_.text == "&&" ? "write `and`" : "write `or`");
    }
    return any;
  }

  bool both(std::size_t depth) {
    bool all = single(depth);
    while (is_word("and")) {
      advance();
      all = single(depth) && all;
    }
    return all;
  }

  bool single(std::size_t depth) {
    if (fault_) return false;
    if (depth > kConditionDepth) {
      return fail("brackets nest deeper than " + std::to_string(kConditionDepth), "simplify it");
    }
    if (is_symbol("!")) return fail("`!` is no word of conditions", "write `not`");
    if (is_word("not")) {
      advance();
      return !single(depth + 1);
    }
    if (!is_symbol("(")) return comparison();
    advance();
    const bool inside = condition(depth + 1);
    if (fault_) return false;
    if (!is_symbol(")")) return fail("a bracket is opened and not closed", "close it with `)`");
    advance();
    return inside;
  }

  bool comparison() {
    const bool is_word = now_.kind == Lexeme::Kind::kWord;
    if (!is_word || !is_field(now_.text) || is_one_of(now_.text, kReserved)) {
      return fail("a field of the context has to stand here, not " + shown(),
                  "write such as `amount > 100`");
    }
    const std::string field(now_.text);
    advance();
    if (is_symbol("=")) return fail("`=` is no operator", "write `==`");
    if (now_.kind != Lexeme::Kind::kSymbol || !is_one_of(now_.text, kOperators)) {
      return fail("an operator has to follow `" + field + "`, not " + shown(),
                  "use one of == != < <= > >=, such as `" + field + " == true`");
    }
    const std::string_view op = now_.text;
    advance();
    const Lexeme value = now_;
    read_value(op[0] == '<' || op[0] == '>');
    return lookup_ != nullptr && !fault_ && compare((*lookup_)(field), op, value_of(value));
  }

  void read_value(bool is_ordering) {
    if (fault_) return;
    const bool is_constant = is_word("true") || is_word("false") || is_word("null");
    if (is_constant && is_ordering) {
      fail(shown() + " has no order", "compare it with == or !=");
      return;
    }
    const bool is_bare = now_.kind == Lexeme::Kind::kWord;
    const bool is_number = is_bare && number_in(now_.text);
    if (!is_constant && now_.kind != Lexeme::Kind::kText && !is_number) {
      fail("a value has to stand here, not " + shown(),
           is_bare ? "put text in quotes: `'" + std::string(now_.text) + "'`"
                   : "write a number, 'text', true, false or null");
      return;
    }
    advance();
  }

  std::string_view text_;
  const Lookup* lookup_;
  bool holds_ = false;
  std::size_t at_ = 0;
  Lexeme now_;
  std::optional<ConditionFault> fault_;
};

}  // namespace

std::optional<ConditionFault> check_condition(std::string_view text) {
  if (text.size() > kConditionBytes) {
    return ConditionFault{0, "the condition has " + std::to_string(text.size()) + " bytes",
                          "at most " + std::to_string(kConditionBytes) + " are allowed"};
  }
  return Reading(text).run();
}

bool holds(std::string_view condition, const Lookup& lookup) {
  Reading reading(condition, &lookup);
  static_cast<void>(reading.run());
  return reading.holds();
}

}  // namespace ordo::pipeline
