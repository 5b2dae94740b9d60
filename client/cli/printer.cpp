#include "client/cli/printer.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "schema/text.hpp"

namespace ordo::cli {
namespace {

const char* color_of(std::string_view word) {
  if (word == "succeeded" || word == "ok" || word == "ready" || word == "green") return "32";
  if (word == "failed" || word == "parked" || word == "red") return "31";
  if (word == "cancelled" || word == "skipped" || word == "pending" || word == "unknown") {
    return "2";
  }
  if (word == "running" || word == "leased") return "36";
  return "33";
}

std::string dumped(const Json& json, int indent) {
  // Payloads are bytes: what is no text must not end the program.
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string_view next_step(const Error& error) {
  if (error.reason == "client_full") return "wait for answers, or raise the bound";
  if (error.reason == "not_connected") {
    return "start a broker (`ordo dev`), or name it: --endpoint or ORDO_ENDPOINT";
  }
  if (error.reason == "unknown_pipeline") return "`ordo pipeline ls` shows those that are stored";
  if (error.reason == "pipeline_version") {
    return "a stored version never changes: raise `version` in the file";
  }
  if (error.reason == "unknown_step") return "`ordo get` shows the order's steps";
  if (error.reason == "unknown_queue") return "`ordo queue ls` shows the queues there are";
  switch (error.code) {
    case Code::kMalformed: return "correct the request; asking again cannot help";
    case Code::kNotFound: return "look at `ordo ls`, or check the name";
    case Code::kConflict: return "`ordo get` and `ordo explain` show the state it is in";
    case Code::kStale: return "look again: somebody newer holds it";
    case Code::kBusy: return "come back a little later";
    case Code::kNotOwner:
    case Code::kUnavailable: return "`ordo health` says which part is missing; then ask again";
    case Code::kUnauthorized: return "use a key whose role allows it";
    case Code::kInternal: return "a fault of ours: please report it with this message";
    case Code::kUnknown: return "ask again with the same id; it cannot double anything";
  }
  return {};
}

}  // namespace

void Printer::item(const Json& json, const std::function<void()>& text) const {
  if (form_ == Form::kText) {
    text();
  } else {
    std::cout << dumped(json, form_ == Form::kJson ? 2 : -1) << '\n';
  }
}

void Printer::items(const std::vector<Json>& items, const std::function<void()>& text) const {
  if (form_ == Form::kText) {
    text();
  } else if (form_ == Form::kJson) {
    std::cout << dumped(Json(items), 2) << '\n';
  } else {
    for (const Json& item : items) line(item);
  }
}

void Printer::line(const Json& json) const { std::cout << dumped(json, -1) << '\n'; }

std::vector<std::string> Printer::lines(const std::vector<std::vector<std::string>>& rows) const {
  std::vector<std::string> all;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string text;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      text += rows[r][i];
      if (i + 1 < rows[r].size()) text.append(widths[i] - width_of(rows[r][i]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    all.push_back(r == 0 ? dim(text) : text);
  }
  return all;
}

void Printer::table(const std::vector<std::vector<std::string>>& rows) const {
  for (const std::string& line : lines(rows)) std::cout << line << '\n';
}

std::string Printer::state(std::string_view word) const { return paint(color_of(word), word); }

std::string Printer::paint(const char* code, std::string_view text) const {
  if (!is_colored_ || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void Printer::note(const std::string& text) const {
  if (!is_quiet_) std::cerr << text << '\n';
}

void complain(std::string_view what, std::string_view why, std::string_view next) {
  std::cout.flush();
  std::cerr << "ordo: " << what << '\n';
  if (!why.empty()) std::cerr << "  why:  " << why << '\n';
  if (!next.empty()) std::cerr << "  next: " << next << '\n';
}

void complain(std::string_view what, const Error& error) {
  complain_with_next(what, error, next_step(error));
}

void complain_with_next(std::string_view what, const Error& error, std::string_view next) {
  std::string why = printable(error.message.empty() ? error.reason : error.message);
  why += " (" + std::string(to_string(error.code));
  if (!error.reason.empty()) why += ", " + printable(error.reason);
  why += ")";
  if (error.retry_after.count() > 0)
    why += "; come back in " + span_text(error.retry_after.count());
  complain(what, why, next);
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  bool in_color = false;
  for (const char c : text) {
    if (c == '\x1b') in_color = true;
    if (!in_color && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
    if (in_color && c == 'm') in_color = false;
  }
  return width;
}

std::string time_text(std::int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t end = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(text + end, sizeof text - end, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return text;
}

std::string span_text(std::int64_t ms) {
  const std::string sign = ms < 0 ? "-" : "";
  ms = std::abs(ms);
  const auto two = [&](std::int64_t big, const char* a, std::int64_t small, const char* b) {
    return sign + std::to_string(big) + a + (small > 0 ? " " + std::to_string(small) + b : "");
  };
  if (ms < 1000) return sign + std::to_string(ms) + "ms";
  if (ms < 60'000) {
    const std::int64_t tenths = ms / 100 % 10;
    return sign + std::to_string(ms / 1000) + (tenths > 0 ? "." + std::to_string(tenths) : "") +
           "s";
  }
  if (ms < 3'600'000) return two(ms / 60'000, "m", ms / 1000 % 60, "s");
  if (ms < 86'400'000) return two(ms / 3'600'000, "h", ms / 60'000 % 60, "m");
  return two(ms / 86'400'000, "d", ms / 3'600'000 % 24, "h");
}

std::string printable(std::string_view bytes) {
  std::string text = clean_text(bytes, bytes.size() * 3);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = c == '\n' || c == '\t' ? ' ' : '?';
  }
  return text;
}

}  // namespace ordo::cli
