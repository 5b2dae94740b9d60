// What may stand in a text column, a log or a metric: checks for bytes that came from outside, and
// a repair for those that must be kept although they are broken.
//
// Shapes:  text is UTF-8 without NUL (PostgreSQL's text holds nothing else); a name is
//          [a-z0-9_.-]{1,64}.
// Errors:  plain answers; the caller has the words for what is wrong.
// Threads: pure functions.
// Costs:   is_text() takes eight ASCII bytes a step.
// Source:  Unicode 15, table 3-7 (well-formed UTF-8).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ordo {

/// How many leading bytes of `bytes` are text; bytes.size() where all are.
std::size_t text_prefix(std::string_view bytes);

/// Well-formed UTF-8 without NUL.
inline bool is_text(std::string_view bytes) { return text_prefix(bytes) == bytes.size(); }

/// A name of a pipeline, step, handler, queue, signal or dependency.
bool is_name(std::string_view word);

/// `bytes` as text of at most `limit` bytes: each byte that is not text becomes U+FFFD, and what is
/// too long is cut between two characters. For words of handlers and peers that must not be lost
/// (errors, reasons, notes).
std::string clean_text(std::string_view bytes, std::size_t limit);

}  // namespace ordo
