// Orders as JSON lines: {"pipeline": "digital", "payload": {…}, "key": "cart-17", …}.
//
// Shapes:  payload: a text is taken as it is, any other JSON as its compact text; labels and
//          context are objects; delay and deadline are durations ("300ms", "2h"); unknown fields
//          are refused, because a misspelt one would otherwise be lost silently.
// Errors:  code malformed, reason "bad_line"; the message names the field.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "ordo/client.hpp"
#include "ordo/result.hpp"

namespace ordo::cli {

/// The order in `line`; fields that it does not name are those of `otherwise`.
Result<client::Order> parse_order_line(std::string_view line, const client::Order& otherwise);

/// "300ms", "5s", "2h" as milliseconds; `name` is for the error.
Result<client::milliseconds> parse_span(const std::string& name, const std::string& text);

}  // namespace ordo::cli
