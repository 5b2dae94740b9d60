#include "examples/shop/shop_steps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ordo::shop {
namespace {

constexpr bool kOptional = true;

constexpr std::array kCatalogue{
    // pipeline, handler, service, operation, median, p99, transient ‰, permanent ‰, reason
    ShopStep{"digital", "risk_check", "risk", "check", 12, 80, 2, 5, "risk"},
    ShopStep{"digital", "risk_accept_small", "risk", "accept_small", 1, 5, 0},
    ShopStep{"digital", "coupon_reserve", "coupons", "reserve", 8, 40, 3},
    ShopStep{"digital", "coupon_release", "coupons", "release", 6, 35, 2},
    ShopStep{"digital", "code_reserve", "stock", "reserve", 8, 60, 3, 10, "sold_out"},
    ShopStep{"digital", "code_release", "stock", "release", 8, 60, 3},
    ShopStep{"digital", "payment", "payments", "charge", 180, 1500, 5, 50, "card_declined"},
    ShopStep{"digital", "payment_back", "payments", "refund", 180, 1500, 5},
    ShopStep{"digital", "refund_start", "", "", 3, 15, 0},
    ShopStep{"digital", "ledger_post", "ledger", "post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"digital", "ledger_reverse", "ledger", "reverse", 10, 60, 2},
    ShopStep{"digital", "coupon_confirm", "coupons", "confirm", 6, 35, 2},
    ShopStep{"digital", "code_issue", "supplier", "issue", 250, 1500, 20, 2, "no_code"},
    ShopStep{"digital", "code_void", "supplier", "void", 250, 1500, 20},
    ShopStep{"digital", "points_award", "points", "award", 15, 120, 10},
    ShopStep{"digital", "complete", "", "", 3, 15, 0},
    ShopStep{"digital", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address",
             kOptional},
    ShopStep{"digital", "invoice_request", "invoices", "request", 300, 2000, 10, 2, "no_tax_number",
             kOptional},

    ShopStep{"3c", "price_snapshot", "prices", "snapshot", 6, 30, 1},
    ShopStep{"3c", "user_profile", "users", "profile", 5, 30, 2, 1, "no_profile", kOptional},
    ShopStep{"3c", "address_check", "addresses", "check", 8, 50, 2, 2, "bad_address"},
    ShopStep{"3c", "risk_check", "risk", "check", 15, 100, 2, 10, "risk"},
    ShopStep{"3c", "stock_reserve", "stock", "reserve", 10, 80, 3, 15, "sold_out"},
    ShopStep{"3c", "stock_release", "stock", "release", 10, 80, 3},
    ShopStep{"3c", "coupon_reserve", "coupons", "reserve", 8, 40, 3},
    ShopStep{"3c", "coupon_release", "coupons", "release", 6, 35, 2},
    ShopStep{"3c", "payment", "payments", "charge", 180, 1500, 5, 80, "card_declined"},
    ShopStep{"3c", "refund_start", "", "", 3, 15, 0},
    ShopStep{"3c", "ledger_post", "ledger", "post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"3c", "ledger_reverse", "ledger", "reverse", 10, 60, 2},
    ShopStep{"3c", "stock_confirm", "stock", "confirm", 8, 60, 2},
    ShopStep{"3c", "stock_restock", "stock", "restock", 8, 60, 2},
    ShopStep{"3c", "serial_allocate", "warehouse", "allocate_serial", 40, 300, 5, 1, "no_serial"},
    ShopStep{"3c", "serial_free", "warehouse", "free_serial", 40, 300, 5},
    ShopStep{"3c", "coupon_confirm", "coupons", "confirm", 6, 35, 2},
    ShopStep{"3c", "wms_dispatch", "warehouse", "dispatch", 400, 3000, 15, 2, "parcel_lost"},
    ShopStep{"3c", "wms_recall", "warehouse", "recall", 400, 3000, 15},
    ShopStep{"3c", "complete", "", "", 3, 15, 0},
    ShopStep{"3c", "settle_notify", "settlement", "notify", 30, 200, 5},
    ShopStep{"3c", "invoice_request", "invoices", "request", 300, 2000, 10, 2, "no_tax_number",
             kOptional},
    ShopStep{"3c", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address", kOptional},

    ShopStep{"books", "risk_check", "risk", "check", 12, 80, 2, 5, "risk"},
    ShopStep{"books", "split_order", "", "", 3, 15, 0},
    ShopStep{"books", "stock_reserve", "stock", "reserve", 10, 80, 3, 10, "sold_out"},
    ShopStep{"books", "stock_release", "stock", "release", 10, 80, 3},
    ShopStep{"books", "refund_start", "", "", 3, 15, 0},
    ShopStep{"books", "ledger_post", "ledger", "post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"books", "ledger_reverse", "ledger", "reverse", 10, 60, 2},
    ShopStep{"books", "stock_confirm", "stock", "confirm", 8, 60, 2},
    ShopStep{"books", "stock_restock", "stock", "restock", 8, 60, 2},
    ShopStep{"books", "pick", "warehouse", "pick", 60, 500, 5, 3, "book_missing"},
    ShopStep{"books", "partial_refund", "payments", "partial_refund", 300, 2500, 30},
    ShopStep{"books", "carrier_book", "carrier", "book", 350, 2500, 20},
    ShopStep{"books", "carrier_cancel", "carrier", "cancel", 350, 2500, 20},
    ShopStep{"books", "complete", "", "", 3, 15, 0},
    ShopStep{"books", "settle_notify", "settlement", "notify", 30, 200, 5},
    ShopStep{"books", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address",
             kOptional},

    ShopStep{"takeaway", "shop_info", "shops", "info", 8, 50, 2, 3, "shop_closed"},
    ShopStep{"takeaway", "menu_price", "menus", "price", 10, 60, 2},
    ShopStep{"takeaway", "user_info", "users", "profile", 5, 30, 2, 0, "", kOptional},
    ShopStep{"takeaway", "dish_reserve", "stock", "reserve", 8, 60, 3, 8, "sold_out"},
    ShopStep{"takeaway", "dish_release", "stock", "release", 8, 60, 3},
    ShopStep{"takeaway", "redpacket_reserve", "redpackets", "reserve", 8, 40, 3},
    ShopStep{"takeaway", "redpacket_release", "redpackets", "release", 8, 40, 3},
    ShopStep{"takeaway", "refund_start", "", "", 3, 15, 0},
    ShopStep{"takeaway", "ledger_post", "ledger", "post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"takeaway", "ledger_reverse", "ledger", "reverse", 10, 60, 2},
    ShopStep{"takeaway", "push_merchant", "merchants", "push", 20, 200, 10},
    ShopStep{"takeaway", "merchant_cancel", "merchants", "cancel", 20, 200, 10},
    ShopStep{"takeaway", "confirm_reserve", "stock", "confirm", 8, 60, 2},
    ShopStep{"takeaway", "rider_dispatch", "riders", "dispatch", 120, 900, 20, 3, "no_rider"},
    ShopStep{"takeaway", "rider_recall", "riders", "recall", 120, 900, 20},
    ShopStep{"takeaway", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address",
             kOptional},
    ShopStep{"takeaway", "raise_alarm", "", "", 3, 15, 0},
    ShopStep{"takeaway", "complete", "", "", 3, 15, 0},
    ShopStep{"takeaway", "settle_merchant", "settlement", "notify", 30, 200, 5},
    ShopStep{"takeaway", "settle_rider", "settlement", "notify_rider", 30, 200, 5},
    ShopStep{"takeaway", "fee_counter", "counters", "add", 4, 25, 2},
    ShopStep{"takeaway", "fee_counter_undo", "counters", "subtract", 4, 25, 2},
    ShopStep{"takeaway", "redpacket_send", "gifts", "send", 60, 500, 30, 5, "no_account",
             kOptional},

    ShopStep{"o2o_flash", "quota_token", "quota", "reserve", 2, 10, 1},
    ShopStep{"o2o_flash", "quota_return", "quota", "release", 2, 10, 1},
    ShopStep{"o2o_flash", "coupon_verify", "coupons", "reserve", 6, 35, 2, 5, "bad_coupon"},
    ShopStep{"o2o_flash", "coupon_release", "coupons", "release", 6, 35, 2},
    ShopStep{"o2o_flash", "stock_reserve", "stock", "reserve", 5, 40, 2},
    ShopStep{"o2o_flash", "stock_release", "stock", "release", 5, 40, 2},
    ShopStep{"o2o_flash", "refund_start", "", "", 3, 15, 0},
    ShopStep{"o2o_flash", "ledger_post", "ledger", "post", 10, 60, 2, 0.1, "ledger_closed"},
    ShopStep{"o2o_flash", "ledger_reverse", "ledger", "reverse", 10, 60, 2},
    ShopStep{"o2o_flash", "oms_push", "oms", "push", 25, 250, 10},
    ShopStep{"o2o_flash", "oms_cancel", "oms", "cancel", 25, 250, 10},
    ShopStep{"o2o_flash", "complete", "", "", 3, 15, 0},
    ShopStep{"o2o_flash", "code_push", "notification", "push_code", 10, 100, 10, 0, "", kOptional},
    ShopStep{"o2o_flash", "wechat_msg", "notification", "wechat", 80, 600, 40, 10, "not_following",
             kOptional},

    ShopStep{"refund", "check_refunded", "payments", "check_refunded", 15, 100, 2},
    ShopStep{"refund", "refund_channel", "payments", "refund", 300, 2500, 30, 1, "account_closed",
             !kOptional, 5},
    ShopStep{"refund", "ledger_reverse_order", "ledger", "reverse_order", 10, 60, 2},
    ShopStep{"refund", "complete", "", "", 3, 15, 0},
    ShopStep{"refund", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address",
             kOptional},

    ShopStep{"restore", "match_order", "payments", "query", 15, 100, 2},
    ShopStep{"restore", "check_twice", "payments", "check_refunded", 15, 100, 2},
    ShopStep{"restore", "complete", "", "", 3, 15, 0},
    ShopStep{"restore", "notify_user", "notification", "send", 60, 500, 30, 5, "no_address",
             kOptional},

    ShopStep{"maintenance", "cache_warm", "maintenance", "warm", 400, 3000, 5},
    ShopStep{"maintenance", "health_report", "maintenance", "report", 100, 800, 5},
    ShopStep{"maintenance", "archive_partitions", "maintenance", "archive", 400, 3000, 5},
    ShopStep{"maintenance", "reconcile", "maintenance", "reconcile", 400, 3000, 5},
    ShopStep{"maintenance", "probe", "maintenance", "probe", 5, 30, 1},

    ShopStep{"hello", "hello", "", "", 5, 30, 2},
    // The order of `helm test`: in a queue of its own, so that it takes no task of anybody else.
    ShopStep{"helm_test", "helm_test", "", "", 5, 30, 0},
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

const ShopStep* find_step(std::string_view pipeline, std::string_view handler) {
  for (const ShopStep& entry : kCatalogue) {
    if (entry.pipeline == pipeline && entry.handler == handler) return &entry;
  }
  return nullptr;
}

const ShopStep* find_operation(std::string_view pipeline, std::string_view service,
                               std::string_view operation) {
  const ShopStep* any = nullptr;
  for (const ShopStep& entry : kCatalogue) {
    if (entry.service != service || entry.operation != operation) continue;
    if (entry.pipeline == pipeline) return &entry;
    if (any == nullptr) any = &entry;
  }
  return any;
}

std::vector<std::string_view> handler_names() {
  std::vector<std::string_view> names;
  for (const ShopStep& entry : kCatalogue) {
    if (std::find(names.begin(), names.end(), entry.handler) == names.end())
      names.push_back(entry.handler);
  }
  return names;
}

double lognormal(double median, double p99, Random& random) {
  return median * std::exp(std::log(p99 / median) / kZ99 * normal(random));
}

Draw draw(const ShopStep& step, Random& random) {
  const double ms = lognormal(step.median_ms, step.p99_ms, random);
  const double chance = random.unit() * 1000.0;
  if (chance < step.transient_permille) return {ms, Fate::kTransient};
  if (chance < step.transient_permille + step.permanent_permille) return {ms, Fate::kPermanent};
  return {ms, Fate::kSucceeds};
}

}  // namespace ordo::shop
