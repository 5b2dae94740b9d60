#include "bench/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace ordo::bench {
namespace {

/// Orders handed to the client at once: what a busy web server gathers in a few hundred
/// microseconds.
constexpr std::size_t kBatch = 64;

}  // namespace

void Load::submit(std::size_t many, std::int64_t intended, bool retries_busy) {
  std::vector<client::Order> orders(many);
  for (auto& order : orders) {
    order.pipeline = pipeline_;
    order.payload.assign(payload_bytes_, 'x');
    if (payload_bytes_ >= sizeof intended)
      std::memcpy(order.payload.data(), &intended, sizeof intended);
  }
  counts.submitted += many;
  unanswered_ += many;
  client_.submit_batch_async(std::move(orders),
                             [this, intended](std::vector<client::Submitted> answers) {
                               const std::int64_t took = steady_micros() - intended;
                               for (const auto& answer : answers) {
                                 if (answer.receipt) {
                                   ++counts.acked;
                                   counts.ack.add(took);
                                 } else if (answer.receipt.error().code == Code::kBusy) {
                                   ++counts.busy;
                                   counts.reject.add(took);
                                 } else {
                                   if (counts.failed++ == 0) {
                                     std::fprintf(stderr, "a submit failed: %s\n",
                                                  answer.receipt.error().message.c_str());
                                   }
                                 }
                               }
                               unanswered_ -= answers.size();
                             },
                             {.timeout = {}, .retries_busy = retries_busy});
}

void Load::closed_loop(std::uint64_t open, const std::function<std::uint64_t()>& ended,
                       const std::function<bool()>& stop) {
  while (!stop()) {
    const std::uint64_t out =
        counts.submitted - counts.failed - std::min(ended(), counts.submitted.load());
    if (out + kBatch > open) {
      usleep(200);
      continue;
    }
    submit(kBatch, steady_micros(), true);
  }
}

void Load::open_loop(double rate, bool retries_busy, const std::function<bool()>& stop) {
  const std::int64_t start = steady_micros();
  std::uint64_t sent = 0;
  while (!stop()) {
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>(steady_micros() - start) * rate / 1e6);
    if (due <= sent) {
      usleep(200);
      continue;
    }
    const std::size_t many = std::min<std::size_t>(kBatch, due - sent);
    const auto intended = start + static_cast<std::int64_t>(static_cast<double>(sent) * 1e6 / rate);
    submit(many, intended, retries_busy);
    sent += many;
  }
}

void Load::fill(std::uint64_t count, const std::function<void(std::uint64_t)>& progress) {
  constexpr std::uint64_t kOutstanding = 20'000;
  while (counts.acked + counts.failed < count) {
    const std::uint64_t begun = counts.submitted;
    if (begun < count && unanswered_ < kOutstanding) {
      submit(std::min<std::size_t>(kBatch, count - begun), steady_micros(), true);
    } else {
      usleep(200);
      progress(counts.acked);
    }
  }
}

void Load::settle() {
  while (unanswered_ > 0) usleep(1000);
}

}  // namespace ordo::bench
