#include "broker/app/store_thread.hpp"

#include <pthread.h>

#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace ordo {
namespace {

// Three times within the shortest time that the engine trusts a session it has not heard of.
constexpr Millis kProbeEvery{300};
// How long a thread with nothing to do looks away; stop() wakes it.
constexpr Millis kIdle{1000};

void name_thread(std::thread& thread, const std::string& name) {
  pthread_setname_np(thread.native_handle(), name.c_str());
}

}  // namespace

StoreThread::StoreThread(ShardNumber shard, MakeStore make, StoreMetrics& metrics, Mailbox& mailbox)
    : queue_(shard), make_(std::move(make)), metrics_(metrics), mailbox_(mailbox) {
  thread_ = std::thread([this] { run(); });
  name_thread(thread_, "store-" + std::to_string(shard));
}

StoreThread::~StoreThread() {
  inbox_.close();
  thread_.join();
}

void StoreThread::push(std::vector<StoreOperation>& operations) {
  // Refused only after stop(), when nobody waits for the outcome any more.
  if (!inbox_.push(std::exchange(operations, {}))) ORDO_CHECK(inbox_.is_closed());
}

void StoreThread::run() {
  std::unique_ptr<ShardStore> session;
  std::vector<Event> events;
  Steady quiet_since = steady_now();
  Micros patience{0};
  while (!inbox_.is_closed()) {
    for (auto& operations : inbox_.take_all(patience)) {
      for (auto& operation : operations) queue_.push(std::move(operation));
    }
    metrics_.waiting.set(static_cast<double>(queue_.size()));
    if (perform_next(queue_, session, make_, events)) {
      patience = Micros{0};
      quiet_since = steady_now();
    } else if (!queue_.is_open()) {
      patience = kIdle;
    } else if (steady_now() - quiet_since >= kProbeEvery) {
      perform_probe(queue_, session, events);
      quiet_since = steady_now();
      patience = kProbeEvery;
    } else {
      patience = kProbeEvery;
    }
    mailbox_.post(events);
  }
}

ReaderThread::ReaderThread(std::unique_ptr<ShardReader> reader, Mailbox& mailbox)
    : reader_(std::move(reader)), mailbox_(mailbox) {
  thread_ = std::thread([this] { run(); });
  name_thread(thread_, "reader");
}

ReaderThread::~ReaderThread() {
  inbox_.close();
  thread_.join();
}

void ReaderThread::run() {
  std::vector<Event> events;
  while (!inbox_.is_closed()) {
    for (auto& query : inbox_.take_all(kIdle)) {
      if (inbox_.is_closed()) return;
      events.emplace_back(event::QueryDone{query.query, reader_->query(query.spec)});
      mailbox_.post(events);
    }
  }
}

}  // namespace ordo
