#include "monitoring/monitor/monitor_options.hpp"

#include "base/key_file.hpp"
#include "monitoring/monitor/poller.hpp"

namespace ordo::monitor {
namespace {

tl::unexpected<Error> wrong(std::string message) {
  return fail(Code::kMalformed, "setting", std::move(message));
}

/// "http://host:port" without what may follow; brokers and Prometheus are on the same machine or
/// behind a proxy of this one.
Result<std::string> base_url(const std::string& key, const std::string& text) {
  const std::string url = text.find("://") == text.npos ? "http://" + text : text;
  const std::string scheme = "http://";
  const std::size_t end = url.find_last_not_of('/');
  if (!url.starts_with(scheme) || end < scheme.size()) {
    return wrong(key + ": `" + text + "` is no address: write http://host:port");
  }
  return url.substr(0, end + 1);
}

}  // namespace

void MonitorOptions::declare(Config& config) {
  config.text("listen-http", http_text, "Where the page and the API are; port 0 takes a free one.");
  config.list("brokers", brokers,
              "HTTP addresses of brokers, separated by commas; of several systems, if you like.");
  config.list("endpoint", endpoint,
              "Client sockets of the system whose orders the desk shows, separated by commas.");
  config.text("key-file", key_file,
              "File of the monitor's own key (role operator, or observer to look only).");
  config.text("broker-key", broker_key, "The brokers' public key, or a file that holds it.");
  config.text("prometheus", prometheus,
              "Its URL; without it there is no history, no curve and no alerts.");
  config.text("tokens", tokens, "File of bearer tokens; `ordo-monitor token` makes them.");
  config.list("hosts", hosts,
              "Further names that requests may ask for, where a proxy in front has one.");
  config.flag("open-http", open_http,
              "Allows listen-http on other addresses than loopback: put TLS in front of it.");
  config.text("endpoints-file", endpoints_file,
              "Written with the actual address as JSON once listening.");
  config.choice("log-level", log_level, {"debug", "info", "warn", "error", "off"},
                "The least that is logged.");
  config.choice("log-format", log_format, {"text", "json"}, "Lines for people or for machines.");
}

Result<void> MonitorOptions::complete() {
  auto address = parse_address(http_text);
  if (!address) return wrong("listen-http: " + address.error().message);
  http = *std::move(address);
  if (!http.is_loopback() && !open_http) {
    return wrong("refusing to serve HTTP on " + http.to_string() +
                 " without encryption: listen on 127.0.0.1, or say open-http = true and put TLS "
                 "in front of it");
  }
  if (brokers.empty() || brokers.size() > Poller::kBrokers) {
    return wrong("brokers: name 1 to " + std::to_string(Poller::kBrokers) + " HTTP addresses");
  }
  for (std::string& broker : brokers) {
    auto url = base_url("brokers", broker);
    if (!url) return tl::unexpected(url.error());
    broker = *std::move(url);
  }
  if (endpoint.empty()) return wrong("endpoint: name a broker's client socket");
  if (!prometheus.empty()) {
    auto url = base_url("prometheus", prometheus);
    if (!url) return tl::unexpected(url.error());
    prometheus = *std::move(url);
  }
  if (tokens.empty()) {
    return wrong(
        "tokens is missing: `ordo-monitor token --role operator --name you --file tokens` "
        "makes a file, `--tokens tokens` names it");
  }
  auto keys = read_dial_keys(key_file, broker_key);
  if (!keys) return wrong(keys.error().message);
  return {};
}

}  // namespace ordo::monitor
