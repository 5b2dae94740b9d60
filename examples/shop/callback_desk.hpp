// Makes the consequences of effects come true in time, and tells the shop: customers' payments are
// settled, callbacks go to the sink, again and again until they are taken.
//
// Rule:    what is still to come survives a kill: it is drawn again from the ledgers at start, and
//          what was taken stands in FOLDER/callbacks.log. A callback may so be told twice, never
//          less than it was planned.
// Threads: kTellers of its own, so that a sink that takes its time for each word does not make all
//          others late. noticed() from any.
// Bounds:  what is scheduled is in memory, about 1 KiB each.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "examples/shop/callback_sink.hpp"
#include "examples/shop/services.hpp"

namespace ordo::shop {

struct CallbackOptions {
  std::string folder;  ///< of the ledgers
  double time_scale = 1;
  std::uint64_t seed = 1;
};

class CallbackDesk {
 public:
  /// Takes up what the ledgers say is still to come.
  static Result<std::unique_ptr<CallbackDesk>> open(CallbackOptions options, Services& services,
                                                    std::unique_ptr<CallbackSink> sink);
  ~CallbackDesk();
  CallbackDesk(const CallbackDesk&) = delete;
  CallbackDesk& operator=(const CallbackDesk&) = delete;

  /// An effect has been done, for the first time.
  void noticed(std::string_view service, const Entry& entry);
  /// {"scheduled","taken","refused","given_up"}
  [[nodiscard]] Json sums();

 private:
  struct Due {
    std::int64_t at_ms = 0;
    Callback callback;
    std::size_t tries = 0;
    bool is_settlement = false;  ///< a payment comes true; nobody is told
    bool operator>(const Due& other) const { return at_ms > other.at_ms; }
  };

  CallbackDesk(CallbackOptions options, Services& services, std::unique_ptr<CallbackSink> sink,
               std::unique_ptr<LineFile> log)
      : options_(std::move(options)),
        services_(services),
        sink_(std::move(sink)),
        log_(std::move(log)) {}
  void schedule(const Consequence& what, const Entry& entry);
  void push(Due due);
  void run();
  void handle(Due due);
  void settle(const Callback& callback);
  void note_end(const std::string& id);
  [[nodiscard]] std::int64_t scaled_ms(double seconds) const;

  /// As many words as may be on their way at the same time.
  static constexpr int kTellers = 16;

  const CallbackOptions options_;
  Services& services_;
  const std::unique_ptr<CallbackSink> sink_;
  const std::unique_ptr<LineFile> log_;
  std::unordered_set<std::string> ended_;  ///< ids taken before the start; empty once they run

  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  bool is_stopped_ = false;
  std::atomic<std::uint64_t> taken_ = 0, refused_ = 0, given_up_ = 0;
  int busy_ = 0;  ///< tellers that have taken something out and are not through with it
  std::vector<std::thread> tellers_;
};

}  // namespace ordo::shop
