#include "examples/shop/bookings.hpp"

namespace ordo::shop {

void Bookings::decide(const Call& call, const Entry* undone, Entry& entry) const {
  if (!entry.undoes.empty()) {
    if (undone == nullptr || closed_.contains(undone->key)) return;
    entry.item = undone->item;
    entry.quantity = -undone->quantity;
    entry.result = {{"undone", undone->result.value("number", "")}};
    return;
  }
  entry.item = call.text("shop");
  entry.quantity = 1;
  const auto found = made_.find(entry.operation);
  const std::int64_t number = (found == made_.end() ? 0 : found->second) + 1;
  entry.result = {{"number", entry.operation + '-' + std::to_string(number)},
                  {"pipeline", call.text("pipeline")}};
}

bool Bookings::apply(const Entry& entry) {
  if (!entry.is_done) return true;
  open_[entry.item] += entry.quantity;
  if (entry.quantity > 0) ++made_[entry.operation];
  if (entry.quantity >= 0) return true;
  return closed_.insert(entry.undoes).second && open_[entry.item] >= 0;
}

void Bookings::look(const Call&, Entry& entry) const { refuse(entry, "no_question"); }

Json Bookings::sums() const {
  std::int64_t open = 0;
  for (const auto& [item, count] : open_) open += count;
  return {{"made", made_}, {"undone", closed_.size()}, {"open", open}};
}

}  // namespace ordo::shop
