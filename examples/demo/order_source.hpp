// Where the demo's orders come from: a seeded stream of made-up customers, or invoices.
//
// Shapes:  of made-up orders 41 % are takeaway, 21 % digital, 13 % books, 13 % 3c, 12 % o2o_flash,
//          as examples/shop/pipelines has them; payload and context name what a service looks for.
//          One digital order in a thousand asks for a card that its supplier no longer has, which
//          is what ends parked; one of twenty orders of books waits for the book to come out. The
//          plain mix is of examples/pipelines, whose orders wait for nobody: half digital, three
//          tenths 3c, two tenths hello.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "examples/demo/invoices.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

enum class Mix : std::uint8_t { kShop, kPlain };

class OrderSource {
 public:
  OrderSource(std::uint64_t seed, std::size_t count, Mix mix = Mix::kShop)
      : random_(seed), count_(count), mix_(mix) {}
  /// Invoices become orders of pipeline 3c: goods from a warehouse.
  OrderSource(std::vector<Invoice> invoices, std::size_t count);

  [[nodiscard]] std::size_t size() const { return count_; }
  /// The next order; nullopt after the last.
  std::optional<client::Order> next();

 private:
  client::Order make_up();
  client::Order make_up_plain();
  void add_books(nlohmann::ordered_json& payload);

  Random random_{0};
  std::size_t count_;
  Mix mix_ = Mix::kShop;
  std::size_t made_ = 0;
  std::vector<Invoice> invoices_;
};

}  // namespace ordo::demo
