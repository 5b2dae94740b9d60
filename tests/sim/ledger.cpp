#include "tests/sim/ledger.hpp"

#include <charconv>

#include "schema/hash.hpp"
#include "schema/trace.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

std::string Ledger::traceparent_of(std::string_view payload) {
  const std::uint64_t hash = content_hash(payload);
  if (hash % 2 == 0) return {};
  const std::string digits = span_id(payload, 1);
  return "00-" + digits + digits + '-' + digits + "-01";
}

void Ledger::check_trace(const wire::Offer& offer) {
  if (offer.payload.starts_with("signal ")) return;  // nobody submitted it
  if (offer.traceparent == traceparent_of(offer.payload)) return;
  throw Violation("offers carry the order's trace",
                  describe(offer.key) + " has `" + offer.traceparent + "`");
}

std::uint64_t Ledger::begin(const TaskKey& key, const Fence& fence) {
  if (!begun_.emplace(key, fence).second) {
    throw Violation("attempt begun twice", describe(key) + "@" + describe(fence));
  }
  by_task_[key].push_back(executions_.size());
  executions_.push_back({key, fence, std::nullopt});
  return executions_.size() - 1;
}

std::vector<Ledger::Execution> Ledger::executions_of(const TaskKey& key) const {
  std::vector<Execution> all;
  const auto found = by_task_.find(key);
  if (found == by_task_.end()) return all;
  for (const std::size_t number : found->second) all.push_back(executions_[number]);
  return all;
}

const Ledger::Execution* Ledger::find(std::string_view result) const {
  if (result.empty() || result.front() != 'x') return nullptr;
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(result.data() + 1, result.data() + result.size(), number);
  if (error != std::errc{} || end != result.data() + result.size()) return nullptr;
  return number < executions_.size() ? &executions_[number] : nullptr;
}

void Ledger::granted(const TaskKey& key, const Fence& fence) {
  const auto [it, is_first] = grants_.try_emplace(key, Grant{fence, {fence}});
  if (is_first) return;
  Grant& grant = it->second;
  if (fence.epoch < grant.current.epoch) return;  // a deposed owner that does not know it yet
  if (fence <= grant.current) {
    throw Violation("fences grow", describe(key) + " is granted " + describe(fence) + " after " +
                                       describe(grant.current));
  }
  grant = {fence, {fence}};
}

void Ledger::regranted(const wire::Regrant& regrant) {
  const auto begun = origins_.find({regrant.key, regrant.old_fence});
  const Fence origin = begun == origins_.end() ? regrant.old_fence : begun->second;
  origins_[{regrant.key, regrant.new_fence}] = origin;
  const auto it = grants_.find(regrant.key);
  if (it == grants_.end() || it->second.current > regrant.new_fence) return;
  if (it->second.current < regrant.new_fence) it->second = {regrant.new_fence, {}};
  it->second.offers.insert(origin);
}

const Ledger::Grant* Ledger::grant(const TaskKey& key) const {
  const auto it = grants_.find(key);
  return it == grants_.end() ? nullptr : &it->second;
}

void Ledger::check_recorded(const TaskKey& key, std::uint32_t attempt,
                            std::string_view result) const {
  const auto fail = [&](const std::string& why) {
    throw Violation("results are earned", describe(key) + " attempt " + std::to_string(attempt) +
                                              " records \"" + std::string(result) + "\": " + why);
  };
  const Execution* execution = find(result);
  if (execution == nullptr) return fail("nobody executed that");
  if (execution->key != key) fail("that was " + describe(execution->key));
  if (execution->outcome != Outcome::kSucceeded) fail("that execution did not succeed");
  if (execution->fence.attempt != attempt) {
    fail("that was attempt " + std::to_string(execution->fence.attempt));
  }
  const Grant* newest = grant(key);
  if (newest == nullptr || !newest->offers.contains(execution->fence)) {
    fail("it was begun under " + describe(execution->fence) + ", but the task was granted again" +
         (newest != nullptr ? " as " + describe(newest->current) : ""));
  }
}

}  // namespace ordo::sim
