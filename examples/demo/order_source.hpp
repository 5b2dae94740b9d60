// Where the demo's orders come from: a seeded stream of made-up customers, or invoices.
//
// Shapes:  made-up orders are half digital, three tenths 3c, two tenths hello; one digital order in
//          a thousand asks for a card that its supplier no longer has, which is what ends parked.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "examples/demo/invoices.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

class OrderSource {
 public:
  OrderSource(std::uint64_t seed, std::size_t count) : random_(seed), count_(count) {}
  /// Invoices become orders of pipeline 3c: goods from a warehouse.
  OrderSource(std::vector<Invoice> invoices, std::size_t count);

  [[nodiscard]] std::size_t size() const { return count_; }
  /// The next order; nullopt after the last.
  std::optional<client::Order> next();

 private:
  client::Order make_up();

  Random random_{0};
  std::size_t count_;
  std::size_t made_ = 0;
  std::vector<Invoice> invoices_;
};

}  // namespace ordo::demo
