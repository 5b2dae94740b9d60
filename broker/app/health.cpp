#include "broker/app/health.hpp"

#include <nlohmann/json.hpp>

namespace ordo {
namespace {

// The loop comes round several times a second with nothing to do. Three seconds is when peers give
// it up.
constexpr Millis kHung{3000};
// Shards open within moments of each other: who asks right after the start wants them all.
constexpr Seconds kPatience{5};

HttpAnswer answer(bool is_well, const nlohmann::json& body) {
  return {is_well ? 200 : 503, "application/json", body.dump() + "\n"};
}

}  // namespace

Millis Health::age(Steady now) const {
  const Steady last{Micros{stamp_.load(std::memory_order_relaxed)}};
  return std::chrono::duration_cast<Millis>(now - last);
}

HttpAnswer Health::livez(Steady now) const {
  const bool is_alive = age(now) < kHung;
  return answer(is_alive,
                {{"status", is_alive ? "alive" : "hung"}, {"loop_age_ms", age(now).count()}});
}

HttpAnswer Health::readyz(Steady now) const {
  const auto open = open_.load(std::memory_order_relaxed);
  return judged(now, open == shards_ || (open > 0 && now - started_ > kPatience));
}

HttpAnswer Health::standbyz(Steady now) const {
  const auto open = open_.load(std::memory_order_relaxed);
  return judged(now, open + elsewhere_.load(std::memory_order_relaxed) >= shards_);
}

HttpAnswer Health::judged(Steady now, bool has_shards) const {
  const bool is_draining = is_draining_.load(std::memory_order_relaxed);
  const char* status = "ready";
  if (!has_shards) status = "no shard";
  if (is_draining) status = "draining";
  if (age(now) >= kHung) status = "hung";
  return answer(status == std::string("ready"),
                {{"status", status},
                 {"shards", shards_},
                 {"shards_open", open_.load(std::memory_order_relaxed)},
                 {"shards_elsewhere", elsewhere_.load(std::memory_order_relaxed)},
                 {"draining", is_draining},
                 {"loop_age_ms", age(now).count()}});
}

}  // namespace ordo
