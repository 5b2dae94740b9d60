#include "examples/shop/service.hpp"

#include <utility>

#include "base/check.hpp"

namespace ordo::shop {
namespace {
constexpr std::string_view kUndone = "undone";
}

Result<std::unique_ptr<Service>> Service::open(const std::string& path,
                                               std::unique_ptr<Business> business) {
  auto file = LineFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const auto lines = read_lines(path);
  if (!lines) return tl::unexpected(lines.error());
  std::unique_ptr<Service> service(new Service(*std::move(file), std::move(business)));
  for (std::size_t i = 0; i < lines->size(); ++i) {
    auto entry = entry_of((*lines)[i]);
    if (entry && service->keep(*std::move(entry))) continue;
    return fail(Code::kMalformed, "ledger",
                path + ":" + std::to_string(i + 1) +
                    ": the line cannot follow those before it: " + (*lines)[i]);
  }
  return service;
}

Reply Service::call(const Call& call, Role role, std::string_view refusal, std::int64_t now_ms) {
  Reply reply;
  std::uint64_t round = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto known = by_key_.find(call.key());
    reply.is_repeat = known != by_key_.end() && role != Role::kLooks;
    if (reply.is_repeat) {
      ++sums_.repeats;
      reply.entry = entries_[known->second];
      round = last_round_;
    } else {
      reply.entry = decide(call, role, refusal, now_ms);
      if (role != Role::kLooks) {
        round = last_round_ = file_->put(line_of(reply.entry));
        ORDO_CHECK(keep(reply.entry), "a service decides what it cannot do", line_of(reply.entry));
      }
    }
  }
  file_->wait(round);
  reply.what = reply.entry.is_done ? Reply::What::kDone : Reply::What::kRefused;
  if (reply.entry.operation != call.operation()) reply.what = Reply::What::kConflict;
  return reply;
}

Entry Service::decide(const Call& call, Role role, std::string_view refusal,
                      std::int64_t now_ms) const {
  Entry entry{.at_ms = now_ms,
              .key = call.key(),
              .operation = call.operation(),
              .order = call.order(),
              .reference = call.reference()};
  if (!refusal.empty()) {
    refuse(entry, refusal);
  } else if (role == Role::kLooks) {
    business_->look(call, entry);
  } else if (role == Role::kUndoes) {
    entry.undoes = call.undoes();
    if (entry.undoes.empty()) {
      refuse(entry, "undoes_nothing");
    } else {
      const auto found = by_key_.find(entry.undoes);
      const bool is_done = found != by_key_.end() && entries_[found->second].is_done;
      business_->decide(call, is_done ? &entries_[found->second] : nullptr, entry);
    }
  } else if (undone_.contains(call.key())) {
    refuse(entry, kUndone);
  } else {
    business_->decide(call, nullptr, entry);
  }
  return entry;
}

bool Service::keep(Entry entry) {
  const bool is_late = undone_.contains(entry.key);
  if (is_late && entry.is_done) return false;
  if (!by_key_.emplace(entry.key, entries_.size()).second || !business_->apply(entry)) return false;
  ++(entry.is_done ? sums_.done : sums_.refused);
  if (is_late) ++sums_.fenced;
  if (entry.is_done && !entry.undoes.empty()) {
    if (!by_key_.contains(entry.undoes)) ++sums_.early_undos;
    undone_.insert(entry.undoes);
  }
  entries_.push_back(std::move(entry));
  return true;
}

ServiceSums Service::sums() const {
  const std::lock_guard lock(mutex_);
  ServiceSums sums = sums_;
  sums.business = business_->sums();
  return sums;
}

std::vector<Entry> Service::entries(std::string_view operation) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> found;
  for (const Entry& entry : entries_) {
    if (entry.operation == operation) found.push_back(entry);
  }
  return found;
}

}  // namespace ordo::shop
