#include "monitoring/monitor/replies.hpp"

#include <algorithm>
#include <charconv>

namespace ordo::monitor {
namespace {

struct Usual {
  int status;
  std::string_view code, reason, message;
};
constexpr Usual kUsual[] = {
    {400, "malformed", "request", "The request cannot be read."},
    {401, "unauthorized", "token", "A bearer token of this monitor is needed."},
    {403, "unauthorized", "forbidden", "That is not allowed."},
    {404, "not_found", "path", "There is no such path."},
    {405, "malformed", "method", "This path does not know that method."},
    {409, "conflict", "conflict", "The state forbids it."},
    {411, "malformed", "length", "A body must come with its Content-Length, in one piece."},
    {413, "malformed", "too_large", "The body is larger than 64 KiB."},
    {414, "malformed", "too_large", "The address is longer than 8 KiB."},
    {415, "malformed", "content_type", "Send application/json, not compressed."},
    {429, "busy", "guesses", "Too many wrong tokens have come: wait some seconds."},
    {503, "unavailable", "unavailable", "What is needed cannot be asked now."},
};
constexpr Usual kOurFault{500, "internal", "fault", "A fault of ours: please report it."};

const Usual& usual(int status) {
  const auto found = std::find_if(std::begin(kUsual), std::end(kUsual),
                                  [status](const Usual& one) { return one.status == status; });
  return found == std::end(kUsual) ? kOurFault : *found;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

HttpAnswer error_answer(int status, std::string_view code, std::string_view reason,
                        std::string_view message) {
  HttpAnswer answer{status, "application/json",
                    dump({{"error", {{"code", code}, {"reason", reason}, {"message", message}}}})};
  if (status == 429 || status == 503) answer.headers.emplace_back("Retry-After", "1");
  if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

int status_of(Code code) {
  switch (code) {
    case Code::kMalformed: return 400;
    case Code::kNotFound: return 404;
    case Code::kConflict:
    case Code::kStale: return 409;
    case Code::kUnauthorized: return 403;
    case Code::kInternal: return 500;
    case Code::kBusy:
    case Code::kNotOwner:
    case Code::kUnavailable:
    case Code::kUnknown: return 503;
  }
  return 500;
}

}  // namespace

HttpAnswer ok(const Json& json) { return {200, "application/json", dump(json)}; }

HttpAnswer refuse(int status, std::string_view reason, const std::string& message) {
  return error_answer(status, usual(status).code, reason, message);
}

HttpAnswer refuse(int status) {
  const Usual& word = usual(status);
  return error_answer(status, word.code, word.reason, word.message);
}

HttpAnswer refuse(const Error& error) {
  return error_answer(status_of(error.code), to_string(error.code), error.reason, error.message);
}

std::string query_text(const HttpRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

Result<unsigned> query_number(const HttpRequest& request, const std::string& name, unsigned least,
                              unsigned most, unsigned otherwise) {
  const std::string text = query_text(request, name);
  if (text.empty()) return otherwise;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (is_number && number >= least && number <= most) return number;
  return fail(Code::kMalformed, "query",
              name + " must be a whole number from " + std::to_string(least) + " to " +
                  std::to_string(most));
}

}  // namespace ordo::monitor
