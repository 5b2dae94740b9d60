#include "examples/shop_steps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ordo::shop {
namespace {

constexpr bool kOptional = true;

constexpr std::array kCatalogue{
    // pipeline, step, median, p99, transient ‰, permanent ‰, reason
    ShopStep{"digital", "risk_check", 12, 80, 2, 5, "risk"},
    ShopStep{"digital", "coupon_reserve", 8, 40, 3},
    ShopStep{"digital", "code_reserve", 8, 60, 3, 10, "sold_out"},
    ShopStep{"digital", "payment", 180, 1500, 5, 50, "card_declined"},
    ShopStep{"digital", "ledger_post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"digital", "coupon_confirm", 6, 35, 2},
    ShopStep{"digital", "code_issue", 250, 1500, 20, 2, "no_code"},
    ShopStep{"digital", "points_award", 15, 120, 10},
    ShopStep{"digital", "complete", 3, 15, 0},
    ShopStep{"digital", "notify_user", 60, 500, 30, 5, "no_address", kOptional},
    ShopStep{"digital", "invoice_request", 300, 2000, 10, 2, "no_tax_number", kOptional},

    ShopStep{"3c", "price_snapshot", 6, 30, 1},
    ShopStep{"3c", "user_profile", 5, 30, 2, 1, "no_profile", kOptional},
    ShopStep{"3c", "address_check", 8, 50, 2, 2, "bad_address"},
    ShopStep{"3c", "risk_check", 15, 100, 2, 10, "risk"},
    ShopStep{"3c", "stock_reserve", 10, 80, 3, 15, "sold_out"},
    ShopStep{"3c", "coupon_reserve", 8, 40, 3},
    ShopStep{"3c", "payment", 180, 1500, 5, 80, "card_declined"},
    ShopStep{"3c", "ledger_post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"3c", "stock_confirm", 8, 60, 2},
    ShopStep{"3c", "serial_allocate", 40, 300, 5, 1, "no_serial"},
    ShopStep{"3c", "coupon_confirm", 6, 35, 2},
    ShopStep{"3c", "wms_dispatch", 400, 3000, 15, 2, "parcel_lost"},
    ShopStep{"3c", "complete", 3, 15, 0},
    ShopStep{"3c", "settle_notify", 30, 200, 5},
    ShopStep{"3c", "invoice_request", 300, 2000, 10, 2, "no_tax_number", kOptional},
    ShopStep{"3c", "notify_user", 60, 500, 30, 5, "no_address", kOptional},

    ShopStep{"hello", "hello", 5, 30, 2},
    // The order of `helm test`: in a queue of its own, so that it takes no task of anybody else.
    ShopStep{"helm_test", "helm_test", 5, 30, 0},
};

// The 99th percentile of a standard normal: a lognormal with median m and 99th percentile p has
// sigma ln(p/m) / z99.
constexpr double kZ99 = 2.326347874;

/// Box and Muller, 1958.
double normal(Random& random) {
  const double u = 1.0 - random.unit();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * random.unit());
}

}  // namespace

const ShopStep* find_step(std::string_view pipeline, std::string_view step) {
  for (const ShopStep& entry : kCatalogue) {
    if (entry.pipeline == pipeline && entry.step == step) return &entry;
  }
  return nullptr;
}

std::vector<std::string_view> step_names() {
  std::vector<std::string_view> names;
  for (const ShopStep& entry : kCatalogue) {
    if (std::find(names.begin(), names.end(), entry.step) == names.end())
      names.push_back(entry.step);
  }
  return names;
}

Draw draw(const ShopStep& step, Random& random) {
  const double sigma = std::log(step.p99_ms / step.median_ms) / kZ99;
  const double ms = step.median_ms * std::exp(sigma * normal(random));
  const double chance = random.unit() * 1000.0;
  if (chance < step.transient_permille) return {ms, Fate::kTransient};
  if (chance < step.transient_permille + step.permanent_permille) return {ms, Fate::kPermanent};
  return {ms, Fate::kSucceeds};
}

}  // namespace ordo::shop
