// The settings of a program: each declared once, with its type, default, range and meaning, and
// filled from flag > environment > file > default.
//
// Use:     declare settings on variables that hold their defaults, then load(). settings() is what
//          the command line, --print-config and docs/configuration.md are made of, so that they
//          cannot drift apart.
// Shapes:  keys are kebab-case ("window-tasks"): flag --window-tasks, variable ORDO_WINDOW_TASKS,
//          file line `window-tasks = 16000` (`#` starts a comment line). Lists are separated by
//          commas.
// Units:   durations are written with their unit (300ms, 5s, 15m, 2h, 30d), sizes as bytes, KiB,
//          MiB or GiB.
// Errors:  kMalformed, reason "setting"; the message names key, value, range and origin.
// Threads: one owner, at start.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "ordo/result.hpp"

namespace ordo {

/// One setting: what it is, what it holds and where that came from.
struct Setting {
  std::string key;
  std::string kind;   ///< "duration", "whole number", …
  std::string range;  ///< "2 to 1000000"; empty: any
  std::string default_text;
  std::string help;                ///< what it does, and what too small or too large does
  std::string origin = "default";  ///< "--key", "ORDO_KEY", "FILE:LINE" or "default"
  bool is_secret = false;          ///< may carry a password, which print() hides
  bool is_flag = false;            ///< `--key` alone means true
  std::function<std::optional<std::string>(std::string_view)>
      set;  ///< what is wrong; nullopt: taken
  std::function<std::string()> show;
};

/// Smallest and largest value, both allowed.
template <class T> struct Range {
  T least;
  T most;
};

class Config {
 public:
  void text(std::string key, std::string& target, std::string help);
  /// A text that may carry a password (`password=` or a URI's): hidden when printed.
  void secret(std::string key, std::string& target, std::string help);
  void flag(std::string key, bool& target, std::string help);
  void number(std::string key, double& target, Range<double> range, std::string help);
  void duration(std::string key, Millis& target, Range<Millis> range, std::string help);
  void bytes(std::string key, std::uint64_t& target, Range<std::uint64_t> range, std::string help);
  void choice(std::string key, std::string& target, std::vector<std::string> words,
              std::string help);
  void list(std::string key, std::vector<std::string>& target, std::string help);
  /// The same for texts that may carry passwords.
  void secret_list(std::string key, std::vector<std::string>& target, std::string help);

  /// A whole number of any unsigned type.
  template <class T> void whole(std::string key, T& target, Range<T> range, std::string help) {
    add_whole(std::move(key), {range.least, range.most}, std::move(help), std::uint64_t{target},
              [&target](std::uint64_t value) { target = static_cast<T>(value); });
  }

  struct Sources {
    std::map<std::string, std::string> flags;  ///< by key
    std::string file;                          ///< empty: none
    /// Value of an environment variable; nullopt where it is not set.
    std::function<std::optional<std::string>(const std::string&)> environment;
    std::string prefix = "ORDO_";  ///< of variables
  };
  /// Fills every target. Nothing is promised about the targets after an error.
  Result<void> load(const Sources& sources);
  /// load() that reads the process's environment.
  Result<void> load(std::map<std::string, std::string> flags, std::string file,
                    std::string prefix = "ORDO_");

  [[nodiscard]] const std::vector<Setting>& settings() const { return settings_; }
  /// `key = value  # origin`, one a line: a file that load() takes again (with passwords hidden).
  [[nodiscard]] std::string print() const;
  /// The rows of docs/configuration.md: | key | default | range | meaning |.
  [[nodiscard]] std::string markdown() const;

 private:
  Setting& add(Setting setting);
  void add_whole(std::string key, Range<std::uint64_t> range, std::string help, std::uint64_t now,
                 std::function<void(std::uint64_t)> store);
  void add_text(std::string key, std::string& target, std::string help, bool is_secret);
  void add_list(std::string key, std::vector<std::string>& target, std::string help,
                bool is_secret);
  Result<void> load_file(const std::string& path);
  Result<void> apply(Setting& setting, std::string_view value, std::string origin);
  Setting* find(std::string_view key);
  [[nodiscard]] std::string nearest(std::string_view key) const;

  std::vector<Setting> settings_;
};

/// "ORDO_WINDOW_TASKS" for "window-tasks".
std::string environment_name(std::string_view key, std::string_view prefix = "ORDO_");
/// "90s" and the like; nullopt for what is not a duration. Negative ones are none.
std::optional<Millis> parse_duration(std::string_view text);
/// The shortest exact form: 90000 ms is "90s".
std::string duration_text(Millis value);
/// "64MiB", "4096"; nullopt for what is not a size.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::string bytes_text(std::uint64_t value);
/// The text with every password in it (libpq keyword or URI form) replaced by `***`.
std::string hide_passwords(std::string_view text);

}  // namespace ordo
