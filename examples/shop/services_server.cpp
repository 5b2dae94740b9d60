#include "examples/shop/services_server.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/metric_text.hpp"
#include "examples/shop/matching.hpp"

namespace ordo::shop {
namespace {

/// Calls that take their time keep a thread each.
constexpr std::size_t kThreads = 512;
constexpr std::int64_t kPendingMost = 128;
/// An order's payload is 64 KiB at most, and comes with results of its steps.
constexpr std::size_t kBodyBytes = std::size_t{256} * 1024;
/// Where no step of the catalogue calls an operation: a quick one.
constexpr ShopStep kUsualStep{"", "", "", "", 8, 40, 0};

constexpr MetricFamily kCalls{"shop_calls_total", MetricType::kCounter, "service,outcome",
                              "Calls of a service by what came of them"};
constexpr MetricFamily kPending{"shop_pending_calls", MetricType::kGauge, "service",
                                "Calls that a service has not answered yet"};

HttpAnswer problem(int status, std::string_view reason, const std::string& message) {
  const Json json{{"error", {{"reason", reason}, {"message", message}}}};
  HttpAnswer answer{status, "application/json",
                    json.dump(-1, ' ', false, Json::error_handler_t::replace)};
  // Both are what ordo-worker reads.
  if (status == 503) answer.headers.emplace_back("Retry-After", "1");
  if (status != 503) answer.headers.emplace_back("Ordo-Reason", reason);
  return answer;
}

HttpAnswer told(const Json& json) { return {200, "application/json", json.dump()}; }

std::int64_t wall_ms() {
  return std::chrono::duration_cast<Millis>(wall_now().time_since_epoch()).count();
}

HttpAnswer answer_of(const Reply& reply, const Call& call) {
  const Entry& entry = reply.entry;
  if (reply.what == Reply::What::kConflict) {
    return problem(409, "key_reused",
                   "the key " + call.key() + " was used for " + entry.operation +
                       ": give each effect a key of its own");
  }
  if (reply.what == Reply::What::kRefused) {
    return problem(422, entry.reason, call.operation() + " is refused: " + entry.reason);
  }
  Json result = entry.result;
  result["is_repeat"] = reply.is_repeat;
  return told(result);
}

}  // namespace

struct ServicesServer::Visit {
  std::string service_name;
  Service& service;
  const Operation& operation;
  const Call& call;
  const ShopStep& step;
  Fault fault;
  Odds odds;
};

ServicesServer::ServicesServer(const ServerOptions& options)
    : options_(options),
      http_({.threads = kThreads, .requests_per_connection = 1, .body_bytes = kBodyBytes}) {}

ServicesServer::~ServicesServer() {
  faults_.stop();
  http_.stop();
}

Result<std::unique_ptr<ServicesServer>> ServicesServer::start(const ServerOptions& options) {
  auto services = Services::open(options.folder, options.quantity);
  if (!services) return tl::unexpected(services.error());
  std::unique_ptr<CallbackSink> sink;
  if (!options.callbacks.empty()) {
    auto opened = open_sink(options.callbacks);
    if (!opened) return tl::unexpected(opened.error());
    sink = *std::move(opened);
  }
  std::unique_ptr<ServicesServer> server(new ServicesServer(options));
  server->services_ = *std::move(services);
  auto desk = CallbackDesk::open({options.folder, options.callback_scale, options.seed},
                                 *server->services_, std::move(sink));
  if (!desk) return tl::unexpected(desk.error());
  server->desk_ = *std::move(desk);
  for (const std::string_view name : service_names()) server->counts_[std::string(name)];
  server->add_routes();
  if (const auto listens = server->http_.start(options.host, options.port); !listens) {
    return tl::unexpected(listens.error());
  }
  return server;
}

void ServicesServer::add_routes() {
  http_.get("/livez", [] { return HttpAnswer{200, "text/plain", "ok\n"}; });
  http_.get("/ledger", [this] { return ledger(); });
  http_.route("GET", "/unmatched",
              [this](const HttpRequest& request) { return unmatched_money(request); });
  http_.get("/metrics", [this] { return metrics(); });
  http_.get("/fault", [this] { return told({{"faults", faults_.list()}}); });
  http_.route("POST", "/fault", [this](const HttpRequest& request) { return set_fault(request); });
  http_.route("POST", "/{service}/{operation}",
              [this](const HttpRequest& request) { return serve(request); });
}

HttpAnswer ServicesServer::set_fault(const HttpRequest& request) {
  const auto fault = parse_fault(request.body, steady_now());
  if (!fault) return problem(400, fault.error().reason, fault.error().message);
  if (fault->first != "*" && services_->find(fault->first) == nullptr) {
    return problem(404, "no_service", "there is no service " + fault->first);
  }
  faults_.set(fault->first, fault->second);
  return told({{"faults", faults_.list()}});
}

HttpAnswer ServicesServer::serve(const HttpRequest& request) {
  const std::string& name = request.parameters.at("service");
  const std::string& asked = request.parameters.at("operation");
  const Operation* const operation = find_operation_of(name, asked);
  if (operation == nullptr) {
    return problem(404, "no_operation", "there is no " + name + "/" + asked);
  }
  Counts& counts = counts_.find(name)->second;
  const auto call = Call::parse(request.header("Idempotency-Key"), asked, request.body);
  if (!call) {
    ++counts.malformed;
    return problem(400, call.error().reason, call.error().message);
  }
  const ShopStep* found = find_operation(call->text("pipeline"), name, asked);
  const ShopStep& step = found == nullptr ? kUsualStep : *found;
  const std::uint32_t nth = count_try(call->key(), call->attempt());
  const Visit visit{name,
                    *services_->find(name),
                    *operation,
                    *call,
                    step,
                    faults_.of(name),
                    draw_odds(step, options_.seed, call->key(), nth)};
  if (++counts.pending > kPendingMost) {
    --counts.pending;
    ++counts.transient;
    return problem(503, "busy", name + " has too many calls that it has not answered yet");
  }
  HttpAnswer answer = serve_call(visit, counts);
  --counts.pending;
  return answer;
}

HttpAnswer ServicesServer::serve_call(const Visit& visit, Counts& counts) {
  const auto is_away = [&](const char* reason) {
    ++counts.transient;
    return problem(503, reason, visit.service_name + " does not answer now");
  };
  if (visit.fault.mode == FaultMode::kDown) return is_away("down");
  if (!faults_.wait_while_hung(visit.service_name)) return is_away("stopped");
  const double slow = visit.fault.mode == FaultMode::kSlow ? visit.fault.factor : 1;
  const auto ms = std::llround(visit.odds.ms * options_.time_scale * slow);
  if (ms > 0 && !faults_.pause(Millis{ms})) return is_away("stopped");
  pass_hot_row(visit);
  if (options_.has_failures && visit.odds.is_transient) return is_away("transient");

  const bool is_unknown = options_.has_failures && visit.odds.is_lost;
  const bool must_lose =
      visit.fault.mode == FaultMode::kLose && visit.odds.is_unlucky(visit.fault.probability);
  const bool is_lost = is_unknown || must_lose;
  const bool is_refused = options_.has_failures && visit.odds.is_refused;
  HttpAnswer answer{200, "application/json", "{}"};
  if (!is_lost || must_lose || visit.odds.is_done) {
    answer = effect(visit, is_refused ? visit.step.reason : "", counts);
  }
  if (is_lost) {
    ++counts.lost;
    answer.is_cut = true;
  }
  return answer;
}

HttpAnswer ServicesServer::effect(const Visit& visit, std::string_view refusal, Counts& counts) {
  const Reply reply = visit.service.call(visit.call, visit.operation.role, refusal, wall_ms());
  if (reply.what == Reply::What::kDone && !reply.is_repeat) {
    desk_->noticed(visit.service_name, reply.entry);
  }
  forget_tries(visit.call.key());
  ++(reply.what == Reply::What::kDone ? counts.done : counts.refused);
  return answer_of(reply, visit.call);
}

/// Everybody who wants the same row waits for all who came before.
void ServicesServer::pass_hot_row(const Visit& visit) {
  if (options_.hot_sku.empty() || visit.service_name != "stock") return;
  if (visit.call.text("sku") != options_.hot_sku) return;
  const std::lock_guard turn(hot_row_);
  faults_.pause(Millis{std::llround(options_.hot_ms * options_.time_scale)});
}

HttpAnswer ServicesServer::ledger() {
  return told({{"services", services_->sums()}, {"callbacks", desk_->sums()}});
}

HttpAnswer ServicesServer::unmatched_money(const HttpRequest& request) {
  const auto older = request.query.find("older_ms");
  const std::int64_t ms =
      older == request.query.end() ? 0 : std::strtoll(older->second.c_str(), nullptr, 10);
  return told(unmatched(*services_, wall_ms() - std::max<std::int64_t>(ms, 0)));
}

HttpAnswer ServicesServer::metrics() const {
  MetricText text;
  for (const auto& [name, counts] : counts_) {
    text.count(kCalls, {name, "done"}, counts.done);
    text.count(kCalls, {name, "refused"}, counts.refused);
    text.count(kCalls, {name, "transient"}, counts.transient);
    text.count(kCalls, {name, "lost"}, counts.lost);
    text.count(kCalls, {name, "malformed"}, counts.malformed);
  }
  for (const auto& [name, counts] : counts_) {
    text.value(kPending, {name}, static_cast<double>(counts.pending));
  }
  return {200, std::string(MetricText::kType), text.text()};
}

std::uint32_t ServicesServer::count_try(const std::string& key, std::uint32_t told_attempt) {
  const std::lock_guard lock(tries_mutex_);
  std::uint32_t& tries = tries_[key];
  return tries = std::max(tries + 1, told_attempt);
}

void ServicesServer::forget_tries(const std::string& key) {
  const std::lock_guard lock(tries_mutex_);
  tries_.erase(key);
}

}  // namespace ordo::shop
