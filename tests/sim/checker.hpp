// The promises, checked at each commit and each frame, and once more at the end. It keeps its own
// picture of every order from what commits really did, and knows which request rides in which
// write.
//
// Errors:  Violation, named after the promise that is broken.
// Threads: one owner.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "broker/core/effects.hpp"
#include "broker/store/memory_store.hpp"
#include "schema/pipeline.hpp"
#include "tests/sim/context.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/signal_book.hpp"
#include "tests/sim/story.hpp"

namespace ordo::sim {

using Databases = std::vector<std::unique_ptr<MemoryDatabase>>;

class Checker {
 public:
  Checker(Context& context, Databases& databases) : context_(context), databases_(databases) {}

  // ---- what the world tells ----
  /// A frame of a client reached a living broker.
  void asked(int broker, PeerId peer, const wire::Message& message);
  /// The engine queued a write: the answers inside belong to requests.
  void queued(int broker, const Write& write);
  /// A write that outlives its queue's memory.
  void copied(const StoreWrite& from, const StoreWrite& to);
  /// A commit was carried out on the tables just now.
  void committed(ShardNumber shard, std::span<const StoreWrite* const> batch,
                 const CommitResult& result);
  /// What a broker said of dependencies in the step whose sends follow.
  void noticed(int broker, const std::vector<Fact>& facts);
  /// The engine lets something out.
  void sent(int broker, const Send& send);
  /// A caller got the final word about an order it submitted.
  void told(const OrderId& id, const std::string& payload, const std::optional<Error>& error);

  // ---- what the world asks ----
  [[nodiscard]] bool all_settled() const;
  [[nodiscard]] std::vector<OrderId> parked_orders() const;
  [[nodiscard]] std::vector<OrderId> known_orders() const;
  /// What of an order is parked: the step's name, branch, and the kind of the task.
  using Parked = std::tuple<std::string, BranchIndex, std::uint8_t>;
  [[nodiscard]] std::vector<Parked> parked_steps(const OrderId& id) const;
  [[nodiscard]] std::string who_waits() const;
  [[nodiscard]] std::size_t pipelines() const { return pipelines_.size(); }

  /// After the liveness phase: tables, acknowledgements and refusals agree.
  void check_end() const;

  Ledger ledger;
  SignalBook signals;

 private:
  /// One request as it reached a broker.
  struct Request {
    enum class Kind : std::uint8_t { kSubmit, kCancel, kOperate, kWait, kSignal, kOther };
    Kind kind = Kind::kOther;
    OrderId id;
    std::string text;  ///< submit: the payload; wait: the step; signal: its key
    int deliveries = 0;
    bool was_done = false;     ///< the write that carries its answer is in the tables
    bool was_refused = false;  ///< it was told that nothing happened
  };
  using RequestKey = std::tuple<int, PeerId, std::uint64_t>;
  class OneWrite;

  [[noreturn]] static void fail(const char* check, const OrderId& order, const std::string& what);
  void apply(const StoreWrite& write);
  void sent_answer(int broker, PeerId peer, const wire::Answer& answer);
  void sent_offer(const wire::Offer& offer) const;
  void check_breaker(int broker, const wire::Offer& offer) const;
  void check_turn(const wire::Offer& offer);
  void check_offer_rows(const wire::Offer& offer, const Story& story) const;
  void check_maybe(const wire::Offer& offer, const Story& order) const;
  void check_undone(const OrderId& id, const Story& order) const;
  void sent_recorded(const wire::Recorded& recorded) const;
  [[nodiscard]] const Story* story(const OrderId& id) const;
  const Pipeline* pipeline(PipelineId id) const;

  Context& context_;
  Databases& databases_;
  std::map<OrderId, Story> stories_;
  std::map<PipelineId, Pipeline> pipelines_;
  std::map<RequestKey, Request> requests_;
  struct Seen {
    bool was_open = false;  ///< when the step began …
    bool is_open = false;   ///< … and when it ended
  };
  /// breakers, by broker and dependency
  std::map<std::pair<int, std::string>, Seen> breakers_;
  /// what was given out of a value of `limit_key`, by shard, queue and value
  std::map<std::tuple<ShardNumber, std::string, std::string>, std::map<TaskKey, Fence>> at_work_;
  /// found by address only
  std::unordered_map<const StoreWrite*, std::vector<RequestKey>> carried_;
  /// payloads for which callers were told ok
  std::map<OrderId, std::set<std::string>> acknowledged_;
  std::map<OrderId, std::set<std::string>> in_doubt_;  ///< … that nobody knows
  std::map<OrderId, std::set<std::string>> refused_;   ///< … that nothing happened, ever
};

}  // namespace ordo::sim
