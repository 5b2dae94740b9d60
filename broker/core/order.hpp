// What is in hand: tasks, the orders that they belong to, and the workers that hold them.
//
// Shapes:  an Order is resident while it has a task in hand or a write in flight; its Tasks are the
//          rows that memory is responsible for. Everything unlinks and uncounts itself when it is
//          destroyed, so dropping a shard is clearing its map.
// Threads: the engine's owner.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/branch_set.hpp"
#include "broker/core/effects.hpp"
#include "broker/core/gate.hpp"
#include "broker/core/hooks.hpp"
#include "broker/core/rows.hpp"
#include "broker/core/turns.hpp"
#include "schema/pipeline.hpp"

namespace ordo {

struct Order;
struct Queue;
struct Worker;

/// Where a task in hand stands.
enum class Hold : std::uint8_t {
  kBorn,       ///< its row is on its way to the tables
  kReady,      ///< in its queue's line
  kUnclaimed,  ///< of an earlier epoch: some worker may be running it
  kLeased,     ///< a worker holds it
  kEnding,     ///< its row's end is on its way to the tables
  kHeld        ///< ready, but a gate keeps it back
};

struct Task {
  Task(Order& its_order, Queue& its_queue);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] TaskKey key() const;
  [[nodiscard]] TaskRow row() const;
  /// Its order is ending and it is not what undoes a step: it may finish, but not go out again.
  [[nodiscard]] bool is_last_try() const;
  [[nodiscard]] const RetryPolicy& retry() const;
  [[nodiscard]] Millis timeout() const;  ///< of one attempt
  /// Takes over what a row says (not the queue).
  void read(const TaskRow& row);
  /// Ends the lease: the worker's slot is free again, the timer is off.
  void release();
  /// Leaves the gate that holds it.
  void unhold();

  Order& order;
  Queue& queue;
  const std::size_t
      bytes;  ///< of its order when it came in hand, as its queue's window counts them
  StepIndex step = 0;
  BranchIndex branch = 0;
  TaskKind kind = TaskKind::kForward;
  Hold hold = Hold::kBorn;
  std::uint8_t priority = 5;
  std::uint8_t losses = 0;
  std::uint16_t failures = 0;
  bool maybe = false;
  bool is_in_deferred = false;  ///< its row is in `deferred` (paged in), not in `task`
  bool is_suspect = false;      ///< kUnclaimed: the owner before may have given it out
  bool is_probe = false;        ///< kLeased: its call shows whether the dependency works again
  std::uint32_t attempt = 0;    ///< attempts that ended
  std::int64_t seq = 0;
  std::uint64_t write = 0;      ///< kBorn, kEnding: number of the write under way
  Fence fence;                  ///< kLeased: of the grant
  Fence adopted;                ///< kLeased: what its holder had it under before, if by a Regrant
  Worker* worker = nullptr;     ///< kLeased; null while its session is unknown
  Steady since{};               ///< kReady: in line since; kLeased: granted at
  Steady timer_at{};            ///< kLeased: when the attempt's timeout passes
  std::string progress;         ///< kLeased: the handler's last note
  Gate* uses = nullptr;         ///< the dependency that its step uses
  Gate* gate = nullptr;         ///< kHeld: what keeps it back
  KeyLine* key_line = nullptr;  ///< of its step's `limit_key`; null: none
  FairValue* share = nullptr;   ///< of its step's `fair_by`; null: none
  bool keeps_turn = false;      ///< it goes out of hand, its turn does not end
  Hook line;                    ///< kReady: the queue's line
  Hook lease;                   ///< kLeased: the worker's list
  Hook timer;                   ///< kLeased: the wheel
};

/// Why a deferred row's task comes back in hand.
constexpr Cause cause_of_return(TaskState state) {
  if (state == TaskState::kHeld) return Cause::kAdmitted;
  return state == TaskState::kBacklog ? Cause::kPagedIn : Cause::kDue;
}

/// A pipeline version with what dispatching needs beside its definition.
struct KnownPipeline : Pipeline {
  /// By step: all steps it depends on, direct and transitive.
  std::vector<StepSet> ancestors;
  StepSet compensated;  ///< steps that have something which undoes them
  StepSet counted;      ///< the order's end waits for these: not async
  /// With `each`, after one step with the same: its branches open one by one, each after its own.
  StepSet chained;
  bool is_shaped = false;   ///< some step has `when`, `each` or `wait`
  Gate* gate = nullptr;     ///< of its name
  std::vector<Gate*> uses;  ///< by step: its dependency; null: none
  bool has_gates = false;   ///< some step uses a dependency
  bool has_lines = false;   ///< some step has `limit_key` or `fair_by`
  StepSet detours;          ///< steps that open only when the timeout of a wait leads to them

  /// Whether the step opens with the order.
  [[nodiscard]] bool is_first(StepIndex step) const {
    return steps[step].after.empty() && !detours.test(step);
  }
};

/// What the end of an order undoes (compensation.cpp).
struct Undoing {
  BranchSet maybe;   ///< what its end took with an unknown outcome
  BranchSet begun;   ///< whose compensating task has been there
  BranchSet undone;  ///< whose compensating task has ended
};

/// The branches of one step of an order that fans out.
struct Fan {
  StepIndex step = 0;
  /// Each as JSON text; steps of one chain share them.
  std::shared_ptr<const std::vector<std::string>> elements;
  std::vector<bool> done;  ///< by branch
  std::size_t left = 0;    ///< branches that are not done
};

/// A client to be answered, and which request of its.
struct Asker {
  PeerId peer = 0;
  std::uint64_t request = 0;
  auto operator<=>(const Asker&) const = default;
};

struct Order {
  OrderRow row;
  ShardNumber shard = 0;
  const KnownPipeline* pipeline = nullptr;
  OrderStatus status = OrderStatus::kRunning;
  OrderStatus ending_as = OrderStatus::kFailed;  ///< while is_ending: what it will be
  std::optional<StepIndex> failed_step;          ///< whose permanent failure ended it
  bool is_ending = false;     ///< successors do not open; leased siblings may finish
  bool is_one_way = false;    ///< an irreversible step succeeded: it only goes forward
  bool is_inserting = false;  ///< its own row is on its way
  bool is_restored = false;   ///< it was rebuilt from a signal …
  std::optional<std::uint64_t> merged_hash;  ///< … and its own submit has come: the hash of it
  std::uint16_t writes = 0;                  ///< in flight
  StepSet done;                              ///< steps that succeeded or were skipped
  StepSet opened;                            ///< steps that got a task at some time
  std::vector<Fan> fans;                     ///< of steps with `each` that have opened
  std::unique_ptr<Undoing> undoing;          ///< of an order that undoes something; else null
  std::size_t results_bytes = 0;
  std::vector<DoneStep> results;             ///< of done steps, in the order they ended
  std::vector<std::unique_ptr<Task>> tasks;  ///< in hand
  std::vector<DeferredRow> deferred;         ///< its rows in `deferred` that are not in hand
  bool has_ended = false;                    ///< its end is durable and was told
  bool knows_signals = false;                ///< `early` and `seen` are all that there are
  std::vector<SignalRow> early;              ///< its rows in `signal`, oldest first
  std::vector<SeenSignal> seen;              ///< signals that were taken or came too late
  Steady arrived{};

  [[nodiscard]] Task* find(const TaskKey& key);
  [[nodiscard]] bool is_idle() const { return tasks.empty() && writes == 0; }
  /// Whether a worker may still finish what is not a compensation.
  [[nodiscard]] bool has_siblings() const;
  [[nodiscard]] bool has_parked() const;
  /// A task ended well: what that means for the steps after it.
  void keep(DoneStep task);
  [[nodiscard]] const Fan* fan(StepIndex step) const;
  /// Adds a step (or branch of one) to a set.
  void mark(BranchSet& set, StepIndex step, BranchIndex branch) const;
  /// Whether two steps are of one chain: each branch of one meets only its own of the other.
  [[nodiscard]] bool is_one_chain(StepIndex one, StepIndex other) const;
  /// Opens a step with `each`, and with it those that are chained to it.
  void add_fan(StepIndex step, std::shared_ptr<const std::vector<std::string>> elements);
  /// A step (or branch of one) is done.
  void mark_done(StepIndex step, BranchIndex branch);
  /// Whether every step that its end waits for is done.
  [[nodiscard]] bool is_complete() const { return (done & pipeline->counted) == pipeline->counted; }
  void erase(const Task& task);
};

/// What a turn of a priority costs: stride scheduling, so that shares are kept and nothing starves.
std::uint64_t priority_stride(std::size_t priority);

/// One priority line per queue, and what it has in hand.
struct Queue {
  explicit Queue(std::string its_name) : name(std::move(its_name)) {}

  std::string name;
  std::uint32_t index = 0;  ///< in order of first mention
  bool is_paused = false;
  std::string paused_by, paused_why;
  std::size_t in_hand = 0;          ///< tasks, whatever their hold
  std::uint64_t in_hand_bytes = 0;  ///< their payloads, contexts and results
  std::size_t ready = 0;
  std::size_t leased = 0;
  std::size_t held = 0;  ///< of those in hand, kept back by gates
  /// By whom it is used: pipeline and dependency. Where there is more than one, what is held must
  /// leave room for others.
  std::set<std::pair<const Gate*, const Gate*>> users;
  std::array<List<Task>, limits::kPriorities> lines;
  std::unique_ptr<FairLines> fair;  ///< instead, once a step of it has `fair_by`
  std::array<std::uint64_t, limits::kPriorities> pass{};  ///< stride scheduling
  std::uint64_t pass_now = 0;
  std::vector<Worker*> workers;
  std::size_t turn = 0;   ///< whose turn it is among `workers`
  bool is_woken = false;  ///< will be looked at when this step ends

  [[nodiscard]] bool is_shared() const { return users.size() > 1; }
  /// What takes room from others.
  [[nodiscard]] std::size_t occupied() const { return is_shared() ? in_hand - held : in_hand; }
  /// Whether nothing of it can go out whatever comes.
  [[nodiscard]] bool is_shut() const;
  void push(Task& task);
  void push_first(Task& task);
  [[nodiscard]] bool has_line(std::size_t priority) const;
  /// The task whose turn it is, taken out of its line; null when there is none.
  Task* pop();
  [[nodiscard]] Task* oldest() const;
};

/// A worker's session.
struct Worker {
  PeerId peer = 0;  ///< 0 while its connection is gone
  wire::SessionId session{};
  std::string name, version;
  std::vector<Queue*> queues;
  std::uint32_t slots = 0;
  std::uint32_t leased = 0;
  Steady told_all{};  ///< when nothing was revoked, or when it was last asked about it
  /// attempts that count no more but keep their slot, and since when
  std::map<std::pair<TaskKey, Fence>, Steady> revoked;
  bool is_draining = false;
  bool needs_hello = false;  ///< no offers until it has told what it holds
  Steady heard{};
  Steady beaten{};             ///< when we last sent a beat
  std::uint64_t sent = 0;      ///< offers since its hello
  std::uint64_t received = 0;  ///< results since its hello
  std::uint64_t mark_old = 0;  ///< `sent` as it was two of our beats ago …
  std::uint64_t mark_new = 0;  ///< … and one
  List<Task> leases;

  /// Of its session, for facts.
  [[nodiscard]] std::uint64_t number() const {
    std::uint64_t low = 0;
    std::memcpy(&low, session.data(), sizeof(low));
    return low;
  }
  [[nodiscard]] bool can_take() const {
    return peer != 0 && !is_draining && !needs_hello && leased + revoked.size() < slots;
  }
};

}  // namespace ordo
