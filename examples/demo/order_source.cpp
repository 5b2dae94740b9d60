#include "examples/demo/order_source.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace ordo::demo {
namespace {

constexpr std::uint64_t kCustomers = 5000;
constexpr std::uint64_t kArticles = 800;

const char* pipeline_of(double chance) {
  if (chance < 0.5) return "digital";
  return chance < 0.8 ? "3c" : "hello";
}

}  // namespace

OrderSource::OrderSource(std::vector<Invoice> invoices, std::size_t count)
    : count_(std::min(count, invoices.size())), invoices_(std::move(invoices)) {}

std::optional<client::Order> OrderSource::next() {
  if (made_ == count_) return std::nullopt;
  const std::size_t number = made_++;
  return invoices_.empty() ? make_up() : order_of(invoices_[number], "3c");
}

client::Order OrderSource::make_up() {
  client::Order order;
  order.pipeline = pipeline_of(random_.unit());
  order.customer = "customer-" + std::to_string(random_.below(kCustomers));
  nlohmann::ordered_json payload{{"article", "A" + std::to_string(random_.below(kArticles))},
                                 {"quantity", 1 + random_.below(3)},
                                 {"cents", 199 + random_.below(20'000)}};
  if (order.pipeline == "digital" && random_.chance(0.001)) payload["note"] = "discontinued";
  order.payload = payload.dump();
  // A few customers have paid for being served first.
  if (random_.chance(0.05)) order.priority = 2;
  return order;
}

}  // namespace ordo::demo
