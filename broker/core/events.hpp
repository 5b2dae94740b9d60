// What can happen to a broker's core. A shell turns the world into these, one at a time.
//
// Shapes:  Event is a closed variant. Everything about a shard carries the `incarnation` of the
//          Open effect that it belongs to; the core ignores what belongs to an older one.
// Threads: values, moved into Engine::step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/core/effects.hpp"
#include "broker/store/store.hpp"
#include "schema/messages.hpp"

namespace ordo::event {

/// A decoded frame of a client or a worker.
struct FromClient {
  PeerId peer = 0;
  wire::Message message;
};
struct FromWorker {
  PeerId peer = 0;
  wire::Message message;
};

/// Requests that a client's key does not allow: they are counted and answered, nothing more.
struct Forbidden {
  PeerId peer = 0;
  std::vector<std::uint64_t> requests;
  std::string message;  ///< names the role, what it wanted and what to do
};

/// A send found nobody (EHOSTUNREACH): the connection is gone. Its session may come back as another
/// peer.
struct ClientGone {
  PeerId peer = 0;
};
struct WorkerGone {
  PeerId peer = 0;
};

/// An Open succeeded: the shard is ours.
struct ShardOpened {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  Takeover takeover;
};
/// An Open failed; the core tries again.
struct ShardRefused {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  Error error;
};
/// The session is gone or a commit is in doubt. Nothing more comes for this incarnation.
struct ShardLost {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  std::string why;
  std::vector<std::unique_ptr<Write>> unfinished;  ///< every write without an outcome, oldest first
};

/// One commit's writes, each with its outcome.
struct WritesDone {
  enum class Outcome : std::uint8_t {
    kDurable,
    kDuplicate,  ///< left out: the order exists with the same submit_hash
    kConflict,   ///< left out: the order (or pipeline) exists with other content
    kMissing,    ///< left out: a row to delete was not there
    kRejected,   ///< rolled back alone: the server reported an error for it
  };
  struct Item {
    std::unique_ptr<Write> write;
    Outcome outcome = Outcome::kDurable;
    std::string message;  ///< kRejected: the server's words
  };
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  std::vector<Item> items;
};

struct OrdersLoaded {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  std::vector<OrderId> asked;
  std::vector<OrderSnapshot> found;
};
struct PageLoaded {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
  PageSpec spec;
  Page page;
};
/// A round trip on the owner's session succeeded while it was idle.
struct ShardProbed {
  ShardNumber shard = 0;
  std::uint32_t incarnation = 0;
};
struct QueryDone {
  std::uint64_t query = 0;
  Result<std::vector<OrderRecord>> records;
};

/// Time went on; nothing else did.
struct TimePassed {};
/// Stop taking orders and handing out tasks (the broker is told to leave).
struct DrainRequested {};

}  // namespace ordo::event

namespace ordo {

using Event =
    std::variant<event::FromClient, event::FromWorker, event::Forbidden, event::ClientGone,
                 event::WorkerGone, event::ShardOpened, event::ShardRefused, event::ShardLost,
                 event::WritesDone, event::OrdersLoaded, event::PageLoaded, event::ShardProbed,
                 event::QueryDone, event::TimePassed, event::DrainRequested>;

}  // namespace ordo
