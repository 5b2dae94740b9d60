// The files of this repository as values, so that a rule is a function from a tree to what is wrong
// with it, and its self-test can hand it a planted tree.
//
// Shapes:  paths are relative to the repository's top, with '/'. File::code is the text with the
//          inside of comments, strings and character literals blanked out; line breaks stay, so
//          lines count the same.
// Threads: plain values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ordo::tidy {

struct File {
  std::string path;
  std::string text;
  std::string code;  ///< of C++ sources only; else empty
};

struct Tree {
  std::vector<File> files;

  [[nodiscard]] const File* find(std::string_view path) const;
};

/// One thing that is wrong, as "path:line: what, and what to do". Line 0: the file as a whole.
struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string what;
};
using Findings = std::vector<Finding>;

/// A file of a planted tree.
File make_file(std::string path, std::string text);

/// Reads the repository that this program is run in; build folders and version control stay out.
Tree read_tree();

bool starts_with_any(std::string_view text, const std::vector<std::string>& prefixes);
bool is_source(std::string_view path);
bool is_header(std::string_view path);
bool is_core(std::string_view path);
std::vector<std::string_view> lines_of(std::string_view text);
std::size_t line_at(std::string_view text, std::size_t offset);
/// One finding a line, for a failed expectation.
std::string describe(const Findings& findings);

}  // namespace ordo::tidy
