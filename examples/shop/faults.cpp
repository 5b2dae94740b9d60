#include "examples/shop/faults.hpp"

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "schema/hash.hpp"

namespace ordo::shop {
namespace {

using namespace std::string_view_literals;

constexpr std::array kModes{"none"sv, "down"sv, "slow"sv, "hung"sv, "lose"sv};
constexpr double kFactorMax = 1000;
constexpr double kForMax = 86'400'000;  // a day

/// A field's number within bounds; `otherwise` where it is not there.
std::optional<double> number(const Json& json, const char* name, double otherwise, double most) {
  const auto found = json.find(name);
  if (found == json.end()) return otherwise;
  if (!found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return value >= 0 && value <= most ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string_view to_string(FaultMode mode) { return kModes[static_cast<std::size_t>(mode)]; }

Result<std::pair<std::string, Fault>> parse_fault(std::string_view body, Steady now) {
  const auto wrong = [](const char* what) { return fail(Code::kMalformed, "fault", what); };
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("service") || !json["service"].is_string()) {
    return wrong("a fault is {\"service\": NAME or \"*\", \"mode\": MODE, …}");
  }
  const auto word = json.find("mode");
  const auto mode = word == json.end() || !word->is_string()
                        ? kModes.end()
                        : std::find(kModes.begin(), kModes.end(), word->get<std::string>());
  if (mode == kModes.end()) return wrong("`mode` is none, down, slow, hung or lose");
  Fault fault{.mode = static_cast<FaultMode>(mode - kModes.begin())};
  const auto factor = number(json, "factor", 1, kFactorMax);
  const auto probability = number(json, "probability", 1, 1);
  const auto for_ms = number(json, "for_ms", 0, kForMax);
  if (!factor || *factor < 1) return wrong("`factor` is a number from 1 to 1000");
  if (!probability) return wrong("`probability` is a number from 0 to 1");
  if (!for_ms) return wrong("`for_ms` is a number from 0 (for good) to 86400000");
  fault.factor = *factor;
  fault.probability = *probability;
  if (*for_ms > 0) fault.until = now + Millis{static_cast<std::int64_t>(*for_ms)};
  return std::pair{json["service"].get<std::string>(), fault};
}

void Faults::set(const std::string& service, const Fault& fault) {
  {
    const std::lock_guard lock(mutex_);
    if (service == "*") faults_.clear();
    if (fault.mode == FaultMode::kNone) {
      faults_.erase(service);
    } else {
      faults_[service] = fault;
    }
  }
  changed_.notify_all();
}

Fault Faults::of(std::string_view service) {
  const std::lock_guard lock(mutex_);
  return at(service, steady_now());
}

Fault Faults::at(std::string_view service, Steady now) {
  for (const std::string_view name : {service, "*"sv}) {
    const auto found = faults_.find(name);
    if (found == faults_.end()) continue;
    if (!found->second.until || now < *found->second.until) return found->second;
    faults_.erase(found);
  }
  return {};
}

Json Faults::list() {
  const std::lock_guard lock(mutex_);
  const Steady now = steady_now();
  Json all = Json::array();
  for (const auto& [service, fault] : faults_) {
    if (fault.until && now >= *fault.until) continue;
    Json one{{"service", service}, {"mode", to_string(fault.mode)}};
    if (fault.mode == FaultMode::kSlow) one["factor"] = fault.factor;
    if (fault.mode == FaultMode::kLose) one["probability"] = fault.probability;
    if (fault.until) one["for_ms"] = std::chrono::ceil<Millis>(*fault.until - now).count();
    all.push_back(std::move(one));
  }
  return all;
}

bool Faults::pause(Millis time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return is_stopped_; });
}

bool Faults::wait_while_hung(std::string_view service) {
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    const Steady now = steady_now();
    const Fault fault = at(service, now);
    if (fault.mode != FaultMode::kHung) return true;
    if (fault.until) {
      changed_.wait_for(lock, *fault.until - now);
    } else {
      changed_.wait(lock);
    }
  }
  return false;
}

void Faults::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
}

Odds draw_odds(const ShopStep& step, std::uint64_t seed, std::string_view key, std::uint32_t nth) {
  const std::uint64_t name = seed ^ content_hash(key);
  Random of_key(name);
  Random of_attempt(name ^ (std::uint64_t{nth} << 48));
  Odds odds;
  odds.is_refused = of_key.unit() * 1000 < step.permanent_permille;
  ShopStep retried = step;
  retried.permanent_permille = 0;
  const Draw attempt = draw(retried, of_attempt);
  odds.ms = attempt.ms;
  odds.is_transient = attempt.fate == Fate::kTransient;
  const double unknown = of_attempt.unit() * 1000;
  odds.is_lost = unknown < step.unknown_permille;
  odds.is_done = !odds.is_lost || unknown < step.unknown_permille / 2;
  odds.luck = of_attempt.unit();
  return odds;
}

}  // namespace ordo::shop
