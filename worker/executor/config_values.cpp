#include "worker/executor/config_values.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>

#include "base/key_file.hpp"
#include "schema/pipeline_keys.hpp"
#include "schema/pipeline_values.hpp"
#include "schema/text.hpp"

namespace ordo::executor {
namespace {

using pipeline::Node;
using pipeline::Problems;
using namespace std::string_view_literals;

constexpr std::array kFileKeys{"file"sv, "before"sv};
constexpr pipeline::KnownKeys kFile{"a value from a file", kFileKeys,
                                    "write a text or `{ file: PATH }`"};
constexpr std::array kVerdicts{"succeeded"sv, "transient"sv, "permanent"sv, "snooze"sv,
                               "unknown"sv};

std::string quoted(std::string_view key) { return "`" + std::string(key) + "`"; }

bool is_printable(std::string_view text) {
  return is_text(text) && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool is_one_of(char c, std::string_view all) { return all.find(c) != all.npos; }

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low;
}

/// What a file with one value holds, without the line's end.
std::optional<std::string> value_in(const Node& node, const std::string& path,
                                    std::string_view what, Problems& problems) {
  auto text = read_secret_file(path, std::string(what), kValueBytes);
  if (!text) {
    problems.add(node.at, text.error().message);
    return std::nullopt;
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty() || !is_printable(*text)) {
    problems.add(node.at, "the file `" + path + "` is not one line of text",
                 "it holds the value alone");
    return std::nullopt;
  }
  return *std::move(text);
}

/// A map's entries, each key once. What is no map is a problem.
void for_each_entry(const Node& node, std::string_view key, std::string_view shape,
                    Problems& problems,
                    const std::function<void(const Node&, const Node&)>& on_entry) {
  if (!node.is_map()) {
    problems.add(node.at, quoted(key) + " is a map, not " + pipeline::describe(node),
                 std::string(shape));
    return;
  }
  std::vector<std::string> seen;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const Node& name = node.children[i];
    if (std::find(seen.begin(), seen.end(), lower(name.text)) != seen.end()) {
      problems.add(name.at, pipeline::describe(name) + " is written twice under " + quoted(key));
      continue;
    }
    seen.push_back(lower(name.text));
    on_entry(name, node.children[i + 1]);
  }
}

std::optional<Verdict> read_verdict(const Node& node, Problems& problems) {
  const auto found = std::find(kVerdicts.begin(), kVerdicts.end(), node.text);
  if (node.is_scalar() && found != kVerdicts.end()) {
    return static_cast<Verdict>(found - kVerdicts.begin());
  }
  problems.add(node.at, pipeline::describe(node) + " is no outcome",
               "write succeeded, transient, permanent, snooze or unknown");
  return std::nullopt;
}

std::optional<int> to_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return number;
}

/// 409 for "409", 4 for "4xx".
std::optional<int> to_status(std::string_view text) {
  constexpr int kLeast = 200;
  constexpr int kMost = 599;
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '2' && text[0] <= '5') {
    return text[0] - '0';
  }
  const auto number = to_number(text);
  return number && *number >= kLeast && *number <= kMost ? number : std::nullopt;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kNameBytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); });
}

/// Headers that frame a call or that ordo-worker fills in.
bool is_taken(std::string_view name) {
  constexpr std::array kTaken{"host"sv,       "content-length"sv,  "transfer-encoding"sv,
                              "connection"sv, "idempotency-key"sv, "traceparent"sv,
                              "tracestate"sv, "expect"sv,          "te"sv,
                              "upgrade"sv,    "trailer"sv};
  const std::string low = lower(name);
  return low.starts_with("ordo-") || low.starts_with("proxy-") ||
         std::find(kTaken.begin(), kTaken.end(), low) != kTaken.end();
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kNameBytes &&
         !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    const auto inner = host.substr(1, host.size() - 2);
    return std::all_of(inner.begin(), inner.end(), [](char c) {
      return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
    });
  }
  return !host.empty() && std::all_of(host.begin(), host.end(),
                                      [](char c) { return is_alnum(c) || is_one_of(c, "-._"); });
}

/// A path of RFC 3986 in which no segment goes up: what is written is what is sent.
bool is_path(std::string_view path, std::string_view also) {
  const bool is_clean = std::all_of(path.begin(), path.end(), [&](char c) {
    return is_alnum(c) || is_one_of(c, "-._~%!$&'()*+,;=:@/") || is_one_of(c, also);
  });
  const auto middle = path.substr(0, path.find('?'));
  return is_clean && middle.find("/../") == middle.npos && middle.find("/./") == middle.npos &&
         !middle.ends_with("/..") && !middle.ends_with("/.");
}

}  // namespace

std::optional<std::string> read_text(const Node& node, std::string_view key, Problems& problems) {
  if (node.is_scalar() && !node.text.empty() && node.text.size() <= kValueBytes &&
      is_printable(node.text)) {
    return node.text;
  }
  const bool is_long = node.is_scalar() && node.text.size() > kValueBytes;
  problems.add(node.at,
               is_long ? quoted(key) + " has " + std::to_string(node.text.size()) + " bytes"
                       : quoted(key) + " is one line of text, not " + pipeline::describe(node),
               is_long ? "give at most " + std::to_string(kValueBytes) : std::string());
  return std::nullopt;
}

std::optional<std::string> read_value(const Node& node, std::string_view key, Problems& problems) {
  if (!node.is_map()) return read_text(node, key, problems);
  std::optional<std::string> path;
  std::string before;
  bool names_file = false;
  pipeline::for_each_key(node, kFile, problems, [&](const Node& word, const Node& value) {
    if (word.text == "file") {
      names_file = true;
      path = read_text(value, word.text, problems);
    } else if (value.is_scalar() && is_printable(value.text)) {
      before = value.text;  // its blank at the end counts: "Bearer "
    } else {
      problems.add(value.at, "`before` is text, not " + pipeline::describe(value));
    }
  });
  if (!path) {
    if (!names_file) {
      problems.add(node.at, quoted(key) + " names no file", "write `{ file: PATH }`");
    }
    return std::nullopt;
  }
  auto text = value_in(node, *path, "the file of " + quoted(key), problems);
  if (!text) return std::nullopt;
  return before + *text;
}

std::vector<std::string> read_texts(const Node& node, std::string_view key, std::size_t most,
                                    Problems& problems) {
  if (node.is_scalar()) {
    auto one = read_text(node, key, problems);
    return one ? std::vector{*std::move(one)} : std::vector<std::string>{};
  }
  std::vector<std::string> all;
  if (node.kind != Node::Kind::kList || node.children.empty() || node.children.size() > most) {
    problems.add(node.at, quoted(key) + " is a list of 1 to " + std::to_string(most) + " texts");
    return all;
  }
  for (const Node& child : node.children) {
    // An argument may be empty or have several lines; what execve cannot carry is a NUL.
    if (child.is_scalar() && child.text.size() <= kValueBytes && is_text(child.text)) {
      all.push_back(child.text);
    } else {
      problems.add(child.at, quoted(key) + " has an entry that is no text of at most " +
                                 std::to_string(kValueBytes) + " bytes");
    }
  }
  return all;
}

std::optional<std::string> read_url(const Node& node, std::string_view key, Problems& problems) {
  const auto text = read_text(node, key, problems);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const bool is_web = rest.starts_with("http://") || rest.starts_with("https://");
  rest.remove_prefix(std::min(rest.find("://") + 3, rest.size()));
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::string_view path = rest.substr(authority.size());
  std::string_view host = authority;
  bool is_port_well = true;
  if (const std::size_t colon = authority.rfind(':');
      colon != authority.npos && authority.find(']', colon) == authority.npos) {
    constexpr int kMostPort = 65535;
    const auto port = to_number(authority.substr(colon + 1));
    is_port_well = port && *port >= 1 && *port <= kMostPort;
    host = authority.substr(0, colon);
  }
  if (!is_web || !is_host(host) || !is_port_well || !is_path(path, "")) {
    problems.add(node.at, quoted(key) + " is " + pipeline::describe(node),
                 "write `https://HOST:PORT/PATH` (or http), without user, query and fragment; "
                 "credentials go into `headers`");
    return std::nullopt;
  }
  std::string url = *text;
  while (url.back() == '/') url.pop_back();
  return url;
}

std::optional<std::string> read_path(const Node& node, std::string_view key, Problems& problems) {
  auto text = read_text(node, key, problems);
  if (!text) return std::nullopt;
  if (text->front() == '/' && !text->starts_with("//") && is_path(*text, "?")) return text;
  problems.add(node.at, quoted(key) + " is " + pipeline::describe(node),
               "write `/PATH`, escaped as in a URL and without `..`; nothing of an order can stand "
               "in it");
  return std::nullopt;
}

std::optional<std::string> read_place(const Node& node, std::string_view key,
                                      std::string_view wants, Problems& problems) {
  auto path = read_text(node, key, problems);
  if (!path) return std::nullopt;
  struct stat found {};
  const bool is_there = path->front() == '/' && ::stat(path->c_str(), &found) == 0;
  const bool is_folder = is_there && S_ISDIR(found.st_mode);
  const bool is_file = is_there && S_ISREG(found.st_mode);
  const bool is_well = wants == "a folder"    ? is_folder
                       : wants == "a program" ? is_file && ::access(path->c_str(), X_OK) == 0
                                              : is_file && ::access(path->c_str(), R_OK) == 0;
  if (is_well) return path;
  problems.add(node.at,
               quoted(key) + " is `" + *path + "`, which is not " + std::string(wants) +
                   " that this account can use here",
               "give the whole path, from /");
  return std::nullopt;
}

std::vector<Named> read_headers(const Node& node, Problems& problems) {
  std::vector<Named> headers;
  for_each_entry(node, "headers", "write `{ NAME: VALUE }`", problems,
                 [&](const Node& name, const Node& value) {
                   if (!is_header_name(name.text)) {
                     problems.add(name.at, pipeline::describe(name) + " is no name of a header");
                   } else if (is_taken(name.text)) {
                     problems.add(name.at, "the header " + pipeline::describe(name) +
                                               " is set by ordo-worker itself");
                   } else if (auto text = read_value(value, name.text, problems)) {
                     headers.emplace_back(name.text, *std::move(text));
                   }
                 });
  if (headers.size() > kMostHeaders) {
    problems.add(node.at, "there are " + std::to_string(headers.size()) + " headers",
                 "give at most " + std::to_string(kMostHeaders));
  }
  return headers;
}

std::vector<Named> read_variables(const Node& node, Problems& problems) {
  std::vector<Named> variables;
  for_each_entry(node, "env", "write `{ NAME: VALUE }`", problems,
                 [&](const Node& name, const Node& value) {
                   if (!is_variable_name(name.text)) {
                     problems.add(name.at, pipeline::describe(name) + " is no name of a variable");
                   } else if (name.text.starts_with("ORDO_")) {
                     problems.add(name.at, "the variable " + pipeline::describe(name) +
                                               " is set by ordo-worker itself");
                   } else if (auto text = read_value(value, name.text, problems)) {
                     variables.emplace_back(name.text, *std::move(text));
                   }
                 });
  if (variables.size() > kMostHeaders) {
    problems.add(node.at, "there are " + std::to_string(variables.size()) + " variables",
                 "give at most " + std::to_string(kMostHeaders));
  }
  return variables;
}

std::vector<std::string> read_keys(const Node& node, Problems& problems) {
  std::vector<std::string> keys;
  for (const std::string& path : read_texts(node, "sign", kMostKeys, problems)) {
    auto key = value_in(node, path, "the file of `sign`", problems);
    if (!key) continue;
    if (key->size() < kLeastKeyBytes) {
      problems.add(node.at,
                   "the key in `" + path + "` has " + std::to_string(key->size()) + " characters",
                   "give at least " + std::to_string(kLeastKeyBytes) +
                       ", as `openssl rand -hex 32` makes them");
      continue;
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

std::map<int, Verdict> read_statuses(const Node& node, Problems& problems) {
  std::map<int, Verdict> statuses;
  for_each_entry(node, "statuses", "write `{ 409: succeeded }`", problems,
                 [&](const Node& name, const Node& value) {
                   const auto status = to_status(name.text);
                   if (!status) {
                     problems.add(name.at, pipeline::describe(name) + " is no HTTP status",
                                  "write 200 to 599, or 2xx to 5xx");
                   } else if (const auto verdict = read_verdict(value, problems)) {
                     statuses[*status] = *verdict;
                   }
                 });
  return statuses;
}

std::map<int, Verdict> read_exits(const Node& node, Problems& problems) {
  // 126 and up are what shells say of programs that did not run or were killed.
  constexpr int kMostExit = 125;
  std::map<int, Verdict> exits;
  for_each_entry(node, "exits", "write `{ 3: snooze }`", problems,
                 [&](const Node& name, const Node& value) {
                   const auto code = to_number(name.text);
                   if (!code || *code < 0 || *code > kMostExit) {
                     problems.add(name.at, pipeline::describe(name) + " is no exit code",
                                  "write 0 to " + std::to_string(kMostExit));
                   } else if (const auto verdict = read_verdict(value, problems)) {
                     exits[*code] = *verdict;
                   }
                 });
  return exits;
}

}  // namespace ordo::executor
