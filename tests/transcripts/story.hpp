// A story as text: comments, and blocks of commands with what they are expected to print.
//
// Shapes:  a block is lines of commands, a line `----`, lines of output, and an empty line. Lines
//          that begin with `#` are for people and stay where they are; a line that begins with two
//          blanks belongs to the command above it.
// Errors:  text that is no story throws std::runtime_error with the line.
// Threads: plain values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ordo::transcript {

using Lines = std::vector<std::string>;

struct Block {
  std::size_t line = 0;  ///< of its first command, from 1
  Lines commands;        ///< as written, comments among them
  Lines expected;
};

struct Story {
  Lines opening;  ///< what stands before the first block: the story in words
  std::vector<Block> blocks;
};

Story read_story(std::string_view text);
/// The text of a story; reading it again gives the same story.
std::string to_text(const Story& story);

/// What differs, a line each: `-` expected and not there, `+` there and not expected.
std::string difference(const Lines& expected, const Lines& actual);

}  // namespace ordo::transcript
