#include "monitoring/monitor/poller.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/http_get.hpp"
#include "base/log.hpp"
#include "monitoring/health/tree_json.hpp"

namespace ordo::monitor {
namespace {

Result<health::Tree> tree_of(const Result<HttpReply>& reply) {
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status == 200) return health::parse_tree(reply->body);
  return fail(Code::kUnavailable, "http",
              "it answered with status " + std::to_string(reply->status));
}

}  // namespace

Poller::Poller(const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    brokers_.push_back({.url = url, .heard = steady_now(), .heard_at = wall_now()});
  }
  // After the last of them is in its place.
  for (Broker& broker : brokers_) {
    threads_.emplace_back([this, &broker] { follow(broker); });
  }
}

Poller::~Poller() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ending_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Poller::follow(Broker& broker) {
  for (;;) {
    const auto next = std::chrono::steady_clock::now() + kEvery;
    ask(broker);
    std::unique_lock lock(mutex_);
    if (ending_.wait_until(lock, next, [this] { return is_ending_; })) return;
  }
}

void Poller::ask(Broker& broker) {
  // The url alone never changes, so it is read without the lock.
  auto reply = http_get(broker.url + "/api/v1/health", kPatience);
  const auto tree = tree_of(reply);
  const std::lock_guard lock(mutex_);
  broker.is_asked = true;
  if (tree) {
    broker.last = *tree;
    broker.error.clear();
    broker.heard = steady_now();
    broker.heard_at = wall_now();
    if (std::exchange(broker.is_told, false)) log::info("broker answers", {{"url", broker.url}});
    return;
  }
  broker.error = tree.error().message;
  if (std::exchange(broker.is_told, true)) return;
  log::warn("broker does not answer", {{"url", broker.url}, {"why", broker.error}});
}

std::vector<health::Source> Poller::sources(Steady now) const {
  const std::lock_guard lock(mutex_);
  std::vector<health::Source> sources;
  for (const Broker& broker : brokers_) {
    health::Source source;
    source.url = broker.url;
    source.last = broker.last;
    source.age = std::max(std::chrono::duration_cast<Millis>(now - broker.heard), Millis{0});
    source.is_reachable = broker.last && source.age <= kUnreachableAfter;
    source.is_asked = broker.is_asked;
    source.error = broker.error;
    if (!source.is_reachable && source.error.empty()) source.error = "it has not answered in time";
    source.since = broker.heard_at;
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace ordo::monitor
