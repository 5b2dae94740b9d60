// All services of the shop by name, with what each can be asked: the street that they stand in.
//
// Shapes:  operations() is the table "service/operation"; each service's ledger is the file
//          FOLDER/SERVICE.ledger.
// Errors:  open() of the first service that cannot.
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "examples/shop/service.hpp"

namespace ordo::shop {

struct Operation {
  std::string_view service;
  std::string_view name;
  Role role = Role::kActs;
};

std::span<const Operation> operations();
/// nullptr where there is none of that name.
const Operation* find_operation_of(std::string_view service, std::string_view name);
/// The name of each service once.
std::vector<std::string_view> service_names();

class Services {
 public:
  /// `usual_quantity`: of what nobody has opened, in stock, coupons, red packets and quotas.
  static Result<std::unique_ptr<Services>> open(const std::string& folder,
                                                std::int64_t usual_quantity);
  /// nullptr where there is none of that name.
  Service* find(std::string_view name);
  [[nodiscard]] Json sums() const;

 private:
  std::map<std::string, std::unique_ptr<Service>, std::less<>> services_;
};

}  // namespace ordo::shop
