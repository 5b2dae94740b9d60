// What `ordo` prints: text for people or JSON for programs on stdout, everything else on stderr.
//
// Shapes:  `json` is one document a call, `jsonl` one line an item; in text, colour only where
//          stdout is a terminal (or --color always), never as the only sign.
// Threads: one.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::cli {

using Json = nlohmann::ordered_json;

enum class Form { kText, kJson, kJsonl };

class Printer {
 public:
  Printer(Form form, bool is_colored, bool is_quiet)
      : form_(form), is_colored_(is_colored), is_quiet_(is_quiet) {}

  [[nodiscard]] Form form() const { return form_; }
  [[nodiscard]] bool is_text() const { return form_ == Form::kText; }
  [[nodiscard]] bool is_quiet() const { return is_quiet_; }

  /// One thing: its JSON, or in text what `text` prints.
  void item(const Json& json, const std::function<void()>& text) const;
  /// Several: an array, a line each, or what `text` prints.
  void items(const std::vector<Json>& items, const std::function<void()>& text) const;
  /// One JSON line now (jsonl) whatever else comes.
  void line(const Json& json) const;
  /// Columns of aligned text, a line a row; the first row is the head.
  [[nodiscard]] std::vector<std::string> lines(
      const std::vector<std::vector<std::string>>& rows) const;
  /// … printed.
  void table(const std::vector<std::vector<std::string>>& rows) const;

  /// A word that is a state of an order, task or queue, in its colour.
  [[nodiscard]] std::string state(std::string_view word) const;
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }

  /// A remark on stderr that is not a result; silent with --quiet.
  void note(const std::string& text) const;

 private:
  [[nodiscard]] std::string paint(const char* code, std::string_view text) const;

  Form form_;
  bool is_colored_;
  bool is_quiet_;
};

/// What went wrong, why, and what to do next, on stderr.
void complain(std::string_view what, std::string_view why = {}, std::string_view next = {});
/// The same for an error of the SDK, with the next step that fits its code.
void complain(std::string_view what, const Error& error);
/// The same where the caller knows a better next step.
void complain_with_next(std::string_view what, const Error& error, std::string_view next);

/// Columns that a text takes on a terminal (colours take none, an accented letter one).
std::size_t width_of(std::string_view text);
/// "2026-03-04 05:06:07.890Z"; "-" for 0.
std::string time_text(std::int64_t unix_ms);
/// "1.5s", "200ms", "3m 20s".
std::string span_text(std::int64_t ms);
/// Control characters made harmless, for bytes that came from elsewhere.
std::string printable(std::string_view bytes);

}  // namespace ordo::cli
