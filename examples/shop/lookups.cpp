#include "examples/shop/lookups.hpp"

namespace ordo::shop {
namespace {
/// What a shop loses at most by a wrong guess.
constexpr std::int64_t kSmallCents = 50 * 100;
}  // namespace

void Lookups::decide(const Call&, const Entry*, Entry& entry) const { refuse(entry, "no_effect"); }

void Lookups::look(const Call& call, Entry& entry) const {
  if (entry.operation == "accept_small") {
    const auto cents = call.cents();
    if (!cents || *cents >= kSmallCents) return refuse(entry, "risk");
  }
  entry.result = {{"found", true}};
}

}  // namespace ordo::shop
