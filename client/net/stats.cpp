#include "ordo/client_stats.hpp"

#include "base/metric_text.hpp"
#include "client/net/families.hpp"

namespace ordo::client {
namespace {

/// Codes that a submit can end with; a client never hands on `stale` or `not_owner`.
constexpr std::array kCodes{Code::kMalformed, Code::kNotFound,    Code::kConflict,
                            Code::kBusy,      Code::kUnavailable, Code::kUnauthorized,
                            Code::kInternal,  Code::kUnknown};

}  // namespace

std::string to_prometheus(const Stats& stats) {
  using namespace metrics;
  MetricText text;
  text.count(kClientSubmits, {}, stats.submitted);
  text.count(kClientAnswered, {"accepted"}, stats.accepted);
  text.count(kClientAnswered, {"duplicate"}, stats.duplicate);
  for (const Code code : kCodes) {
    text.count(kClientAnswered, {to_string(code)}, stats.rejected_as(code));
  }
  text.histogram(kClientAck, {}, stats.ack, stats.ack_in_all.count());
  text.count(kClientInFlight, {}, stats.in_flight);
  text.count(kClientBytes, {}, stats.bytes_in_flight);
  text.count(kClientTurnedAway, {}, stats.turned_away);
  text.count(kClientBusy, {}, stats.busy);
  text.count(kClientRetries, {"refused"}, stats.retried);
  text.count(kClientRetries, {"unknown"}, stats.resent);
  text.count(kClientTimeouts, {"submit"}, stats.submit_timeouts);
  text.count(kClientTimeouts, {"wait"}, stats.wait_timeouts);
  text.count(kClientTimeouts, {"other"}, stats.call_timeouts);
  text.count(kClientLate, {}, stats.late);
  text.count(kClientBrokers, {}, stats.brokers);
  text.count(kClientWelcomes, {}, stats.welcomes);
  text.count(kClientLost, {}, stats.lost);
  return text.text();
}

}  // namespace ordo::client
