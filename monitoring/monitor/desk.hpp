// Orders, queues, workers and pipelines of one system, asked of a broker over the client's socket.
//
// Rule:    nothing is kept: each call asks. A broker that is absent costs a call kPatience.
// Shapes:  as `ordo … --output json` prints them (client/json).
// Errors:  answers with the error that the broker or the SDK gave.
// Threads: any number.
#pragma once

#include <map>
#include <string>

#include "base/http_server.hpp"
#include "monitoring/monitor/door.hpp"
#include "monitoring/monitor/replies.hpp"
#include "ordo/client.hpp"

namespace ordo::monitor {

class Desk {
 public:
  /// Long enough for a takeover's moment, short enough for a person who waits.
  static constexpr client::milliseconds kPatience{2000};
  static constexpr unsigned kMostOrders = 500;

  explicit Desk(client::Client& client) : client_(client) {}

  HttpAnswer orders(const HttpRequest& request);
  HttpAnswer order(const HttpRequest& request);
  HttpAnswer explain(const HttpRequest& request);
  /// `rates`: tasks a second by queue, as far as they are known.
  HttpAnswer queues(const std::map<std::string, double>& rates);
  HttpAnswer workers(const HttpRequest& request);
  HttpAnswer pipelines(const HttpRequest& request);
  HttpAnswer pipeline(const HttpRequest& request);

  HttpAnswer cancel(const HttpRequest& request, const client::Operator& by);
  HttpAnswer retry(const HttpRequest& request, const client::Operator& by);
  HttpAnswer skip(const HttpRequest& request, const client::Operator& by);
  HttpAnswer compensate(const HttpRequest& request, const client::Operator& by);
  HttpAnswer complete(const HttpRequest& request, const client::Operator& by, const Json& body);
  HttpAnswer pause(const HttpRequest& request, const client::Operator& by);
  HttpAnswer resume(const HttpRequest& request, const client::Operator& by);

 private:
  client::Client& client_;
};

/// The order that a text names. kMalformed "order_id".
Result<OrderId> order_id_of(const std::string& text);

}  // namespace ordo::monitor
