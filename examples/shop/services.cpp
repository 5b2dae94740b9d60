#include "examples/shop/services.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "examples/shop/accounts.hpp"
#include "examples/shop/bookings.hpp"
#include "examples/shop/lookups.hpp"
#include "examples/shop/payments.hpp"
#include "examples/shop/reservations.hpp"

namespace ordo::shop {
namespace {

using enum Role;

constexpr std::array kOperations{
    Operation{"risk", "check", kLooks},
    Operation{"risk", "accept_small", kLooks},
    Operation{"prices", "snapshot", kLooks},
    Operation{"users", "profile", kLooks},
    Operation{"addresses", "check", kLooks},
    Operation{"shops", "info", kLooks},
    Operation{"menus", "price", kLooks},
    Operation{"stock", "open"},
    Operation{"stock", "reserve"},
    Operation{"stock", "confirm"},
    Operation{"stock", "release", kUndoes},
    Operation{"stock", "restock", kUndoes},
    Operation{"stock", "left", kLooks},
    Operation{"coupons", "open"},
    Operation{"coupons", "reserve"},
    Operation{"coupons", "confirm"},
    Operation{"coupons", "release", kUndoes},
    Operation{"coupons", "left", kLooks},
    Operation{"redpackets", "open"},
    Operation{"redpackets", "reserve"},
    Operation{"redpackets", "confirm"},
    Operation{"redpackets", "release", kUndoes},
    Operation{"redpackets", "left", kLooks},
    Operation{"quota", "open"},
    Operation{"quota", "reserve"},
    Operation{"quota", "confirm"},
    Operation{"quota", "release", kUndoes},
    Operation{"quota", "left", kLooks},
    Operation{"payments", "pay"},
    Operation{"payments", "settle"},
    Operation{"payments", "charge"},
    Operation{"payments", "refund"},
    Operation{"payments", "partial_refund"},
    Operation{"payments", "query", kLooks},
    Operation{"payments", "check_refunded", kLooks},
    Operation{"ledger", "post"},
    Operation{"ledger", "reverse", kUndoes},
    Operation{"ledger", "reverse_order"},
    Operation{"ledger", "reverse_part"},
    Operation{"ledger", "standing", kLooks},
    Operation{"supplier", "issue"},
    Operation{"supplier", "void", kUndoes},
    Operation{"warehouse", "allocate_serial"},
    Operation{"warehouse", "free_serial", kUndoes},
    Operation{"warehouse", "pick"},
    Operation{"warehouse", "put_back", kUndoes},
    Operation{"warehouse", "dispatch"},
    Operation{"warehouse", "recall", kUndoes},
    Operation{"carrier", "book"},
    Operation{"carrier", "cancel", kUndoes},
    Operation{"riders", "dispatch"},
    Operation{"riders", "recall", kUndoes},
    Operation{"merchants", "push"},
    Operation{"merchants", "cancel", kUndoes},
    Operation{"oms", "push"},
    Operation{"oms", "cancel", kUndoes},
    Operation{"counters", "add"},
    Operation{"counters", "subtract", kUndoes},
    Operation{"points", "award"},
    Operation{"notification", "send"},
    Operation{"notification", "alarm"},
    Operation{"notification", "push_code"},
    Operation{"notification", "wechat"},
    Operation{"settlement", "notify"},
    Operation{"settlement", "notify_rider"},
    Operation{"invoices", "request"},
    Operation{"gifts", "send"},
    Operation{"maintenance", "warm"},
    Operation{"maintenance", "report"},
    Operation{"maintenance", "archive"},
    Operation{"maintenance", "reconcile"},
    Operation{"maintenance", "probe"},
};

bool is_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::unique_ptr<Business> business_of(std::string_view service, std::int64_t usual_quantity) {
  if (is_of(service, {"stock", "coupons", "redpackets", "quota"})) {
    return std::make_unique<Reservations>(usual_quantity);
  }
  if (service == "payments") return std::make_unique<Payments>();
  if (service == "ledger") return std::make_unique<Accounts>();
  if (is_of(service, {"risk", "prices", "users", "addresses", "shops", "menus"})) {
    return std::make_unique<Lookups>();
  }
  return std::make_unique<Bookings>();
}

}  // namespace

std::span<const Operation> operations() { return kOperations; }

const Operation* find_operation_of(std::string_view service, std::string_view name) {
  for (const Operation& operation : operations()) {
    if (operation.service == service && operation.name == name) return &operation;
  }
  return nullptr;
}

std::vector<std::string_view> service_names() {
  std::vector<std::string_view> names;
  for (const Operation& operation : operations()) {
    if (names.empty() || names.back() != operation.service) names.push_back(operation.service);
  }
  return names;
}

Result<std::unique_ptr<Services>> Services::open(const std::string& folder,
                                                 std::int64_t usual_quantity) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) {
    return fail(Code::kUnavailable, "ledger",
                "cannot make the folder " + folder + ": " + problem.message());
  }
  auto services = std::make_unique<Services>();
  for (const std::string_view name : service_names()) {
    auto service = Service::open(folder + '/' + std::string(name) + ".ledger",
                                 business_of(name, usual_quantity));
    if (!service) return tl::unexpected(service.error());
    services->services_.emplace(name, *std::move(service));
  }
  return services;
}

Service* Services::find(std::string_view name) {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : found->second.get();
}

Json Services::sums() const {
  Json all = Json::object();
  for (const auto& [name, service] : services_) {
    const ServiceSums sums = service->sums();
    all[name] = {
        {"done", sums.done},     {"refused", sums.refused},         {"repeats", sums.repeats},
        {"fenced", sums.fenced}, {"early_undos", sums.early_undos}, {"sums", sums.business}};
  }
  return all;
}

}  // namespace ordo::shop
