// What a broker's core wants done. A shell performs these; the core never learns how.
//
// Rule:    nothing is announced before it is durable. What depends on a write rides inside it
//          (`Write::once_durable`), comes back with the write's outcome, and only then becomes a
//          Send.
// Order:   store operations of one shard are performed in the order given; a read sees every write
//          before it. Between two reads a store may take writes of class kProgress before those of
//          class kSubmit.
// Threads: values.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "broker/core/facts.hpp"
#include "broker/core/rows.hpp"
#include "broker/store/store.hpp"
#include "schema/messages.hpp"

namespace ordo {

/// A connection as the shell numbers it; never reused within a run. Clients and workers have own
/// numbers.
using PeerId = std::uint64_t;

/// One item for a peer; the shell packs items of one kind for one peer into frames.
struct Send {
  enum class To : std::uint8_t { kClient, kWorker };
  using Item = std::variant<wire::Answer, wire::Offer, wire::Recorded, wire::Regrant, wire::Revoked,
                            wire::Beat, wire::Welcome, wire::SayHello, wire::Refusal>;
  To to = To::kClient;
  PeerId peer = 0;
  Item item;
};

/// The only way to change anything: all changes of one order (or of settings), all or nothing.
struct Write {
  enum class Class : std::uint8_t { kProgress, kSubmit };
  std::uint64_t number = 0;  ///< ascending within the core's life
  Class write_class = Class::kProgress;
  StoreWrite store;       ///< whose, and the changes
  std::size_t bytes = 0;  ///< about how large, for batch bounds
  /// the core turns them into Sends when the outcome is kDurable
  std::vector<Send> once_durable;
  void* resident = nullptr;  ///< the core's own: its order

  /// The newest event: the one that carries a change of status; null where there is none.
  [[nodiscard]] EventRow* last_event() {
    for (auto it = store.changes.rbegin(); it != store.changes.rend(); ++it) {
      if (auto* append = std::get_if<AppendEvent>(&*it)) return &append->row;
    }
    return nullptr;
  }
};

/// Take ownership of a shard (again).
struct OpenShard {
  std::uint32_t incarnation = 0;
};
struct LoadOrders {
  std::uint32_t incarnation = 0;
  std::vector<OrderId> ids;
};
struct LoadPage {
  std::uint32_t incarnation = 0;
  PageSpec spec;
};

struct StoreOperation {
  ShardNumber shard = 0;
  std::variant<OpenShard, std::unique_ptr<Write>, LoadOrders, LoadPage> operation;
};

/// A read for people, on the shard's second session, in no order with anything.
struct Query {
  ShardNumber shard = 0;
  std::uint64_t query = 0;
  QuerySpec spec;
};

struct Effects {
  std::vector<StoreOperation> store;
  std::vector<Send> sends;
  std::vector<Query> queries;
  std::vector<Fact> facts;

  void clear() {
    store.clear();
    sends.clear();
    queries.clear();
    facts.clear();
  }
};

}  // namespace ordo
