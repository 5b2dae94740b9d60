#include <algorithm>
#include <regex>
#include <set>

#include "schema/vocabulary.hpp"
#include "tests/tidy/rules.hpp"

namespace ordo::tidy {
namespace {

using Words = std::set<std::string>;

// All first groups of a pattern in a text.
Words matches(const std::string& text, const std::regex& pattern) {
  Words found;
  const auto end = std::sregex_iterator();
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern); it != end; ++it) {
    found.insert((*it)[1].str());
  }
  return found;
}

Words matches_below(const Tree& tree, const std::vector<std::string>& folders,
                    const std::regex& pattern) {
  Words found;
  for (const File& file : tree.files) {
    if (!is_source(file.path) || !starts_with_any(file.path, folders)) continue;
    found.merge(matches(file.text, pattern));
  }
  return found;
}

// What one side says and the other does not.
void compare(const Words& code, const Words& document, const std::string& path,
             Findings& findings) {
  for (const std::string& word : code) {
    if (document.count(word) == 0)
      findings.push_back({path, 0, word + " is in the code, not here"});
  }
  for (const std::string& word : document) {
    if (code.count(word) == 0) findings.push_back({path, 0, word + " is here, not in the code"});
  }
}

// `a/b/../c` and `./c` as they lie in the tree.
std::string normalised(const std::string& path) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/') {
      part += c;
      continue;
    }
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    part.clear();
  }
  std::string joined;
  for (const std::string& p : parts) joined += (joined.empty() ? "" : "/") + p;
  return joined;
}

bool exists(const Tree& tree, const std::string& path) {
  return std::any_of(tree.files.begin(), tree.files.end(), [&](const File& f) {
    return f.path == path || f.path.starts_with(path + "/");
  });
}

}  // namespace

Findings check_links(const Tree& tree) {
  static const std::regex kLink("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
  Findings findings;
  for (const File& file : tree.files) {
    if (!file.path.ends_with(".md")) continue;
    const std::size_t slash = file.path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file.path.substr(0, slash);
    for (const std::string& link : matches(file.text, kLink)) {
      // Files without a text ending (LICENSE, .ci/run) are not read into the tree.
      const bool is_ours = link.find("://") == std::string::npos && link != "LICENSE";
      if (!is_ours || exists(tree, normalised(folder + "/" + link))) continue;
      findings.push_back({file.path, 0, "a link to " + link + ", which is not there"});
    }
  }
  return findings;
}

Findings check_reasons(const Tree& tree) {
  static const std::string kDocument = "docs/protocol.md";
  static const std::regex kFail("\\bfail\\(\\s*Code::k\\w+,\\s*\"(\\w+)\"");
  const File* const document = tree.find(kDocument);
  if (document == nullptr) return {};
  Findings findings;
  for (const std::string& reason :
       matches_below(tree, {"broker/core/", "broker/net/", "schema/codec"}, kFail)) {
    if (document->text.find("`" + reason + "`") != std::string::npos) continue;
    findings.push_back({kDocument, 0, "the reason `" + reason + "` is in the code, not here"});
  }
  return findings;
}

Findings check_metrics(const Tree& tree) {
  static const std::string kDocument = "docs/metrics.md";
  static const std::regex kInCode("\"(ordo_[a-z0-9_]+)\"");
  static const std::regex kInDocument("`(ordo_[a-z0-9_]+)[`{]");
  const File* const document = tree.find(kDocument);
  if (document == nullptr) return {};
  Findings findings;
  compare(
      matches_below(tree, {"monitoring/probe/", "worker/app/", "worker/executor/", "client/net/"},
                    kInCode),
      matches(document->text, kInDocument), kDocument, findings);
  return findings;
}

Findings check_settings(const Tree& tree) {
  struct Program {
    std::string document, folder;
    std::regex row;
  };
  static const std::vector<Program> kPrograms{
      {"docs/configuration.md", "broker/app/", std::regex("\n\\| `([a-z0-9-]+)`")},
      {"docs/monitor.md", "monitoring/monitor/", std::regex("\n\\| `--([a-z0-9-]+)`")}};
  static const std::regex kInCode(R"re(config\.\w+(?:<[^>]*>)?\(\s*"([a-z0-9-]+)")re");
  Findings findings;
  for (const Program& program : kPrograms) {
    const File* const document = tree.find(program.document);
    if (document == nullptr) continue;
    compare(matches_below(tree, {program.folder}, kInCode), matches(document->text, program.row),
            program.document, findings);
  }
  return findings;
}

Findings check_executor_keys(const Tree& tree) {
  static const std::string kDocument = "docs/executor.md";
  static const std::regex kInCode("\"([a-z_]+)\"sv");
  static const std::regex kRow("\n\\| `([a-z_]+)`");
  const File* const document = tree.find(kDocument);
  if (document == nullptr) return {};
  Findings findings;
  compare(matches_below(tree, {"worker/executor/config.cpp", "worker/executor/config_steps.cpp"},
                        kInCode),
          matches(document->text, kRow), kDocument, findings);
  return findings;
}

Findings check_states(const Tree& tree) {
  static const std::string kDocument = "docs/states.md";
  static const std::regex kArrow("\n\\s*(\\w+ --> \\w+: [a-z ]+)");
  const File* const document = tree.find(kDocument);
  if (document == nullptr) return {};
  Words drawn;
  for (const Transition& t : kTransitions) {
    drawn.insert(std::string(to_string(t.from)) + " --> " + std::string(to_string(t.to)) + ": " +
                 std::string(to_string(t.cause)));
  }
  Findings findings;
  compare(drawn, matches(document->text, kArrow), kDocument, findings);
  return findings;
}

Findings check_first_program(const Tree& tree) {
  static const std::string kFence = "```cpp\n";
  const File* const page = tree.find("README.md");
  const File* const program = tree.find("examples/first/first.cpp");
  if (page == nullptr || program == nullptr) return {};
  const std::size_t start = page->text.find(kFence);
  const std::size_t end = page->text.find("```\n", start + kFence.size());
  const bool is_same =
      start != std::string::npos && end != std::string::npos &&
      page->text.substr(start + kFence.size(), end - start - kFence.size()) == program->text;
  if (is_same) return {};
  return {{page->path, 0, "its program is not " + program->path}};
}

Findings check_dev_commands(const Tree& tree) {
  // What a document prints as a command: in backticks, or first in an indented block.
  static const std::regex kPrinted("(?:`|\n    )\\./dev ([a-z]+)");
  static const std::regex kCommand("\n    ([a-z]+)\\) [a-z]+_");
  const File* const dev = tree.find("dev");
  if (dev == nullptr) return {};
  const Words commands = matches(dev->text, kCommand);
  Findings findings;
  for (const File& file : tree.files) {
    if (!file.path.ends_with(".md")) continue;
    for (const std::string& word : matches("\n" + file.text, kPrinted)) {
      if (commands.count(word) > 0) continue;
      findings.push_back({file.path, 0, "`./dev " + word + "`, which is no command of ./dev"});
    }
  }
  return findings;
}

Findings check_decisions(const Tree& tree) {
  static const std::regex kName("docs/decisions/(\\d{4})-[a-z0-9-]+\\.md");
  Findings findings;
  int expected = 1;
  for (const File& file : tree.files) {
    std::smatch match;
    if (!std::regex_match(file.path, match, kName)) continue;
    if (std::stoi(match[1].str()) != expected++) {
      findings.push_back({file.path, 0, "numbers go up by one, without a gap"});
    }
    for (const char* const part :
         {"## Context", "## Choice", "## Refused", "## How we would notice that it was wrong"}) {
      if (file.text.find(std::string(part) + "\n") != std::string::npos) continue;
      findings.push_back({file.path, 0, std::string("has no part '") + part + "'"});
    }
  }
  return findings;
}

}  // namespace ordo::tidy
