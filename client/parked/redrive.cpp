#include "client/parked/redrive.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace ordo::parked {
namespace {

using std::chrono::milliseconds;

/// Between two rounds of looking while nothing is to be sent.
constexpr milliseconds kPause{20};

/// What comes next is worth trying only after the broker has come back.
bool must_stop(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kUnknown ||
         error.code == Code::kNotOwner || error.code == Code::kUnauthorized;
}

std::string named(const client::TaskOf& task) {
  return "step " + shown_step(task) + " of order " + task.id.to_string();
}

}  // namespace

RedriveReport Redrive::run(const std::vector<ParkedTask>& tasks) {
  report_.matched = tasks.size();
  const std::chrono::duration<double> gap(1.0 / options_.per_second);
  auto next = Clock::now();
  for (std::size_t i = 0; i < tasks.size() && goes_on(); ++i) {
    if (i == options_.canary) settle_all();
    while (goes_on() && (Clock::now() < next || sent_.size() >= kUnsettled)) {
      look();
      const auto until = std::min(next, Clock::now() + kPause);
      if (Clock::now() < until) std::this_thread::sleep_until(until);
    }
    if (!goes_on()) break;
    send(tasks[i]);
    next = std::max(next, Clock::now()) + std::chrono::duration_cast<Clock::duration>(gap);
  }
  settle_all();
  report_.unsettled = sent_.size();
  if (told_) told_(report_);
  return report_;
}

bool Redrive::goes_on() {
  if (report_.stopped.empty() && options_.must_stop && options_.must_stop()) {
    report_.stopped = "it was interrupted";
  }
  return report_.stopped.empty();
}

void Redrive::send(const ParkedTask& task) {
  const auto answer = client_.retry(task.task, by_);
  if (answer) {
    ++report_.sent;
    sent_.push_back({task.task, Clock::now(), {}});
  } else if (must_stop(answer.error())) {
    report_.stopped = answer.error().message;
  } else {
    ++report_.refused;
    if (report_.refusals.size() < RedriveReport::kExamples) {
      report_.refusals.push_back({task.task, answer.error().message});
    }
  }
  if (told_) told_(report_);
}

/// Asks for each sent task whose turn it is, oldest first.
void Redrive::look() {
  for (Sent& sent : sent_) {
    if (report_.repeat) return;
    if (Clock::now() - sent.looked >= kLookEvery) judge(sent);
  }
  const auto settled = std::erase_if(sent_, [](const Sent& one) { return one.task.step.empty(); });
  if (settled > 0 && told_) told_(report_);
}

/// A settled one loses its step's name.
void Redrive::judge(Sent& sent) {
  sent.looked = Clock::now();
  const auto order = client_.get(sent.task.id);
  if (!order) {
    if (must_stop(order.error())) report_.stopped = order.error().message;
    return;
  }
  const auto found = std::find_if(order->tasks.begin(), order->tasks.end(), [&](const auto& task) {
    return task.step == sent.task.step && task.branch == sent.task.branch &&
           task.is_compensation == sent.task.is_compensation;
  });
  if (found == order->tasks.end()) return;
  if (found->state == "parked" || found->state == "failed" || found->failures > 0) {
    report_.repeat = {sent.task, found->error.empty() ? found->reason : found->error};
    report_.stopped = named(sent.task) + " failed again";
  } else if (found->state == "succeeded" || found->state == "skipped") {
    ++report_.succeeded;
    sent.task.step.clear();
  } else if (found->state == "cancelled") {
    sent.task.step.clear();
  } else if (Clock::now() - sent.at > options_.settle && report_.stopped.empty()) {
    report_.stopped = named(sent.task) + " is not done " + std::to_string(options_.settle.count()) +
                      " ms after it was sent";
  }
}

/// Until all that was sent is known, or something stops.
void Redrive::settle_all() {
  while (goes_on() && !sent_.empty()) {
    look();
    if (goes_on() && !sent_.empty()) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace ordo::parked
