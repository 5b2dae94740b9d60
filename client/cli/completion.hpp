// Completion scripts and suggestions, both made from the command line's own description.
//
// Shapes:  a path is "ordo queue pause"; scripts follow the words typed so far along known paths
//          and offer the commands and options of the last one.
// Threads: pure functions.
// Source:  Levenshtein's distance for "did you mean".
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ordo::cli {

/// The script for "bash", "zsh" or "fish".
std::string completion_script(const CLI::App& app, const std::string& shell);

struct Mistyped {
  std::string word;   ///< "sumbit"; empty: every word is known
  std::string meant;  ///< "ordo submit"; empty: no idea
};
/// The first command or option of `arguments` that there is not.
Mistyped mistyped(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace ordo::cli
