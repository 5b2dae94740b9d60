#include "examples/demo/order_source.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace ordo::demo {
namespace {

constexpr std::uint64_t kCustomers = 5000;
constexpr std::uint64_t kArticles = 800;
constexpr std::uint64_t kShops = 40;
constexpr std::uint64_t kPhones = 5;

struct Share {
  const char* pipeline;
  double upto;  ///< of all orders, those before included
};
constexpr std::array kMix{Share{"takeaway", 0.41}, Share{"digital", 0.62}, Share{"books", 0.75},
                          Share{"3c", 0.88}, Share{"o2o_flash", 1.0}};

const char* pipeline_of(double chance) {
  for (const Share& share : kMix) {
    if (chance < share.upto) return share.pipeline;
  }
  return kMix.back().pipeline;
}

/// Of orders with so many parcels or fewer.
constexpr std::array kParcels{0.5, 0.8, 0.95, 1.0};

}  // namespace

OrderSource::OrderSource(std::vector<Invoice> invoices, std::size_t count)
    : count_(std::min(count, invoices.size())), invoices_(std::move(invoices)) {}

std::optional<client::Order> OrderSource::next() {
  if (made_ == count_) return std::nullopt;
  const std::size_t number = made_++;
  if (!invoices_.empty()) return order_of(invoices_[number], "3c");
  return mix_ == Mix::kShop ? make_up() : make_up_plain();
}

client::Order OrderSource::make_up_plain() {
  client::Order order;
  const double chance = random_.unit();
  order.pipeline = chance < 0.5 ? "digital" : chance < 0.8 ? "3c" : "hello";
  order.customer = "customer-" + std::to_string(random_.below(kCustomers));
  nlohmann::ordered_json payload{{"article", "A" + std::to_string(random_.below(kArticles))},
                                 {"quantity", 1 + random_.below(3)},
                                 {"cents", 199 + random_.below(20'000)}};
  if (order.pipeline == "digital" && random_.chance(0.001)) payload["note"] = "discontinued";
  order.payload = payload.dump();
  if (random_.chance(0.05)) order.priority = 2;
  return order;
}

client::Order OrderSource::make_up() {
  client::Order order;
  order.pipeline = pipeline_of(random_.unit());
  order.customer = "customer-" + std::to_string(random_.below(kCustomers));
  const std::string shop = "shop-" + std::to_string(random_.below(kShops));
  const std::string number = std::to_string(random_.below(kArticles));
  nlohmann::ordered_json payload{{"sku", order.pipeline + "-" + number},
                                 {"quantity", 1 + random_.below(3)},
                                 {"cents", 199 + random_.below(20'000)},
                                 {"shop", shop}};
  if (order.pipeline == "3c") payload["sku"] = "phone-" + std::to_string(random_.below(kPhones));
  if (order.pipeline == "o2o_flash") {
    payload["sku"] = "set-meal";
    payload["quantity"] = 1;
    payload["cents"] = 100;
  }
  if (order.pipeline == "books") add_books(payload);
  if (order.pipeline == "digital" && random_.chance(0.001)) payload["note"] = "discontinued";
  order.payload = payload.dump();
  order.context = nlohmann::json{{"sku", payload["sku"]}, {"shop", shop}}.dump();
  // A few customers have paid for being served first.
  if (random_.chance(0.05)) order.priority = 2;
  return order;
}

void OrderSource::add_books(nlohmann::ordered_json& payload) {
  const double chance = random_.unit();
  std::size_t parcels = 0;
  while (chance >= kParcels.at(parcels)) ++parcels;
  nlohmann::ordered_json books = nlohmann::ordered_json::array();
  std::uint64_t cents = 0;
  for (std::size_t i = 0; i <= parcels; ++i) {
    const std::uint64_t price = 500 + random_.below(5'000);
    cents += price;
    books.push_back({{"sku", "book-" + std::to_string(random_.below(kArticles))},
                     {"quantity", 1},
                     {"cents", price},
                     {"warehouse", "w" + std::to_string(i)}});
  }
  payload["books"] = std::move(books);
  payload["cents"] = cents;
  payload["preorder"] = random_.chance(0.05);
}

}  // namespace ordo::demo
