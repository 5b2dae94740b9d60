// The broker's one loop: turns frames and completions into the engine's events and performs its
// effects.
//
// Shapes:  a pass takes all completions, then a bounded amount from the workers' socket, then from
//          the clients'. Effects are performed after each of the three, so that acks wait for
//          nobody's next thousand orders.
// Rule:    sleeps only when a whole pass found nothing, until a frame, a completion or the engine's
//          deadline.
// Threads: run() on one thread, which owns engine, gateway and probe; drain() from any.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/app/fact_log.hpp"
#include "broker/app/health_view.hpp"
#include "broker/app/mailbox.hpp"
#include "broker/app/probe_thread.hpp"
#include "broker/app/store_thread.hpp"
#include "broker/core/engine.hpp"
#include "broker/net/gateway.hpp"
#include "monitoring/health/health_book.hpp"
#include "monitoring/probe/probe.hpp"

namespace ordo {

/// A shard's sessions and what the pass has for the first.
struct ShardThreads {
  std::unique_ptr<StoreThread> store;
  std::unique_ptr<ReaderThread> reader;
  std::unique_ptr<ProbeThread> probe;  ///< null: there is no database to ask
  std::vector<StoreOperation> operations;
};

class Loop {
 public:
  /// All outlive the loop.
  struct Parts {
    Engine& engine;
    Gateway& gateway;
    Mailbox& mailbox;
    std::map<ShardNumber, ShardThreads>& shards;
    MetricBook& book;
    Health& health;
    HealthView& view;
    health::HealthBook& watch;
    Millis drain;          ///< how long it waits for writes in flight at the end
    bool measures = true;  ///< false: facts reach the log alone, and nobody is judged
  };
  explicit Loop(Parts parts);

  /// Until a drain has come to its end, or a database turns out to be one that cannot be used.
  void run();
  /// Ends the loop: no new orders, no more tasks handed out, writes in flight are waited for.
  void drain();
  /// After run(): why it gave up; nullopt where it was drained.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  void pass();
  bool take_mail();
  bool take_frames(Gateway::Side side);
  bool take_gone();
  void follow_keys(Steady now);
  void step(Event&& event);
  void perform();
  void perform_store();
  void perform_queries();
  void observe_facts();
  void read_own_answers(health::Sample& sample);
  void judge(health::Sample& sample, Steady now);
  void begin_drain();
  void watch_for_misfits(const Event& event);
  void sleep();
  void sample(Steady now);
  void sample_sockets();
  [[nodiscard]] bool is_over() const;

  Parts parts_;
  Probe probe_;
  FactLog fact_log_;
  Effects effects_;
  std::vector<Event> events_;
  std::atomic<bool> must_drain_{false};
  std::optional<Steady> drain_until_;
  std::optional<Error> failure_;
  std::map<ShardNumber, bool> elsewhere_;  ///< whether another session owns it
  bool has_owned_ = false;                 ///< a shard was opened in this run
  Steady next_sample_{};
  MetricBook::Counter& busy_;
  MetricBook::Histogram& pass_seconds_;
};

}  // namespace ordo
