#include "monitoring/monitor/door.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/config_text.hpp"
#include "base/log.hpp"
#include "schema/text.hpp"

namespace ordo::monitor {
namespace {

// It is kept with the order for good.
constexpr std::size_t kWhyBytes = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Empty where there is none.
std::string bearer_of(const HttpRequest& request) {
  const std::string header = request.header("Authorization");
  const std::string scheme = "bearer ";
  if (lower(header.substr(0, scheme.size())) != scheme) return {};
  return std::string(trim(std::string_view(header).substr(scheme.size())));
}

bool is_json(const HttpRequest& request) {
  const std::string type = request.header("Content-Type");
  return lower(trim(type.substr(0, type.find(';')))) == "application/json";
}

}  // namespace

std::string host_of(std::string_view header) {
  header = trim(header);
  if (header.starts_with('[')) return lower(header.substr(1, header.find(']') - 1));
  return lower(header.substr(0, header.find(':')));
}

bool Door::is_ours(const HttpRequest& request) const {
  return hosts_.empty() || hosts_.contains(host_of(request.header("Host")));
}

std::optional<Person> Door::person_of(const HttpRequest& request) {
  return tokens_.find(bearer_of(request), steady_now());
}

std::optional<HttpAnswer> Door::check(const HttpRequest& request) {
  if (!is_ours(request)) {
    return refuse(403, "host",
                  "This monitor does not go by that name: ask for it by its address, or name the "
                  "host with --hosts.");
  }
  if (!request.path.starts_with("/api/")) return std::nullopt;
  if (!person_of(request)) {
    if (bearer_of(request).empty()) return refuse(401);
    if (guesses_.is_too_many(steady_now())) return refuse(429);
    log::warn("wrong token", {{"path", request.path}});
    return refuse(401, "token", "This monitor does not know that token.");
  }
  if (request.method == "POST" && !is_json(request)) return refuse(415);
  return std::nullopt;
}

HttpServer::RequestHandler Door::reading(Read read) {
  return [this, read = std::move(read)](const HttpRequest& request) {
    const auto person = person_of(request);
    // Taken out of the file since the gate let it pass.
    return person ? read(request, *person) : refuse(401);
  };
}

HttpServer::RequestHandler Door::acting(Act act) {
  return [this, act = std::move(act)](const HttpRequest& request) {
    const auto person = person_of(request);
    if (!person) return refuse(401);
    if (!person->may_act()) {
      return refuse(403, "forbidden",
                    "Observer " + person->name + " may not do that: use an operator's token.");
    }
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return refuse(400, "json", "The body must be a JSON object.");
    const auto why = body.find("why");
    const bool is_said =
        why != body.end() && why->is_string() && !trim(why->get_ref<const std::string&>()).empty();
    if (!is_said) {
      return refuse(400, "why", "Say why: {\"why\": \"…\"} is kept in the order's history.");
    }
    const std::string& reason = why->get_ref<const std::string&>();
    if (reason.size() > kWhyBytes || !is_text(reason)) {
      return refuse(400, "why", "The reason why must be text of at most 1000 bytes.");
    }
    HttpAnswer answer = act(request, {person->name, reason}, body);
    log::info("action", {{"who", person->name},
                         {"path", request.path},
                         {"status", answer.status},
                         {"why", reason}});
    return answer;
  };
}

}  // namespace ordo::monitor
