#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>

#include "tests/tidy/rules.hpp"

namespace ordo::tidy {
namespace {

constexpr std::size_t kLineWidth = 100;
constexpr std::size_t kFileLines = 500;
constexpr std::size_t kFunctionLines = 70;
constexpr std::size_t kParameters = 5;
constexpr std::size_t kReadmeLines = 25;

// Columns as a reader sees them: a UTF-8 sequence is one.
std::size_t width_of(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// The page and its tests; other scripts hold queries, which read better in one line.
bool is_page_text(std::string_view path) {
  static constexpr std::array<std::string_view, 4> kEndings{".ts", ".tsx", ".mjs", ".css"};
  return starts_with_any(path, {"monitoring/page/", "tests/browser/"}) &&
         std::any_of(kEndings.begin(), kEndings.end(),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

bool is_program_text(std::string_view path) {
  return is_source(path) || is_page_text(path) || path.ends_with(".sh") || path.ends_with(".sql") ||
         path == "dev";
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// Whether the README of the folder above explains this one: it names it as `net/`.
bool is_named_above(const Tree& tree, const std::string& folder) {
  const std::size_t slash = folder.rfind('/');
  if (slash == std::string::npos) return false;
  const File* const above = tree.find(folder.substr(0, slash) + "/README.md");
  return above != nullptr && above->text.find(folder.substr(slash + 1) + "/") != std::string::npos;
}

struct Function {
  std::string name;
  std::size_t first_line = 0;
  std::size_t lines = 0;
  std::size_t parameters = 0;
};

// Commas outside all brackets but the first pair of parentheses, plus one; nothing between them is
// none.
std::size_t count_parameters(std::string_view head) {
  const std::size_t open = head.find('(');
  std::size_t commas = 0;
  int depth = 0;
  bool is_empty = true;
  for (std::size_t i = open; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '(' || c == '<' || c == '{' || c == '[') ++depth;
    if (c == ')' || (c == '>' && head[i - 1] != '-') || c == '}' || c == ']') --depth;
    if (c == ',' && depth == 1) ++commas;
    if (depth == 0) break;
    if (i > open && c != ' ' && c != '\n') is_empty = false;
  }
  return is_empty ? 0 : commas + 1;
}

std::string name_of(std::string_view head) {
  std::size_t end = head.find('(');
  std::size_t start = end;
  while (start > 0 && (std::isalnum(static_cast<unsigned char>(head[start - 1])) != 0 ||
                       head[start - 1] == '_' || head[start - 1] == ':')) {
    --start;
  }
  return std::string(head.substr(start, end - start));
}

// What a brace opens, by the text before it.
enum class Brace { kScope, kFunction, kOther };

Brace kind_of(const std::string& head) {
  static const std::regex kScopeWords("\\b(namespace|class|struct|union|extern)\\b");
  static const std::regex kEnum("\\benum\\b");
  const bool has_parameters = head.find('(') != std::string::npos;
  if (std::regex_search(head, kEnum)) return Brace::kOther;
  // `struct X final : Y<Z> {` opens a scope; `struct X f(int a) {` a function.
  if (std::regex_search(head, kScopeWords) && !has_parameters) return Brace::kScope;
  return has_parameters ? Brace::kFunction : Brace::kOther;
}

// A brace inside unclosed parentheses (a default argument) or after a name in a constructor's list
// (`a_{1}`) opens nothing of its own: the head goes on behind it.
bool is_inside_head(const std::string& head) {
  static const std::regex kMember("\\)[^{}]*[^:]:[^:][^()]*[\\w>]\\s*$");
  const auto opened = std::count(head.begin(), head.end(), '(');
  const auto closed = std::count(head.begin(), head.end(), ')');
  return opened > closed || std::regex_search(head, kMember);
}

std::size_t closing_brace(const std::string& code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i;
  }
  return code.size();
}

// Walks the braces; a function is what opens with parameters while only scopes are open.
std::vector<Function> functions_of(const File& file) {
  std::vector<Function> found;
  std::vector<Brace> open;
  std::size_t head_start = 0;
  const std::string& code = file.code;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const bool is_at_scope =
        std::all_of(open.begin(), open.end(), [](Brace b) { return b == Brace::kScope; });
    if (code[i] == '#' && is_at_scope) {  // a preprocessor line, with its continuations
      while (i < code.size() && (code[i] != '\n' || code[i - 1] == '\\')) ++i;
      head_start = i;
    } else if (code[i] == '{') {
      const std::string head = code.substr(head_start, i - head_start);
      if (is_at_scope && is_inside_head(head)) {
        i = closing_brace(code, i);
        continue;
      }
      const Brace kind = is_at_scope ? kind_of(head) : Brace::kOther;
      if (kind == Brace::kFunction) {
        const std::size_t text = std::min(head.find_first_not_of(" \n\t"), head.size());
        found.push_back(
            {name_of(head), line_at(code, head_start + text), 0, count_parameters(head)});
      }
      open.push_back(kind);
      head_start = i + 1;
    } else if (code[i] == '}' && !open.empty()) {
      if (open.back() == Brace::kFunction) {
        found.back().lines = line_at(code, i) - found.back().first_line + 1;
      }
      open.pop_back();
      head_start = i + 1;
    } else if (code[i] == ';') {
      head_start = i + 1;
    }
  }
  return found;
}

bool is_macro_test(const std::string& name) {
  return name.starts_with("TEST") || name.starts_with("RC_GTEST") ||
         name.starts_with("INSTANTIATE");
}

}  // namespace

Findings check_line_lengths(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_program_text(file.path)) continue;
    std::size_t number = 0;
    for (const std::string_view line : lines_of(file.text)) {
      ++number;
      const std::size_t width = width_of(line);
      if (width <= kLineWidth) continue;
      findings.push_back({file.path, number, std::to_string(width) + " columns; at most 100"});
    }
  }
  return findings;
}

Findings check_file_lengths(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    const std::size_t lines = lines_of(file.text).size();
    if (!is_program_text(file.path) || lines <= kFileLines) continue;
    findings.push_back(
        {file.path, 0, std::to_string(lines) + " lines; at most 500: give a noun its own file"});
  }
  return findings;
}

Findings check_functions(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_source(file.path)) continue;
    for (const Function& f : functions_of(file)) {
      if (f.lines > kFunctionLines) {
        findings.push_back({file.path, f.first_line,
                            f.name + " has " + std::to_string(f.lines) + " lines; at most 70"});
      }
      if (f.parameters > kParameters && !is_macro_test(f.name)) {
        findings.push_back({file.path, f.first_line,
                            f.name + " has " + std::to_string(f.parameters) +
                                " parameters; more than 5 make a struct"});
      }
    }
  }
  return findings;
}

Findings check_header_comments(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_header(file.path)) continue;
    std::size_t lines = 0;
    for (const std::string_view line : lines_of(file.text)) {
      if (!line.starts_with("//")) break;
      ++lines;
    }
    if (lines >= 2 && file.text.find("#pragma once") != std::string::npos) continue;
    findings.push_back(
        {file.path, 1, "a header opens with what a stranger needs, then #pragma once"});
  }
  return findings;
}

Findings check_folder_readmes(const Tree& tree) {
  std::set<std::string> folders;
  for (const File& file : tree.files) {
    const std::string folder = folder_of(file.path);
    const bool holds_sources = is_program_text(file.path) || file.path.ends_with("/CMakeLists.txt");
    // Public headers are explained by the folder above; a corpus or a set of stories by its test.
    // Unit tests mirror the tree: their folders say the same.
    const bool is_explained = folder.ends_with("include/ordo") || folder.starts_with("tests/unit/");
    if (holds_sources && !folder.empty() && !is_explained) folders.insert(folder);
  }
  Findings findings;
  for (const std::string& folder : folders) {
    const File* const readme = tree.find(folder + "/README.md");
    if (readme == nullptr && is_named_above(tree, folder)) continue;
    if (readme == nullptr) {
      findings.push_back({folder, 0, "has no README.md: what it is for, what to open first"});
    } else if (const std::size_t lines = lines_of(readme->text).size(); lines > kReadmeLines) {
      findings.push_back({readme->path, 0, std::to_string(lines) + " lines; at most 25"});
    }
  }
  return findings;
}

}  // namespace ordo::tidy
