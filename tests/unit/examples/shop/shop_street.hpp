// A street of services in a folder of its own, for tests: calls by words, opened again as after a
// kill.
//
// Threads: one owner.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "examples/shop/services.hpp"
#include "tests/support/process_files.hpp"

namespace ordo::shop {

class ShopStreet : public ::testing::Test {
 protected:
  ShopStreet() : folder_(testing::temporary_folder("street")) { open(); }
  ~ShopStreet() override { std::filesystem::remove_all(folder_); }

  /// Reads the ledgers again, as after a kill.
  void open(std::int64_t usual_quantity = 10) {
    services_.reset();
    auto opened = Services::open(folder_, usual_quantity);
    ASSERT_TRUE(opened) << opened.error().message;
    services_ = *std::move(opened);
  }
  /// "stock/reserve" with the effect key ORDER/step/branch/kind.
  Reply call(const std::string& what, const std::string& key, const std::string& body = "{}",
             const std::string& refusal = {}) {
    const auto slash = what.find('/');
    const auto* const operation = find_operation_of(what.substr(0, slash), what.substr(slash + 1));
    const auto parsed = Call::parse(key, what.substr(slash + 1), body);
    EXPECT_TRUE(operation != nullptr && parsed) << what << " " << key;
    return services_->find(operation->service)->call(*parsed, operation->role, refusal, ++now_);
  }
  bool is_done(const std::string& what, const std::string& key, const std::string& body = "{}") {
    return call(what, key, body).what == Reply::What::kDone;
  }
  std::string reason(const std::string& what, const std::string& key,
                     const std::string& body = "{}") {
    return call(what, key, body).entry.reason;
  }
  [[nodiscard]] Json sums(const std::string& service) const {
    return services_->sums()[service]["sums"];
  }
  [[nodiscard]] Json counts(const std::string& service) const { return services_->sums()[service]; }
  [[nodiscard]] std::string ledger(const std::string& service) const {
    return folder_ + '/' + service + ".ledger";
  }

  std::string folder_;
  std::unique_ptr<Services> services_;
  std::int64_t now_ = 0;
};

}  // namespace ordo::shop
