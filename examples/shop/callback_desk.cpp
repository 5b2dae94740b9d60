#include "examples/shop/callback_desk.hpp"

#include <cmath>
#include <utility>

#include "base/clock.hpp"

namespace ordo::shop {
namespace {

std::int64_t wall_ms() {
  return std::chrono::duration_cast<Millis>(wall_now().time_since_epoch()).count();
}

}  // namespace

Result<std::unique_ptr<CallbackDesk>> CallbackDesk::open(CallbackOptions options,
                                                         Services& services,
                                                         std::unique_ptr<CallbackSink> sink) {
  const std::string path = options.folder + "/callbacks.log";
  auto log = LineFile::open(path);
  if (!log) return tl::unexpected(log.error());
  const auto lines = read_lines(path);
  if (!lines) return tl::unexpected(lines.error());
  std::unique_ptr<CallbackDesk> desk(
      new CallbackDesk(std::move(options), services, std::move(sink), *std::move(log)));
  desk->ended_.insert(lines->begin(), lines->end());
  for (const Operation& operation : operations()) {
    const Consequence* const what = find_consequence(operation.service, operation.name);
    if (what == nullptr) continue;
    for (const Entry& entry : services.find(operation.service)->entries(operation.name)) {
      if (entry.is_done) desk->schedule(*what, entry);
    }
  }
  desk->ended_.clear();
  for (int i = 0; i < kTellers; ++i) {
    desk->tellers_.emplace_back([raw = desk.get()] { raw->run(); });
  }
  return desk;
}

CallbackDesk::~CallbackDesk() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& teller : tellers_) teller.join();
}

void CallbackDesk::noticed(std::string_view service, const Entry& entry) {
  const Consequence* const what = find_consequence(service, entry.operation);
  if (what != nullptr && entry.is_done) schedule(*what, entry);
}

std::int64_t CallbackDesk::scaled_ms(double seconds) const {
  return std::llround(seconds * 1000 * options_.time_scale);
}

void CallbackDesk::schedule(const Consequence& what, const Entry& entry) {
  const std::string pipeline = entry.result.value("pipeline", "");
  const PlannedCallbacks planned = plan(what, pipeline, options_.seed, entry.key);
  if (!planned.is_true) return;
  Callback callback{.id = entry.key,
                    .order = entry.order,
                    .signal = std::string(what.signal),
                    .pipeline = pipeline,
                    .dedup = entry.key,
                    .payload = entry.result.value("attach", Json::object())};
  callback.payload[std::string(what.signal)] = true;
  for (const char* field : {"payment", "number"}) {
    if (entry.result.contains(field)) callback.payload[field] = entry.result[field];
  }
  if (what.is_payment) {
    callback.payload["amount"] = static_cast<double>(entry.cents) / 100;
    push({entry.at_ms + scaled_ms(planned.true_after_s), callback, 0, true});
  }
  for (std::size_t i = 0; i < planned.tell_s.size() && sink_; ++i) {
    callback.id = entry.key + '#' + std::to_string(i + 1);
    push({entry.at_ms + scaled_ms(planned.tell_s[i]), callback, 0, false});
  }
}

void CallbackDesk::push(Due due) {
  // A settlement is idempotent by its key, and so cheap that it is simply done again.
  if (ended_.contains(due.callback.id)) return;
  {
    const std::lock_guard lock(mutex_);
    due_.push(std::move(due));
  }
  changed_.notify_all();
}

void CallbackDesk::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    const std::int64_t now = wall_ms();
    if (due_.empty()) {
      changed_.wait(lock);
    } else if (due_.top().at_ms > now) {
      changed_.wait_for(lock, Millis{due_.top().at_ms - now});
    } else {
      Due due = due_.top();
      due_.pop();
      ++busy_;
      lock.unlock();
      handle(std::move(due));
      lock.lock();
      --busy_;
    }
  }
}

void CallbackDesk::handle(Due due) {
  // A word about a payment is never sent before the payment itself is on record.
  if (due.callback.signal == "paid") settle(due.callback);
  if (due.is_settlement) return;
  if (sink_->deliver(due.callback)) {
    ++taken_;
    return note_end(due.callback.id);
  }
  ++refused_;
  if (due.tries >= kRetryAfter_s.size()) {
    ++given_up_;
    return note_end(due.callback.id);
  }
  due.at_ms = wall_ms() + scaled_ms(kRetryAfter_s[due.tries++]);
  push(std::move(due));
}

void CallbackDesk::settle(const Callback& callback) {
  const Json body{{"order", callback.order}, {"payment", callback.dedup}};
  const auto call = Call::parse(callback.dedup + "+paid", "settle", body.dump());
  if (call) services_.find("payments")->call(*call, Role::kActs, {}, wall_ms());
}

void CallbackDesk::note_end(const std::string& id) { log_->wait(log_->put(id)); }

Json CallbackDesk::sums() {
  const std::lock_guard lock(mutex_);
  return {{"scheduled", due_.size() + static_cast<std::size_t>(busy_)},
          {"taken", taken_.load()},
          {"refused", refused_.load()},
          {"given_up", given_up_.load()}};
}

}  // namespace ordo::shop
