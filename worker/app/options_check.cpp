#include "worker/app/options_check.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "base/address.hpp"
#include "schema/limits.hpp"
#include "schema/text.hpp"
#include "worker/core/worker_core.hpp"

namespace ordo::worker {
namespace {

/// A thread a slot: more of them than this help nobody.
constexpr std::uint32_t kMostSlots = 4096;
constexpr std::string_view kTcp = "tcp://";
/// What a name in the DNS may have.
constexpr std::size_t kHostBytes = 253;

tl::unexpected<Error> refuse(std::string_view reason, std::string message) {
  return fail(Code::kMalformed, reason, std::move(message));
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostBytes) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

/// "[::1]", "[fe80::1%eth0]".
bool is_bracketed_v6(std::string_view host) {
  if (host.size() < 3 || host.front() != '[' || host.back() != ']') return false;
  const std::string address(host.substr(1, std::min(host.find('%'), host.size() - 1) - 1));
  in6_addr bytes{};
  return inet_pton(AF_INET6, address.c_str(), &bytes) == 1;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

Result<void> check_brokers(const std::vector<std::string>& brokers) {
  if (brokers.empty()) {
    return refuse("brokers",
                  "no broker is given (--broker, ORDO_BROKERS): give at least one, as host:port");
  }
  std::set<std::string> seen;
  for (const std::string& broker : brokers) {
    auto endpoint = to_endpoint(broker);
    if (!endpoint) return tl::unexpected(std::move(endpoint.error()));
    // Two connections of one session to one broker would take it from each other for ever.
    if (!seen.insert(*endpoint).second) {
      return refuse("brokers", "broker `" + broker +
                                   "` is given twice (--broker, ORDO_BROKERS): name each once");
    }
  }
  return {};
}

Result<void> check_times(const WorkerOptions& options) {
  const auto check = [](std::string_view reason, const std::string& flags,
                        std::chrono::milliseconds time) -> Result<void> {
    if (time >= std::chrono::milliseconds{0} && time <= std::chrono::hours{24}) return {};
    return refuse(reason, std::string(reason) + " (" + flags + ") is " +
                              std::to_string(time.count()) +
                              " ms: give 0 to 86400000 (a day), in milliseconds");
  };
  if (auto ok =
          check("drain_timeout", "--drain-timeout, ORDO_DRAIN_TIMEOUT_MS", options.drain_timeout);
      !ok) {
    return ok;
  }
  return check("hang_grace", "--hang-grace, ORDO_HANG_GRACE_MS", options.hang_grace);
}

Result<void> check_http(const WorkerOptions& options) {
  if (options.listen_http.empty()) return {};
  const auto address = parse_address(options.listen_http);
  if (!address) {
    return refuse("listen_http",
                  "listen_http (--listen-http, ORDO_LISTEN_HTTP): " + address.error().message);
  }
  if (address->is_loopback() || options.open_http) return {};
  return refuse("plaintext",
                "refusing to serve HTTP on " + address->to_string() +
                    " without encryption: listen on 127.0.0.1, or give --open-http "
                    "(ORDO_OPEN_HTTP=1) where whoever reaches it may read metrics and health");
}

}  // namespace

Result<std::string> to_endpoint(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with(kTcp)) rest.remove_prefix(kTcp.size());
  const std::size_t colon = rest.rfind(':');
  const std::string_view host = rest.substr(0, std::min(colon, rest.size()));
  const bool is_host = is_host_name(host) || is_bracketed_v6(host);
  if (colon != rest.npos && is_host && is_port(rest.substr(colon + 1))) {
    return std::string(kTcp) + std::string(rest);
  }
  return refuse("bad_endpoint", "broker `" + clean_text(text, limits::kTextBytes) +
                                    "` (--broker, ORDO_BROKERS) is no endpoint: write host:port, "
                                    "as in broker-1:7701 or [::1]:7701, with a port of 1 to 65535");
}

Result<void> check_options(const WorkerOptions& options) {
  if (auto ok = check_brokers(options.brokers); !ok) return ok;
  if (options.name.size() > limits::kCustomerBytes || !is_text(options.name)) {
    return refuse("bad_name", "the worker's name (--name, ORDO_WORKER_NAME) has " +
                                  std::to_string(options.name.size()) +
                                  " bytes: give UTF-8 text of at most " +
                                  std::to_string(limits::kCustomerBytes));
  }
  if (options.slots < 1 || options.slots > kMostSlots) {
    return refuse("slots", "slots (--slots, ORDO_SLOTS) is " + std::to_string(options.slots) +
                               ": give 1 to " + std::to_string(kMostSlots));
  }
  if (options.take_ahead > kMostCapacity - options.slots) {
    return refuse("take_ahead", "take_ahead (--take-ahead, ORDO_TAKE_AHEAD) is " +
                                    std::to_string(options.take_ahead) + ": with " +
                                    std::to_string(options.slots) + " slots give 0 to " +
                                    std::to_string(kMostCapacity - options.slots));
  }
  if (auto ok = check_http(options); !ok) return ok;
  return check_times(options);
}

}  // namespace ordo::worker
