#include "examples/demo/submitter.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/clock.hpp"

namespace ordo::demo {
namespace {

// Two fdatasyncs a batch: large enough to spread them, small enough for an even stream.
constexpr std::size_t kBatch = 256;
constexpr auto kTick = std::chrono::milliseconds{20};

}  // namespace

Submitter::Submitter(client::Client& client, AckLog& log, const SubmitOptions& options)
    : client_(client), log_(log), options_(options), random_(options.seed), start_(steady_now()) {}

std::size_t Submitter::due() const {
  if (options_.rate <= 0) return kBatch;
  const double seconds = std::chrono::duration<double>(steady_now() - start_).count();
  const double wanted = seconds * options_.rate + 1;
  const double open = wanted - static_cast<double>(counts_.tried);
  return open < 1 ? 0 : std::min(kBatch, static_cast<std::size_t>(open));
}

Result<bool> Submitter::step(OrderSource& source) {
  std::vector<client::Order> orders;
  const std::size_t wanted = due();
  if (wanted == 0) {
    std::this_thread::sleep_for(kTick);
    return true;
  }
  while (orders.size() < wanted) {
    auto order = source.next();
    if (!order) break;
    orders.push_back(std::move(*order));
  }
  if (orders.empty()) return false;
  if (auto sent = send(std::move(orders)); !sent) return tl::unexpected(sent.error());
  return true;
}

Result<void> Submitter::send(std::vector<client::Order> orders) {
  for (client::Order& order : orders) {
    auto id = client_.draw_id(order.key);
    if (!id) return tl::unexpected(id.error());
    order.id = *id;
    log_.tried(*id);
    ++counts_.tried;
  }
  if (auto synced = log_.sync(); !synced) return synced;
  if (options_.before) options_.before(orders);
  const Steady sent = steady_now();
  const auto answers = client_.submit_batch(std::move(orders), {.timeout = options_.timeout});
  const std::chrono::duration<double, std::milli> took = steady_now() - sent;
  counts_.ack_ms.push_back(took.count());
  for (const client::Submitted& answer : answers) take(answer);
  if (auto synced = log_.sync(); !synced) return synced;
  for (const client::Submitted& answer : answers) {
    if (!answer.receipt || !random_.chance(options_.cancel_chance)) continue;
    // It may have ended already, which is an answer as good as any.
    (void)client_.cancel(answer.receipt->id,
                         {.who = "demo", .why = "the customer changed their mind"});
  }
  return {};
}

void Submitter::take(const client::Submitted& submitted) {
  if (submitted.receipt) {
    ++counts_.acked;
    log_.acked(submitted.receipt->id);
  } else if (submitted.receipt.error().code == Code::kUnknown) {
    ++counts_.unknown;
    log_.unknown(submitted.id);
  } else {
    ++counts_.refused;
    counts_.last_refusal = submitted.receipt.error().message;
    log_.refused(submitted.id, submitted.receipt.error().reason);
  }
}

}  // namespace ordo::demo
