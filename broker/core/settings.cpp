#include "broker/core/settings.hpp"

namespace ordo {
namespace {

template <class T>
std::optional<std::string> out_of_range(const char* name, T value, T low, T high) {
  if (value >= low && value <= high) return std::nullopt;
  return std::string(name) + " is " + std::to_string(value) + "; it must be " +
         std::to_string(low) + " to " + std::to_string(high);
}

}  // namespace

std::optional<std::string> Settings::problem() const {
  if (shards.empty() || shards.size() > 64) return "a broker owns 1 to 64 shards";
  if (auto p = out_of_range<std::int64_t>("beat_ms", beat.count(), 100, 10'000)) return p;
  if (silence < 3 * beat) {
    return "silence_ms is " + std::to_string(silence.count()) +
           "; it must be at least three beats of " + std::to_string(beat.count()) + " ms";
  }
  if (auto p = out_of_range<std::int64_t>("grace_ms", grace.count(), 0, 60'000)) return p;
  if (auto p = out_of_range<std::int64_t>("trust_ms", trust.count(), 100, 60'000)) return p;
  if (auto p = out_of_range<std::int64_t>("reopen_ms", reopen.count(), 50, 60'000)) return p;
  if (auto p = out_of_range<std::uint64_t>("window_tasks", window_tasks, 2, 1'000'000)) return p;
  if (window_bytes < (4u << 20)) return "window_bytes must be at least 4 MiB (4194304)";
  if (auto p = out_of_range<std::uint64_t>("page_rows", page_rows, 1, 10'000)) return p;
  if (auto p = out_of_range<std::uint64_t>("inbox_orders", inbox_orders, 1, 10'000'000)) return p;
  if (inbox_bytes < (1u << 20)) return "inbox_bytes must be at least 1 MiB (1048576)";
  if (submit_rate < 0 || client_rate < 0) return "submit_rate and client_rate must be 0 or more";
  if (auto p = out_of_range<std::uint64_t>("waiters", waiters, 1, 10'000'000)) return p;
  if (auto p = out_of_range<std::int64_t>("signal_gap_ms", signal_gap.count(), 1, 60'000)) return p;
  if (id_past.count() < 0 || id_future.count() < 0) return "id windows must not be negative";
  return std::nullopt;
}

}  // namespace ordo
