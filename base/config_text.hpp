// The small texts of a configuration: trimming, lists, numbers as they are printed, and how far two
// words are apart.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordo {

/// Without blanks at both ends.
std::string_view trim(std::string_view text);
/// The parts between commas, trimmed; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);
/// "a, b, c"
std::string join(const std::vector<std::string>& parts);
/// The shortest text that reads back as the same number.
std::string number_text(double value);
/// How many characters to insert, drop or replace (Levenshtein, two rows).
std::size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace ordo
