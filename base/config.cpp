#include "base/config.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/check.hpp"
#include "base/config_text.hpp"

namespace ordo {
namespace {

/// A configuration is some pages of text; more is a wrong file.
constexpr std::size_t kFileBytes = 1u << 20;

tl::unexpected<Error> wrong(std::string message) {
  return fail(Code::kMalformed, "setting", std::move(message));
}

Setting describe(std::string key, std::string kind, std::string range, std::string help) {
  Setting setting;
  setting.key = std::move(key);
  setting.kind = std::move(kind);
  setting.range = std::move(range);
  setting.help = std::move(help);
  return setting;
}

std::string read_text(std::ifstream& in) {
  std::string text(kFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

Setting& Config::add(Setting setting) {
  ORDO_CHECK(find(setting.key) == nullptr, setting.key);
  setting.default_text = setting.show();
  settings_.push_back(std::move(setting));
  return settings_.back();
}

void Config::add_text(std::string key, std::string& target, std::string help, bool is_secret) {
  Setting setting = describe(std::move(key), "text", {}, std::move(help));
  setting.is_secret = is_secret;
  setting.set = [&target](std::string_view value) -> std::optional<std::string> {
    if (value.find('\0') != value.npos) return "no text";
    target = value;
    return std::nullopt;
  };
  setting.show = [&target] { return target; };
  add(std::move(setting));
}

void Config::text(std::string key, std::string& target, std::string help) {
  add_text(std::move(key), target, std::move(help), false);
}
void Config::secret(std::string key, std::string& target, std::string help) {
  add_text(std::move(key), target, std::move(help), true);
}

void Config::flag(std::string key, bool& target, std::string help) {
  Setting setting = describe(std::move(key), "yes or no", "true, false", std::move(help));
  setting.is_flag = true;
  setting.set = [&target](std::string_view value) -> std::optional<std::string> {
    const bool yes = value == "true" || value == "yes" || value == "on" || value == "1";
    const bool no = value == "false" || value == "no" || value == "off" || value == "0";
    if (!yes && !no) return "neither true nor false";
    target = yes;
    return std::nullopt;
  };
  setting.show = [&target] { return std::string(target ? "true" : "false"); };
  add(std::move(setting));
}

void Config::add_whole(std::string key, Range<std::uint64_t> range, std::string help,
                       std::uint64_t now, std::function<void(std::uint64_t)> store) {
  auto held = std::make_shared<std::uint64_t>(now);
  Setting setting =
      describe(std::move(key), "whole number",
               std::to_string(range.least) + " to " + std::to_string(range.most), std::move(help));
  setting.set = [held, range,
                 store = std::move(store)](std::string_view value) -> std::optional<std::string> {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return "not a whole number";
    if (number < range.least || number > range.most) return "out of range";
    *held = number;
    store(number);
    return std::nullopt;
  };
  setting.show = [held] { return std::to_string(*held); };
  add(std::move(setting));
}

void Config::number(std::string key, double& target, Range<double> range, std::string help) {
  Setting setting =
      describe(std::move(key), "number",
               number_text(range.least) + " to " + number_text(range.most), std::move(help));
  setting.set = [&target, range](std::string_view value) -> std::optional<std::string> {
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return "not a number";
    if (!(number >= range.least && number <= range.most)) return "out of range";
    target = number;
    return std::nullopt;
  };
  setting.show = [&target] { return number_text(target); };
  add(std::move(setting));
}

void Config::duration(std::string key, Millis& target, Range<Millis> range, std::string help) {
  Setting setting =
      describe(std::move(key), "duration",
               duration_text(range.least) + " to " + duration_text(range.most), std::move(help));
  setting.set = [&target, range](std::string_view value) -> std::optional<std::string> {
    const auto parsed = parse_duration(value);
    if (!parsed) return "not a duration (write 300ms, 5s, 15m, 2h or 30d)";
    if (*parsed < range.least || *parsed > range.most) return "out of range";
    target = *parsed;
    return std::nullopt;
  };
  setting.show = [&target] { return duration_text(target); };
  add(std::move(setting));
}

void Config::bytes(std::string key, std::uint64_t& target, Range<std::uint64_t> range,
                   std::string help) {
  Setting setting =
      describe(std::move(key), "size", bytes_text(range.least) + " to " + bytes_text(range.most),
               std::move(help));
  setting.set = [&target, range](std::string_view value) -> std::optional<std::string> {
    const auto parsed = parse_bytes(value);
    if (!parsed) return "not a size (write 4096, 64KiB, 64MiB or 2GiB)";
    if (*parsed < range.least || *parsed > range.most) return "out of range";
    target = *parsed;
    return std::nullopt;
  };
  setting.show = [&target] { return bytes_text(target); };
  add(std::move(setting));
}

void Config::choice(std::string key, std::string& target, std::vector<std::string> words,
                    std::string help) {
  Setting setting = describe(std::move(key), "word", join(words), std::move(help));
  setting.set = [&target,
                 words = std::move(words)](std::string_view value) -> std::optional<std::string> {
    if (std::find(words.begin(), words.end(), value) == words.end()) return "none of the words";
    target = value;
    return std::nullopt;
  };
  setting.show = [&target] { return target; };
  add(std::move(setting));
}

void Config::add_list(std::string key, std::vector<std::string>& target, std::string help,
                      bool is_secret) {
  Setting setting = describe(std::move(key), "list", {}, std::move(help));
  setting.is_secret = is_secret;
  setting.set = [&target](std::string_view value) -> std::optional<std::string> {
    target = split_list(value);
    return std::nullopt;
  };
  setting.show = [&target] { return join(target); };
  add(std::move(setting));
}

void Config::list(std::string key, std::vector<std::string>& target, std::string help) {
  add_list(std::move(key), target, std::move(help), false);
}
void Config::secret_list(std::string key, std::vector<std::string>& target, std::string help) {
  add_list(std::move(key), target, std::move(help), true);
}

Setting* Config::find(std::string_view key) {
  const auto at = std::find_if(settings_.begin(), settings_.end(),
                               [key](const Setting& setting) { return setting.key == key; });
  return at == settings_.end() ? nullptr : &*at;
}

std::string Config::nearest(std::string_view key) const {
  std::string best;
  std::size_t distance = 4;  // further away it is another word, not a slip of the finger
  for (const auto& setting : settings_) {
    const std::size_t far = edit_distance(key, setting.key);
    if (far < distance) {
      distance = far;
      best = setting.key;
    }
  }
  return best;
}

Result<void> Config::apply(Setting& setting, std::string_view value, std::string origin) {
  const auto problem = setting.set(value);
  if (!problem) {
    setting.origin = std::move(origin);
    return {};
  }
  std::string message = setting.key + " = " +
                        (setting.is_secret ? hide_passwords(value) : std::string(value)) +
                        " (from " + origin + "): " + *problem;
  if (!setting.range.empty()) message += "; allowed: " + setting.range;
  return wrong(std::move(message));
}

Result<void> Config::load_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return wrong("configuration file " + path + " cannot be read");
  std::istringstream lines(read_text(in));
  if (lines.view().size() > kFileBytes)
    return wrong("configuration file " + path + " is larger than 1 MiB");
  std::map<std::string, int> seen;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#') continue;
    const std::string place = path + ":" + std::to_string(number);
    const auto equals = content.find('=');
    if (equals == content.npos) return wrong(place + ": expected `key = value`");
    const std::string key(trim(content.substr(0, equals)));
    Setting* setting = find(key);
    if (setting == nullptr) {
      const std::string near = nearest(key);
      return wrong(place + ": unknown key `" + key + "`" +
                   (near.empty() ? "" : ", did you mean `" + near + "`?"));
    }
    const auto [before, is_first] = seen.emplace(key, number);
    if (!is_first)
      return wrong(place + ": " + key + " stands in line " + std::to_string(before->second) +
                   " already");
    auto applied = apply(*setting, trim(content.substr(equals + 1)), place);
    if (!applied) return applied;
  }
  return {};
}

Result<void> Config::load(const Sources& sources) {
  if (!sources.file.empty()) {
    auto loaded = load_file(sources.file);
    if (!loaded) return loaded;
  }
  for (auto& setting : settings_) {
    const std::string name = environment_name(setting.key, sources.prefix);
    const auto value = sources.environment ? sources.environment(name) : std::nullopt;
    if (!value) continue;
    auto applied = apply(setting, *value, name);
    if (!applied) return applied;
  }
  for (const auto& [key, value] : sources.flags) {
    Setting* setting = find(key);
    if (setting == nullptr) return wrong("unknown setting --" + key);
    auto applied = apply(*setting, value, "--" + key);
    if (!applied) return applied;
  }
  return {};
}

Result<void> Config::load(std::map<std::string, std::string> flags, std::string file,
                          std::string prefix) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  return load(Sources{std::move(flags), std::move(file), environment, std::move(prefix)});
}

std::string Config::print() const {
  std::string out;
  for (const auto& setting : settings_) {
    const std::string value = setting.show();
    out += "# from " + setting.origin + "\n" + setting.key + " = " +
           (setting.is_secret ? hide_passwords(value) : value) + "\n";
  }
  return out;
}

std::string Config::markdown() const {
  std::string out = "| key | default | range | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& setting : settings_) {
    const std::string range = setting.range.empty() ? setting.kind : setting.range;
    const std::string usual = setting.default_text.empty() ? "" : "`" + setting.default_text + "`";
    out += "| `" + setting.key + "` | " + usual + " | " + range + " | " + setting.help + " |\n";
  }
  return out;
}

}  // namespace ordo
