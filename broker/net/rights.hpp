// What each role may do: one table, which docs/security.md repeats and a test asks a real broker
// about, cell by cell.
//
// Shapes:  a message is allowed, or there is a sentence that names the role, what it wanted and
//          what to do. Orders of a Submit are looked at one by one.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/keyring.hpp"
#include "broker/core/effects.hpp"
#include "schema/messages.hpp"

namespace ordo {

/// Why this key may not send this message to this socket; nullopt where it may. Of a Submit:
/// whether the role may submit at all.
std::optional<std::string> forbidden(const Key& key, Send::To socket, const wire::Message& message);

/// The same of one order.
std::optional<std::string> forbidden(const Key& key, const wire::OrderRequest& order);

}  // namespace ordo
