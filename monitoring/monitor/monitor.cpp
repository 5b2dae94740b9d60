#include "monitoring/monitor/monitor.hpp"

#include <set>
#include <utility>

#include "base/clock.hpp"
#include "monitoring/health/merge.hpp"
#include "monitoring/health/tree_json.hpp"
#include "monitoring/monitor/page_server.hpp"

namespace ordo::monitor {
namespace {

constexpr Millis kHealthKept{200};

std::set<std::string> own_names(const MonitorOptions& options) {
  // Elsewhere than on loopback whatever is in front knows the names.
  if (!options.http.is_loopback()) return {};
  std::set<std::string> names{"localhost", "127.0.0.1", "::1", host_of(options.http.host)};
  if (options.http.is_v6()) names.insert(options.http.host);
  for (const std::string& host : options.hosts) names.insert(host_of(host));
  return names;
}

client::Options client_options(const MonitorOptions& options) {
  client::Options client;
  client.endpoints = options.endpoint;
  client.name = "ordo-monitor";
  client.key_file = options.key_file;
  client.broker_key = options.broker_key;
  client.timeout = Desk::kPatience;
  return client;
}

/// Takes one of the places of those who wait for others, for as long as it lives.
class Place {
 public:
  Place(std::atomic<int>& taken, int most) : taken_(taken), has_(taken.fetch_add(1) < most) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] bool has() const { return has_; }

 private:
  std::atomic<int>& taken_;
  bool has_;
};

HttpAnswer all_wait() {
  return refuse(503, "busy",
                "All that may wait for a broker or Prometheus do so already: try again.");
}

}  // namespace

Monitor::Monitor(const MonitorOptions& options, std::unique_ptr<TokenFile> tokens)
    : options_(options),
      tokens_(std::move(tokens)),
      door_(*tokens_, own_names(options)),
      poller_(options.brokers),
      client_(client_options(options)),
      desk_(client_),
      parked_(client_),
      history_(options.prometheus),
      server_({.threads = kThreads, .requests_per_connection = 1, .body_bytes = kBodyBytes}) {}

Monitor::~Monitor() {
  parked_.stop();
  server_.stop();
}

Result<std::unique_ptr<Monitor>> Monitor::start(const MonitorOptions& options) {
  auto tokens = TokenFile::open(options.tokens);
  if (!tokens) return tl::unexpected(tokens.error());
  std::unique_ptr<Monitor> monitor(new Monitor(options, *std::move(tokens)));
  monitor->add_routes();
  auto started = monitor->server_.start(options.http.host, options.http.port);
  if (!started) return tl::unexpected(started.error());
  return monitor;
}

void Monitor::add_routes() {
  server_.set_gate([this](const HttpRequest& request) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    return door_.check(request);
  });
  server_.set_refusal([](int status) { return refuse(status); });
  server_.get("/livez", [] { return ok({{"status", "alive"}}); });
  server_.get("/readyz", [] { return ok({{"status", "ready"}}); });
  server_.get("/metrics", [this] { return metrics(); });
  serve_page(server_);
  add_reads();
  add_actions();
}

Door::Read Monitor::slowly(Door::Read read) {
  return [this, read = std::move(read)](const HttpRequest& request, const Person& person) {
    const Place place(slow_, kSlow);
    return place.has() ? read(request, person) : all_wait();
  };
}

Door::Act Monitor::slowly(Door::Act act) {
  return [this, act = std::move(act)](const HttpRequest& request, const client::Operator& by,
                                      const Json& body) {
    const Place place(slow_, kSlow);
    return place.has() ? act(request, by, body) : all_wait();
  };
}

void Monitor::add_reads() {
  const auto read = [this](const std::string& path, Door::Read handler) {
    server_.route("GET", "/api/v1/" + path, door_.reading(std::move(handler)));
  };
  const auto ask = [&](const std::string& path, HttpAnswer (Desk::*handler)(const HttpRequest&)) {
    read(path, slowly([this, handler](const HttpRequest& request, const Person&) {
           return (desk_.*handler)(request);
         }));
  };
  read("me", [this](const HttpRequest&, const Person& person) { return me(person); });
  read("health", [this](const HttpRequest&, const Person&) { return health(); });
  ask("orders", &Desk::orders);
  ask("orders/{id}", &Desk::order);
  ask("orders/{id}/explain", &Desk::explain);
  read("history", slowly([this](const HttpRequest& request, const Person&) {
         return history_.node(request);
       }));
  read("business", slowly([this](const HttpRequest& request, const Person&) {
         return history_.business(request, system());
       }));
  read("alerts", slowly([this](const HttpRequest&, const Person&) { return history_.alerts(); }));
  read("parked", slowly([this](const HttpRequest&, const Person&) { return parked_.groups(); }));
  ask("workers", &Desk::workers);
  read("queues", slowly([this](const HttpRequest&, const Person&) {
         return desk_.queues(history_.queue_rates(system()));
       }));
  ask("pipelines", &Desk::pipelines);
  ask("pipelines/{name}", &Desk::pipeline);
}

void Monitor::add_actions() {
  const auto act = [this](const std::string& path, Door::Act handler) {
    server_.route("POST", "/api/v1/" + path, door_.acting(slowly(std::move(handler))));
  };
  using Plain = HttpAnswer (Desk::*)(const HttpRequest&, const client::Operator&);
  const auto plain = [&](const std::string& path, Plain handler) {
    act(path, [this, handler](const HttpRequest& request, const client::Operator& by, const Json&) {
      return (desk_.*handler)(request, by);
    });
  };
  plain("orders/{id}/cancel", &Desk::cancel);
  plain("orders/{id}/tasks/{step}/{branch}/retry", &Desk::retry);
  plain("orders/{id}/tasks/{step}/{branch}/skip", &Desk::skip);
  plain("orders/{id}/tasks/{step}/{branch}/compensate", &Desk::compensate);
  act("orders/{id}/tasks/{step}/{branch}/complete",
      [this](const HttpRequest& request, const client::Operator& by, const Json& body) {
        return desk_.complete(request, by, body);
      });
  plain("queues/{name}/pause", &Desk::pause);
  plain("queues/{name}/resume", &Desk::resume);
  act("bulk", [this](const HttpRequest&, const client::Operator& by, const Json& body) {
    return parked_.bulk(by, body);
  });
}

std::string Monitor::system() const {
  for (const auto& source : poller_.sources(steady_now())) {
    if (source.last) return source.last->system;
  }
  return {};
}

HttpAnswer Monitor::me(const Person& person) const {
  return ok({{"name", person.name},
             {"role", to_string(person.role)},
             {"version", ORDO_VERSION},
             {"system", system()},
             {"has_prometheus", history_.is_named()}});
}

Json Monitor::health_json() const {
  const auto sources = poller_.sources(steady_now());
  const Wall now = wall_now();
  Json json{{"at_ms", to_ms(now)}, {"systems", Json::array()}, {"sources", Json::array()}};
  for (const auto& tree : health::merge_all(sources, now)) {
    json["systems"].push_back(Json(health::to_json(tree)));
  }
  for (const auto& source : sources) {
    std::string broker;
    for (const auto& node : source.last.value_or(health::Tree{}).nodes) {
      if (node.type == health::NodeType::kBroker) broker = node.name;
    }
    json["sources"].push_back({{"url", source.url},
                               {"broker", broker},
                               {"system", source.last ? source.last->system : ""},
                               {"age_ms", source.last ? Json(source.age.count()) : Json()},
                               {"error", source.error}});
  }
  return json;
}

HttpAnswer Monitor::health() {
  const std::lock_guard lock(health_mutex_);
  const Steady now = steady_now();
  if (health_text_.empty() || now - health_made_ > kHealthKept) {
    health_text_ = ok(health_json()).body;
    health_made_ = now;
  }
  return {200, "application/json", health_text_};
}

HttpAnswer Monitor::metrics() const {
  std::string text =
      "# HELP ordo_monitor_requests_total Requests over HTTP, refused ones too.\n"
      "# TYPE ordo_monitor_requests_total counter\n"
      "ordo_monitor_requests_total " +
      std::to_string(requests_.load(std::memory_order_relaxed)) +
      "\n# HELP ordo_monitor_broker_up 1 where the broker tells its health.\n"
      "# TYPE ordo_monitor_broker_up gauge\n";
  for (const auto& source : poller_.sources(steady_now())) {
    std::string url;
    for (const char c : source.url) url += c == '"' || c == '\\' || c == '\n' ? '_' : c;
    text +=
        "ordo_monitor_broker_up{url=\"" + url + "\"} " + (source.is_reachable ? "1" : "0") + "\n";
  }
  return {200, "text/plain; version=0.0.4; charset=utf-8", text};
}

}  // namespace ordo::monitor
