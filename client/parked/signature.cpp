#include "client/parked/signature.hpp"

#include <algorithm>

#include "schema/limits.hpp"
#include "schema/text.hpp"

namespace ordo::parked {
namespace {

constexpr std::size_t kUuidChars = 36;
constexpr std::size_t kHexWord = 6;  // shorter ones are words ("bad1", "e2e") more often

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool starts_with_uuid(std::string_view text) {
  if (text.size() < kUuidChars || (text.size() > kUuidChars && is_word(text[kUuidChars]))) {
    return false;
  }
  for (std::size_t i = 0; i < kUuidChars; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_number(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0X")) {
    return word.size() > 2 && std::all_of(word.begin() + 2, word.end(), is_hex);
  }
  if (std::all_of(word.begin(), word.end(), is_digit)) return true;
  return word.size() >= kHexWord && std::all_of(word.begin(), word.end(), is_hex) &&
         std::any_of(word.begin(), word.end(), is_digit);
}

/// One `#` for a number, also behind another one and what joins them.
void add_number(std::string& out) {
  const std::size_t size = out.size();
  const bool is_joined = size >= 2 && out[size - 2] == '#' &&
                         std::string_view("-.:,").find(out[size - 1]) != std::string_view::npos;
  if (is_joined) {
    out.pop_back();
  } else if (out.empty() || out.back() != '#') {
    out += '#';
  }
}

void add_word(std::string& out, std::string_view word) {
  if (is_number(word)) return add_number(out);
  bool was_digit = false;
  for (const char c : word) {
    if (!is_digit(c)) {
      out += c;
    } else if (!was_digit) {
      add_number(out);
    }
    was_digit = is_digit(c);
  }
}

}  // namespace

std::string error_signature(std::string_view error) {
  std::string out;
  while (!error.empty()) {
    if (starts_with_uuid(error)) {
      add_number(out);
      error.remove_prefix(kUuidChars);
      continue;
    }
    std::size_t size = 0;
    while (size < error.size() && is_word(error[size])) ++size;
    if (size == 0) {
      out += error.front();
      size = 1;
    } else {
      add_word(out, error.substr(0, size));
    }
    error.remove_prefix(size);
  }
  return clean_text(out, limits::kListedErrorBytes);
}

}  // namespace ordo::parked
