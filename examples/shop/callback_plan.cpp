#include "examples/shop/callback_plan.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "examples/shop/shop_steps.hpp"
#include "schema/hash.hpp"

namespace ordo::shop {
namespace {

constexpr std::array kConsequences{
    Consequence{"payments", "pay", "paid", 25, 600, 0, true},
    Consequence{"merchants", "push", "accepted", 20, 240, 20},
    Consequence{"warehouse", "dispatch", "shipped", 21'600, 28'800, 3},
    Consequence{"carrier", "book", "shipped", 21'600, 28'800, 3},
    Consequence{"riders", "dispatch", "delivered", 1'920, 3'900, 5},
    Consequence{"oms", "push", "pickup_code", 3, 60, 5},
};

/// Who never pays, and how long an order waits for the others.
struct Payers {
  std::string_view pipeline;
  double never_permille, patience_s;
};
constexpr std::array kPayers{
    Payers{"digital", 80, 900},  Payers{"3c", 100, 1800},      Payers{"books", 70, 900},
    Payers{"takeaway", 50, 900}, Payers{"o2o_flash", 60, 180},
};
constexpr Payers kOtherPayers{"", 70, 900};

// Of payments, per mille.
constexpr double kSilent = 5;   ///< paid, and nobody is told
constexpr double kTooLate = 5;  ///< paid after the order gave up
constexpr double kAtOnce = 10;  ///< told before the order may be there
constexpr double kTwice = 20;   ///< told twice
/// Others pay within this part of what the order waits, so that lateness is as rare as it says.
constexpr double kInTime = 0.9;
constexpr double kSecondTelling_s = 60;

const Payers& payers_of(std::string_view pipeline) {
  for (const Payers& payers : kPayers) {
    if (payers.pipeline == pipeline) return payers;
  }
  return kOtherPayers;
}

}  // namespace

const Consequence* find_consequence(std::string_view service, std::string_view operation) {
  for (const Consequence& one : kConsequences) {
    if (one.service == service && one.operation == operation) return &one;
  }
  return nullptr;
}

PlannedCallbacks plan(const Consequence& what, std::string_view pipeline, std::uint64_t seed,
                      std::string_view key) {
  Random random(content_hash(key, seed));
  const Payers& payers = payers_of(pipeline);
  const double never = what.is_payment ? payers.never_permille : what.never_permille;
  PlannedCallbacks planned;
  planned.is_true = random.unit() * 1000 >= never;
  if (!planned.is_true) return planned;
  double after = lognormal(what.median_s, what.p99_s, random);
  if (!what.is_payment) {
    planned.true_after_s = after;
    planned.tell_s = {after};
    return planned;
  }
  after = std::min(after, payers.patience_s * kInTime);
  const double chance = random.unit() * 1000;
  const bool is_silent = chance < kSilent;
  const bool is_late = !is_silent && chance < kSilent + kTooLate;
  const bool is_at_once = !is_silent && !is_late && chance < kSilent + kTooLate + kAtOnce;
  if (is_late) after = payers.patience_s * (1.1 + random.unit() * 0.4);
  planned.true_after_s = is_at_once ? 0 : after;
  if (is_silent) return planned;
  planned.tell_s = {planned.true_after_s};
  if (random.unit() * 1000 < kTwice) {
    planned.tell_s.push_back(planned.true_after_s + random.unit() * kSecondTelling_s);
  }
  return planned;
}

Json to_json(const Callback& callback) {
  return {{"order", callback.order},
          {"signal", callback.signal},
          {"pipeline", callback.pipeline},
          {"dedup", callback.dedup},
          {"payload", callback.payload}};
}

}  // namespace ordo::shop
