#include "base/log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace ordo::log {
namespace {

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "warn", "error", "off"};
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kCut = "\xE2\x80\xA6";          // …

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// Bytes of the well-formed UTF-8 character that begins at `at`; 0 where none does (Unicode 15,
/// table 3-7).
std::size_t character(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (at + size > text.size()) return 0;
  unsigned low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned next = byte_at(text, at + i);
    if (next < low || next > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return size;
}

void escape_code(std::string& out, unsigned code) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", code);
  out += text.data();
}

/// Appends `text` as the inside of a JSON string. Terminals act on C1 controls as on C0 ones.
void escape(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character(text, at);
    if (at + std::max<std::size_t>(size, 1) > kTextBytes) {
      out += kCut;
      return;
    }
    const unsigned first = byte_at(text, at);
    if (size == 0) {
      out += kReplacement;
    } else if (first == '"' || first == '\\') {
      out += '\\';
      out += text[at];
    } else if (first == '\n') {
      out += "\\n";
    } else if (first < 0x20 || first == 0x7f) {
      escape_code(out, first);
    } else if (first == 0xC2 && byte_at(text, at + 1) < 0xA0) {
      escape_code(out, byte_at(text, at + 1));
    } else {
      out += text.substr(at, size);
    }
    at += std::max<std::size_t>(size, 1);
  }
}

void quote(std::string& out, std::string_view text) {
  out += '"';
  escape(out, text);
  out += '"';
}

bool is_plain(std::string_view text) {
  if (text.empty() || text.size() > kTextBytes) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

struct Printer {
  std::string& out;
  Form form;
  void operator()(std::string_view text) const {
    if (form == Form::kText && is_plain(text)) {
      out += text;
    } else {
      quote(out, text);
    }
  }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    out.append(text.data(), end.ptr);
  }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += std::to_string(value); }
};

}  // namespace

std::string_view to_string(Level level) { return kWords[static_cast<std::size_t>(level)]; }

Level level_of(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<Level>(i);
  }
  return Level::kInfo;
}

std::string line(Form form, Level level, std::string_view time, std::string_view message,
                 std::span<const Field> fields) {
  std::string out;
  const std::string_view word = to_string(level);
  if (form == Form::kJson) {
    out.append(R"({"time":")").append(time).append(R"(","level":")").append(word);
    out.append(R"(","message":)");
    quote(out, message);
  } else {
    constexpr std::size_t kLevelColumn = 6;
    out.append(time).append(" ").append(word).append(kLevelColumn - word.size(), ' ');
    escape(out, message);
  }
  for (const auto& field : fields) {
    out += form == Form::kJson ? "," : " ";
    if (form == Form::kJson) {
      quote(out, field.key);
    } else {
      out += field.key;
    }
    out += form == Form::kJson ? ":" : "=";
    std::visit(Printer{out, form}, field.value);
  }
  if (form == Form::kJson) out += '}';
  return out;
}

std::string now_text() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t end = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + end, text.size() - end, ".%03dZ",
                static_cast<int>(now.time_since_epoch().count() % 1000));
  return text.data();
}

}  // namespace ordo::log
