#include "base/log.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace ordo::log {
namespace {

std::atomic<Level> least_level{Level::kInfo};
std::atomic<Form> line_form{Form::kText};

constexpr std::array<std::string_view, 5> kWords{"debug", "info", "warn", "error", "off"};

spdlog::logger& sink() {
  // Left to live until the process ends: other threads may log while statics are destroyed.
  static auto* logger = [] {
    auto* made = new spdlog::logger("ordo", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

/// Appends `text` as the inside of a JSON string; bytes that are no UTF-8 start are kept, control
/// ones escaped.
void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
}

void quote(std::string& out, std::string_view text) {
  out += '"';
  escape(out, text);
  out += '"';
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == '=' || c == '\\') return false;
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
    out += std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  void operator()(std::int64_t value) const { out += fmt::format("{}", value); }
  void operator()(std::uint64_t value) const { out += fmt::format("{}", value); }
};

std::string now_text() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto ms = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

}  // namespace

void setup(Level least, Form form) {
  least_level = least;
  line_form = form;
}

Level level_of(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<Level>(i);
  }
  return Level::kInfo;
}

bool is_on(Level level) { return level >= least_level.load(std::memory_order_relaxed); }

std::string line(Form form, Level level, std::string_view time, std::string_view event,
                 Fields fields) {
  std::string out;
  const std::string_view word = kWords[static_cast<std::size_t>(level)];
  if (form == Form::kJson) {
    out = fmt::format(R"({{"time":"{}","level":"{}","event":)", time, word);
    quote(out, event);
  } else {
    out = fmt::format("{} {:<5} ", time, word);
    escape(out, event);
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

void write(Level level, std::string_view event, Fields fields) {
  if (!is_on(level)) return;
  sink().info("{}",
              line(line_form.load(std::memory_order_relaxed), level, now_text(), event, fields));
}

}  // namespace ordo::log
