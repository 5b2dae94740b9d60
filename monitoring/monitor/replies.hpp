// Answers of the API: JSON, errors in one shape, and what a request's query says.
//
// Shapes:  {"error":{"code","reason","message"}}; codes are those of the wire (docs/protocol.md).
//          Bytes that are no UTF-8 are replaced.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http_server.hpp"
#include "client/json/json_views.hpp"

namespace ordo::monitor {

using client::Json;

HttpAnswer ok(const Json& json);
/// A refusal that no part behind this one has given: status 400, 401, 403, 404, 405, 413 …
HttpAnswer refuse(int status, std::string_view reason, const std::string& message);
/// The same with the usual sentence of a status.
HttpAnswer refuse(int status);
/// What a broker, the SDK or Prometheus answered, with the status that fits its code.
HttpAnswer refuse(const Error& error);

/// The text of a query's parameter; empty where it is not there.
std::string query_text(const HttpRequest& request, const std::string& name);
/// A number from `least` to `most`; `otherwise` where it is not there. kMalformed "query".
Result<unsigned> query_number(const HttpRequest& request, const std::string& name, unsigned least,
                              unsigned most, unsigned otherwise);

}  // namespace ordo::monitor
