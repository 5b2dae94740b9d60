// What a request must bring before anything is done for it: a host name of ours, a token, and for
// an action the role, JSON and a reason why.
//
// Rule:    paths below /api/ want `Authorization: Bearer TOKEN`; the others are for everybody. A
//          page of a stranger whose name was made to point here (DNS rebinding) comes with that
//          name as Host and is sent away, where the monitor listens on loopback.
// Errors:  answers with 400, 401, 403, 415, 429.
// Threads: any, after the setup.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/http_server.hpp"
#include "monitoring/monitor/replies.hpp"
#include "monitoring/monitor/tokens.hpp"
#include "ordo/client.hpp"

namespace ordo::monitor {

class Door {
 public:
  /// `hosts`: names that a request may ask for, without ports; none: any.
  Door(TokenFile& tokens, std::set<std::string> hosts)
      : tokens_(tokens), hosts_(std::move(hosts)) {}

  /// Before the body is read.
  std::optional<HttpAnswer> check(const HttpRequest& request);

  using Read = std::function<HttpAnswer(const HttpRequest&, const Person&)>;
  /// An action: `by` is who does it and why, `body` a JSON object.
  using Act =
      std::function<HttpAnswer(const HttpRequest&, const client::Operator& by, const Json& body)>;
  HttpServer::RequestHandler reading(Read read);
  HttpServer::RequestHandler acting(Act act);

 private:
  [[nodiscard]] bool is_ours(const HttpRequest& request) const;
  std::optional<Person> person_of(const HttpRequest& request);

  TokenFile& tokens_;
  Guesses guesses_;
  const std::set<std::string> hosts_;
};

/// "example.com" of "example.com:7790", "::1" of "[::1]:7790"; lower case.
std::string host_of(std::string_view header);

}  // namespace ordo::monitor
