#include "tests/transcripts/story.hpp"

#include <algorithm>
#include <stdexcept>

namespace ordo::transcript {
namespace {

constexpr std::string_view kRule = "----";

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

bool is_comment(const std::string& line) { return line.starts_with('#'); }

std::runtime_error error_at(std::size_t line, const std::string& what) {
  return std::runtime_error("line " + std::to_string(line) + ": " + what);
}

}  // namespace

Story read_story(std::string_view text) {
  Story story;
  const Lines lines = lines_of(text);
  std::size_t at = 0;
  for (; at < lines.size() && (is_comment(lines[at]) || lines[at].empty()); ++at) {
    if (is_comment(lines[at])) story.opening.push_back(lines[at]);
  }
  if (story.opening.empty()) throw error_at(1, "a story begins with a comment that tells it");
  while (at < lines.size()) {
    if (lines[at].empty()) {
      ++at;
      continue;
    }
    Block block;
    block.line = at + 1;
    for (; at < lines.size() && lines[at] != kRule; ++at) {
      if (lines[at].empty()) throw error_at(at + 1, "a block's commands end with ----");
      block.commands.push_back(lines[at]);
    }
    if (at == lines.size()) throw error_at(at, "a block's commands end with ----");
    for (++at; at < lines.size() && !lines[at].empty(); ++at) block.expected.push_back(lines[at]);
    story.blocks.push_back(std::move(block));
  }
  return story;
}

std::string to_text(const Story& story) {
  std::string text;
  const auto put = [&](const Lines& lines) {
    for (const auto& line : lines) text += line + "\n";
  };
  put(story.opening);
  for (const auto& block : story.blocks) {
    text += "\n";
    put(block.commands);
    text += std::string(kRule) + "\n";
    put(block.expected);
  }
  return text;
}

std::string difference(const Lines& expected, const Lines& actual) {
  // Longest common subsequence from the back: blocks are short.
  const std::size_t rows = expected.size();
  const std::size_t columns = actual.size();
  std::vector<std::vector<std::size_t>> common(rows + 1, std::vector<std::size_t>(columns + 1));
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      common[i][j] = expected[i] == actual[j] ? common[i + 1][j + 1] + 1
                                              : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string text;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && expected[i] == actual[j]) {
      text += "    " + expected[i++] + "\n";
      ++j;
    } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
      text += "  - " + expected[i++] + "\n";
    } else {
      text += "  + " + actual[j++] + "\n";
    }
  }
  return text;
}

}  // namespace ordo::transcript
