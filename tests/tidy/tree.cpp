#include "tests/tidy/tree.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ordo::tidy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> kTextEndings{
    ".cpp", ".hpp", ".md", ".sql", ".sh", ".yaml", ".txt", ".cmake", ".ts", ".tsx", ".mjs", ".css"};

bool is_text(const fs::path& path) {
  const std::string ending = path.extension().string();
  return path.filename() == "dev" ||
         std::find(kTextEndings.begin(), kTextEndings.end(), ending) != kTextEndings.end();
}

std::string read_file(const fs::path& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

fs::path find_top() {
  for (fs::path at = fs::current_path();; at = at.parent_path()) {
    if (fs::exists(at / "CMakePresets.json")) return at;
    if (at == at.root_path()) throw std::runtime_error("not run inside the repository");
  }
}

// Blanks what lies between `from` and `to`, but keeps line breaks.
void blank(std::string& text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

// The end of a string or character literal that starts at `at` (its opening quote).
std::size_t end_of_literal(const std::string& text, std::size_t at) {
  const char quote = text[at];
  std::size_t i = at + 1;
  while (i < text.size() && text[i] != quote && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return i;
}

// The end of R"mark(…)mark", or npos where none starts at `at`.
std::size_t end_of_raw(const std::string& text, std::size_t at) {
  if (text.compare(at, 2, "R\"") != 0) return std::string::npos;
  const std::size_t open = text.find('(', at);
  if (open == std::string::npos) return std::string::npos;
  const std::string close = ")" + text.substr(at + 2, open - at - 2) + "\"";
  const std::size_t end = text.find(close, open);
  return end == std::string::npos ? text.size() : end + close.size();
}

// A quote between two digits separates thousands (1'000): it opens nothing.
bool is_separator(const std::string& text, std::size_t at) {
  return text[at] == '\'' && at > 0 && std::isxdigit(static_cast<unsigned char>(text[at - 1])) != 0;
}

std::string code_of(const std::string& text) {
  std::string code = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t raw = end_of_raw(text, i);
    std::size_t end = i;
    if (raw != std::string::npos) {
      end = raw;
      blank(code, i + 2, end - 1);
    } else if (text.compare(i, 2, "//") == 0) {
      end = std::min(text.find('\n', i), text.size());
      blank(code, i, end);
    } else if (text.compare(i, 2, "/*") == 0) {
      end = std::min(text.find("*/", i), text.size());
      blank(code, i, end + 2);
    } else if ((text[i] == '"' || text[i] == '\'') && !is_separator(text, i)) {
      end = end_of_literal(text, i);
      blank(code, i + 1, end);
    }
    i = end;
  }
  return code;
}

}  // namespace

const File* Tree::find(std::string_view path) const {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const File& f) { return f.path == path; });
  return found == files.end() ? nullptr : &*found;
}

File make_file(std::string path, std::string text) {
  std::string code = is_source(path) ? code_of(text) : std::string();
  return {std::move(path), std::move(text), std::move(code)};
}

Tree read_tree() {
  const fs::path top = find_top();
  Tree tree;
  for (auto it = fs::recursive_directory_iterator(top); it != fs::recursive_directory_iterator();
       ++it) {
    const std::string path = it->path().lexically_relative(top).generic_string();
    const bool is_outside = path == "build" || path == ".git" || path == "node_modules";
    if (it->is_directory() && is_outside) it.disable_recursion_pending();
    if (it->is_regular_file() && is_text(it->path())) {
      tree.files.push_back(make_file(path, read_file(it->path())));
    } else if (it->path().extension() == ".png") {
      tree.files.push_back(make_file(path, {}));  // links lead to it; its bytes are nobody's text
    }
  }
  std::sort(tree.files.begin(), tree.files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return tree;
}

bool starts_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

bool is_source(std::string_view path) { return path.ends_with(".cpp") || is_header(path); }
bool is_header(std::string_view path) { return path.ends_with(".hpp"); }
bool is_core(std::string_view path) {
  return is_source(path) && starts_with_any(path, {"broker/core/", "worker/core/", "client/core/"});
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

std::string describe(const Findings& findings) {
  std::string out;
  for (const Finding& f : findings) {
    out += f.path + ":" + std::to_string(f.line) + ": " + f.what + "\n";
  }
  return out;
}

}  // namespace ordo::tidy
