#include "client/parked/parked_tasks.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "client/parked/signature.hpp"

namespace ordo::parked {
namespace {

constexpr unsigned kPage = 1000;

}  // namespace

std::string shown_step(const client::TaskOf& task) {
  return (task.is_compensation ? "~" : "") + task.step;
}

bool ParkedFilter::matches(const ParkedTask& parked) const {
  const bool is_error = is_part_of_error ? parked.error.find(error) != std::string::npos
                                         : error.empty() || error == parked.error;
  return (pipeline.empty() || pipeline == parked.pipeline) &&
         (step.empty() || step == shown_step(parked.task)) && is_error;
}

std::vector<ParkedTask> parked_tasks_of(const client::OrderView& order) {
  std::vector<ParkedTask> parked;
  for (const client::TaskView& task : order.tasks) {
    if (task.state != "parked") continue;
    const std::string& said = task.error.empty() ? task.reason : task.error;
    parked.push_back({{order.id, task.step, task.branch, task.is_compensation},
                      order.pipeline,
                      error_signature(said),
                      order.accepted_at_ms});
  }
  return parked;
}

std::vector<ParkedGroup> groups_of(const std::vector<ParkedTask>& tasks) {
  std::map<std::tuple<std::string, std::string, std::string>, ParkedGroup> groups;
  for (const ParkedTask& one : tasks) {
    ParkedGroup& group = groups[{one.pipeline, shown_step(one.task), one.error}];
    const bool is_older = group.count == 0 || one.accepted_at_ms < group.oldest.accepted_at_ms;
    if (is_older) group.oldest = one;
    ++group.count;
  }
  std::vector<ParkedGroup> sorted;
  sorted.reserve(groups.size());
  for (auto& [key, group] : groups) sorted.push_back(std::move(group));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ParkedGroup& a, const ParkedGroup& b) { return a.count > b.count; });
  return sorted;
}

Result<ParkedLook> look_for_parked(client::Client& client,
                                   const std::function<bool(const ParkedLook&)>& is_enough) {
  ParkedLook look;
  client::Query query{.which = client::Which::kParked, .limit = kPage};
  while (look.orders < kLooks && !is_enough(look)) {
    const auto page = client.list(query);
    if (!page) return tl::unexpected(page.error());
    look.orders += page->orders.size();
    for (const auto& order : page->orders) {
      for (auto& task : parked_tasks_of(order)) look.tasks.push_back(std::move(task));
    }
    query.after = page->after;
    look.is_all = page->is_last;
    if (page->is_last) break;
  }
  return look;
}

}  // namespace ordo::parked
