// The engine's inside: everything it remembers, and one function per thing that can happen. Private
// to broker/core; the files beside this one each hold one group of these functions.
//
// Shapes:  settings, shards (with their resident orders), queues, workers, clients, pipelines.
//          Containers that are iterated are ordered, so that the same events give the same effects.
// Threads: one owner.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "broker/core/backlog.hpp"
#include "broker/core/engine.hpp"
#include "broker/core/kept_signals.hpp"
#include "broker/core/limits.hpp"
#include "broker/core/order.hpp"
#include "broker/core/planted.hpp"
#include "broker/core/timer_wheel.hpp"
#include "broker/core/waiter_book.hpp"

namespace ordo {

/// Why a task is scheduled whose handler asked to be called again.
inline constexpr const char* kSnoozed = "snoozed";

struct Shard {
  enum class State : std::uint8_t { kClosed, kOpening, kOpen };

  ShardNumber number = 0;
  State state = State::kClosed;
  std::uint32_t incarnation = 0;
  std::uint32_t timeline = 0;
  std::uint32_t epoch = 0;
  std::int64_t counter = 0;  ///< seq = epoch << 40 | counter
  Steady anchor_steady{};    ///< at takeover …
  Wall anchor_wall{};        ///< … the database's clock said this
  Steady alive{};            ///< last successful round trip
  std::optional<Steady> reopen_at;
  std::optional<Steady> grace_until;
  Wall suspect_until{};  ///< what was due by then, the owner before may have given out
  std::unordered_map<OrderId, std::unique_ptr<Order>> orders;
  using Action = std::function<void(Order*)>;
  struct Waiting {
    Action run;                  ///< called with the order, or null when there is none
    std::optional<Asker> asker;  ///< answered `unknown` when the shard is lost first
    bool is_claim = false;       ///< says what was given out of it: before anything ends it
  };
  struct Loading {
    std::vector<Waiting> waiting;
    bool is_asked = false;             ///< the store was asked to read it
    std::vector<SignalRow> orphans{};  ///< it is not there, but these are
  };
  std::map<OrderId, Loading> loading;
  std::vector<OrderId> to_load;               ///< asked for when this step ends
  std::map<std::uint32_t, Backlog> backlogs;  ///< by queue index
  std::map<std::pair<std::uint32_t, std::uint32_t>, HeldLine> held;  ///< by gate and queue index
  std::optional<Wall> next_due;
  Wall due_cursor{};
  std::int64_t due_cursor_seq = 0;
  bool is_paging_due = false;
  SignalSweep sweep;
  bool has_abandoned = false;  ///< in this incarnation an order was dropped with writes under way
  Steady opened_at{};
  std::uint32_t short_lives = 0;  ///< sessions in a row that were lost soon after they opened
  List<Task> untrusted;           ///< ready, but the session has not been heard from for too long
  std::uint32_t inbox_orders = 0;
  std::uint64_t inbox_bytes = 0;
  std::vector<std::pair<std::int64_t, TaskKey>> unclaimed;  ///< by place in line

  void leave_inbox(const Order& order);
  [[nodiscard]] Wall wall(Steady now) const { return anchor_wall + (now - anchor_steady); }
  [[nodiscard]] bool is_open() const { return state == State::kOpen; }
  std::int64_t next_seq() { return (static_cast<std::int64_t>(epoch) << 40) | ++counter; }
  [[nodiscard]] Fence fence(std::uint32_t attempt) const { return {timeline, epoch, attempt}; }
};

struct Client {
  wire::SessionId session{};
  std::string name;
  Steady heard{};
  Steady beaten{};
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t busy = 0;    ///< answers that sent it away …
  std::uint64_t failed = 0;  ///< … and those where something of ours did not work
  TokenBucket bucket;
};

class Engine::State {
 public:
  explicit State(Settings settings);

  void start();
  void handle(Event&& event);
  void tick();
  void finish_step();  ///< dispatches what became possible
  [[nodiscard]] std::optional<Steady> next_deadline() const;
  [[nodiscard]] EngineCounts counts() const;
  [[nodiscard]] std::vector<ClientCounts> clients() const;
  [[nodiscard]] std::uint64_t waiting_tasks() const;

  Times now{};
  Effects* out = nullptr;

 private:
  // ---- writes.cpp: changing anything ----
  struct Draft {
    std::unique_ptr<Write> write;
    Order* order = nullptr;
    Shard* shard = nullptr;
  };
  Draft draft(Shard& shard, Order& order);
  void insert_row(Draft& draft, Task& task);
  void remove_row(Draft& draft, Task& task);
  void defer(Draft& draft, DeferredRow row);
  void undefer(Draft& draft, const TaskKey& key);
  EventRow& note(Draft& draft, EventKind kind, const Task* task);
  void set_status(Order& order, EventRow& event, OrderStatus status);
  void commit(Draft&& draft);
  static std::size_t size_of(const Change& change);
  /// A change of settings on its way to every shard.
  struct Settlement {
    Asker asker;
    std::size_t remaining = 0;
    std::function<void()> apply;  ///< once durable in all
    std::string body;             ///< of the answer
  };
  void commit_settings(Shard& shard, Change change, std::shared_ptr<Settlement> settlement);
  void settle_everywhere(const Change& change, std::shared_ptr<Settlement> settlement);
  void settled(std::uint64_t write, const Error* error);
  void on(event::WritesDone& done);
  Order* resident_of(Shard& shard, const Write& write) const;
  void on_durable(Shard& shard, Order* order, Write& write);
  void leave_behind(event::WritesDone::Item& item);
  void refuse_submit(Shard& shard, event::WritesDone::Item& item, std::vector<Asker> askers,
                     const Error& error);
  void on_refused(Shard& shard, event::WritesDone::Item& item);
  /// What was given out of a task of an order that is dropped.
  struct Granted {
    TaskKey key;
    std::uint32_t attempt = 0;
    Fence fence;
    Fence adopted;
    bool maybe = false;                     ///< known since its row was written
    std::optional<wire::SessionId> worker;  ///< who holds it
  };
  void take_up_again(Task& task, const Granted& before, bool is_culprit);
  std::vector<Granted> drop_order(Shard& shard, const OrderId& id);
  void abandon(Shard& shard, const Write& write);
  void on(event::ShardLost& lost);
  void drop_shard(Shard& shard, const std::string& why);

  // ---- submit.cpp: orders come in ----
  void submit(PeerId peer, wire::OrderRequest& request);
  void turn_away(Asker asker, const OrderId& id, const Error& error);
  Result<void> check_request(const wire::OrderRequest& request) const;
  Result<void> admit(PeerId peer, Shard& shard, const wire::OrderRequest& request);
  static std::uint64_t submit_hash_of(const wire::OrderRequest& request);
  void resubmit(Order& order, Asker asker, std::uint64_t hash, const Bytes& payload);
  Draft bring_in(Shard& shard, wire::OrderRequest& request, std::uint64_t hash);
  void set_deadline(Draft& draft);
  void accept(Shard& shard, Asker asker, wire::OrderRequest& request, std::uint64_t hash);
  void check_known(Shard& shard, Asker asker, wire::OrderRequest& request, std::uint64_t hash);

  // ---- dispatch.cpp: tasks become ready and go out ----
  enum class Place : std::uint8_t { kHand, kBacklog };
  Place place(Shard& shard, Queue& queue, std::uint8_t priority) const;
  Task& take_in_hand(Order& order, const TaskRow& row);
  void open_step(Draft& draft, StepIndex step, BranchIndex branch = 0, Millis delay = {});
  void open_task(Draft& draft, TaskRow row, const char* reason);
  void open_successors(Draft& draft, StepIndex done);
  void make_ready(Task& task);
  void dispatch(Queue& queue);
  Worker* next_worker(Queue& queue);
  void grant(Task& task, Worker& worker);
  void lease(Task& task, Worker& worker, Fence fence, Fence adopted = {});
  wire::Offer offer(const Task& task) const;
  void wake(Queue& queue);
  void wake_worker(const Worker& worker);
  bool is_trusted(const Shard& shard) const;
  void trust_again(Shard& shard);

  // ---- turns.cpp: values that take turns, values of which so many run at once ----
  void join_lines(Task& task);
  bool has_turn(Task& task);
  [[nodiscard]] bool may_begin_turn(const Task& task) const;
  void pass_turns();
  void keep_turn(Task& task, std::string& reason);
  void end_turns(Order* order, const std::vector<TaskKey>& keys);
  void end_turns(Order& order, const Write& write);
  std::string explain_turn(const OrderId& id, StepIndex step, BranchIndex branch);

  // ---- gates.cpp: what keeps ready tasks back ----
  Gate& gate_named(Gate::Kind kind, const std::string& name);
  Gate* gate_labelled(const std::string& label);
  void learn_gates(KnownPipeline& pipeline);
  void tell_state(const Gate& gate);
  void tend(Gate& gate);
  bool keeps_back(Task& task);
  void hold(Task& task, Gate& gate);
  void write_out(Gate& gate, const Queue& queue);
  void unhold(Task& task);
  Task* head_of(Gate& gate, std::uint32_t queue);
  void admit_held(Gate& gate);
  void tend_gates();
  [[nodiscard]] std::optional<Steady> next_of_gates() const;
  void call_ended(const Task& task, bool worked);
  HeldLine* held_line(Shard& shard, const TaskRow& row, const std::string& reason);
  void page_held(Shard& shard);

  struct Opening;

  // ---- waits.cpp: steps that wait for time or for a signal ----
  void open_later(Draft& draft, StepIndex step, BranchIndex branch, Millis delay);
  void pass_over(Draft& draft, Opening& opening, StepIndex step);
  void close_detour(Draft& draft, Opening& opening, StepIndex done);
  void wait_timed_out(Order& order, const DeferredRow& row);
  void park_wait(Draft&& draft, DeferredRow row);
  void take_detour(Draft& draft, Opening& opening, StepIndex wait);

  // ---- signals.cpp: what comes from outside ----
  void signal(Asker asker, wire::Signal& request);
  void with_signals(Shard& shard, const OrderId& id, std::optional<Asker> asker,
                    Shard::Action action);
  static void learn_signals(Order& order, OrderSnapshot& snapshot);
  bool is_welcome(Order& order, const Delivery& delivery);
  void deliver(Order& order, Delivery delivery);
  static void acknowledge(Draft& draft, const Delivery& delivery);
  static void insert_signal(Draft& draft, SignalRow signal);
  static void delete_signal(Draft& draft, const SignalRow& signal);
  static void drop_signal(Draft& draft, const SignalRow& signal);
  void file_away(Order& order, const SignalRow& signal, const Error& why);
  void take_signal(Draft& draft, const TaskKey& key, const SignalRow& signal);
  bool take_early(Draft& draft, StepIndex step);
  EventRow& note_signal(Draft& draft, const TaskKey& key, const SignalRow& signal);
  void keep_early(Draft& draft, SignalRow signal);
  void told_of_signal(const Order& order, StepIndex step, const char* word);

  // ---- late.cpp: signals that come too late ----
  void too_late(Order& order, StepIndex step, Delivery delivery);
  void start_late(const Order& order, StepIndex step, Delivery delivery);
  void note_late(Draft& draft, StepIndex step, const SignalRow& signal,
                 const std::optional<OrderId>& started);
  void settle_early(Draft& draft);
  void keep_owed(Draft& draft, SignalRow signal);

  // ---- orphans.cpp: signals whose order is not there ----
  void sweep_signals(Shard& shard);
  void signals_paged(Shard& shard, event::PageLoaded& loaded);
  void look_at(Shard& shard, const SignalRow& row);
  void look_again(Shard& shard, const Write& write);
  void keep_orphan(Asker asker, const SignalRow& signal);
  void check_orphan(const SignalRow& row, bool may_restore);
  void commit_signals(Shard& shard, const OrderId& id, std::vector<Change> changes,
                      std::optional<Send> ack);
  void tell_stuck(const SignalRow& signal);
  void restore_order(Shard& shard, StepIndex step, const KnownPipeline& pipeline,
                     const SignalRow& signal);
  void merge(Order& order, Asker asker, std::uint64_t hash, const Bytes& payload);

  // ---- results.cpp: what attempts come to ----
  void result(Worker& worker, wire::TaskResult& result);
  void take_result(Worker& worker, Task& task, wire::TaskResult& result);
  void refuse_result(Worker& worker, const wire::TaskResult& result);
  void refuse_known(Order& order, PeerId peer, const std::string& name,
                    const wire::TaskResult& result);
  bool accepts(const Task& task, const Fence& fence) const;
  void succeeded(Task& task, const std::string& worker, wire::TaskResult& result);
  void complete_step(Draft& draft, Task& task, DoneStep done);
  void attempt_failed(Task& task, const std::string& worker, const std::string& error,
                      Millis retry_after);
  void snoozed(Task& task, const std::string& worker, Millis delay);
  void failed(Task& task, const std::string& worker, const wire::TaskResult& result);
  void timed_out(Task& task);
  void lost(Task& task, const std::string& why, bool burns);
  void schedule(Draft& draft, Task& task, Wall run_at, std::string reason);
  /// The last worker that tried a task, and what became of it.
  struct Blame {
    std::string worker, error;
  };
  void park(Draft& draft, Task& task, std::string reason, const Blame& blame);
  /// Why a task is not tried again.
  struct Defeat {
    Cause cause = Cause::kExhausted;  ///< exhausted, poisoned or failed
    Blame blame;
    std::string reason{};  ///< of a permanent failure: the handler's own word
  };
  void give_up(Draft& draft, Task& task, const Defeat& defeat);
  Send recorded(PeerId peer, const wire::TaskResult& result, const Error* refusal) const;

  // ---- ending.cpp: orders end ----
  void begin_ending(Draft& draft, OrderStatus as);
  void stop_task(Draft& draft, Task& task);
  void stop_row(Draft& draft, const DeferredRow& row);
  void go_on_ending(Draft& draft);
  void forget_deferred(Draft& draft);
  void cancel(Order& order, Asker asker, const wire::Cancel& request);
  void deadline_missed(Order& order);
  std::optional<Send> revocation(const Task& task, std::string_view reason) const;
  void order_ended(Order& order);

  // ---- compensation.cpp: what an order did is undone ----
  struct Unfinished {
    std::string worker, reason, error;
    const wire::TaskResult* result = nullptr;  ///< what its worker said, if it did
    bool has_run = true;                       ///< the last attempt, or it may have
  };
  void cut_short(Task& task, const Unfinished& why);
  void note_maybe(Draft& draft, const TaskKey& key, std::string reason);
  [[nodiscard]] BranchSet to_undo(const Order& order) const;
  [[nodiscard]] BranchSet next_to_undo(const Order& order, const BranchSet& left) const;
  bool undo_more(Draft& draft);
  void park_for_good(Task& task, const std::string& worker, const wire::TaskResult& result);

  // ---- shape.cpp: which steps open, and what a step that failed for good comes to ----
  void open_first(Draft& draft, Millis delay);
  void open_found(Draft& draft, Opening& opening, Millis delay = {});
  void look_further(Draft& draft, Opening& opening);
  void consider(Draft& draft, Opening& opening, StepIndex step);
  void fan_out(Draft& draft, Opening& opening, StepIndex step);
  bool end_misfit(Draft& draft, const Opening& opening);
  void skip_unopened(Draft& draft, Opening& opening, StepIndex step, std::string note);
  void go_on(Draft& draft, StepIndex done, BranchIndex branch);
  void finish_if_complete(Draft& draft);
  void fall_back(Draft& draft, Task& task, const Defeat& defeat);
  void skip_task(Draft& draft, Task& task, const Defeat& defeat);

  // ---- takeover.cpp: shards come and go ----
  void open(Shard& shard);
  void on(event::ShardOpened& opened);
  void on(event::ShardRefused& refused);
  void restore(Shard& shard, OrderSnapshot& snapshot);
  Order* resurrect(Shard& shard, OrderSnapshot& snapshot);
  bool claim(Worker& worker, const wire::HeldTask& held);
  void claim_later(Worker& worker, const wire::HeldTask& held);
  Task* take_deferred(Order& order, const TaskKey& key);
  Task* claimable(Shard& shard, Order& order, const TaskKey& key, const Fence& fence);
  [[nodiscard]] bool is_suspect(Shard& shard, const DeferredRow& row);
  void wait_for_claim(Shard& shard, Task& task);
  void end_grace(Shard& shard);
  void go_out_again(Task& task);
  void share_pipelines(Shard& opened, const std::vector<PipelineRow>& stored,
                       const std::vector<PipelineId>& fresh);

  // ---- paging.cpp: what is not in hand comes back ----
  void with_order(Shard& shard, const OrderId& id, std::optional<Asker> asker,
                  Shard::Action action);
  void when_settled(Order& order, std::optional<Asker> asker, Shard::Action action);
  void evict_if_idle(Shard& shard, Order& order);
  void load(Shard& shard, const OrderId& id);
  void run_waiting(Shard& shard, const OrderId& id);
  void run_claims(Shard& shard, Order& order);
  void on(event::OrdersLoaded& loaded);
  void on(event::PageLoaded& loaded);
  void take_row(Shard& shard, const DeferredRow& row);
  void take_passed_rows(Shard& shard, Order& order);
  BacklogLine& line_of(Shard& shard, const PageSpec& spec);
  void page_backlogs(Shard& shard);
  void page_backlog(Shard& shard, Queue& queue, Backlog& backlog);
  void page_due(Shard& shard);
  void add_to_backlog(Shard& shard, const TaskRow& row);
  void expect_due(Shard& shard, Wall at);

  // ---- sessions.cpp: who is connected ----
  void on(event::FromClient& from);
  void list(Asker asker, const wire::List& request);
  void request_cancel(Asker asker, const wire::Cancel& request);
  void on(event::FromWorker& from);
  void on(event::Forbidden& refused);
  void on(event::ClientGone& gone);
  void on(event::WorkerGone& gone);
  void hello(PeerId peer, wire::ClientHello& hello);
  void hello(PeerId peer, wire::WorkerHello& hello);
  [[nodiscard]] bool has_room_for(const std::vector<std::string>& queues) const;
  void reconcile(Worker& worker, std::vector<wire::HeldTask>& held);
  void beat(Worker& worker, wire::Beat& beat);
  void drain(Worker& worker, wire::Drain& drain);
  void lose_worker(Worker& worker, const std::string& why, bool burns);
  void check_sessions();
  void forgive_own_silence(Micros stall);
  void say_hello_again(Worker& worker, const std::string& why);
  wire::Welcome welcome(const wire::SessionId& session) const;

  // ---- operate.cpp: operators and their settings ----
  void operate(PeerId peer, wire::Operate& request);
  void operate_on(Order& order, Asker asker, wire::Operate& request);
  std::optional<Error> refuse_verb(const Order& order, const wire::Operate& request,
                                   const DeferredRow* row) const;
  void show_verb(Order& order, EventRow& event, const DeferredRow& row);
  Bytes note_verb(Draft& draft, const DeferredRow& row, wire::Operate& request);
  void retry_row(Draft& draft, DeferredRow row);
  void end_row(Draft& draft, const DeferredRow& row, DoneStep done);
  void put_pipeline(Asker asker, wire::PutPipeline& request);
  void set_queue(Asker asker, const wire::SetQueue& request);
  Result<const KnownPipeline*> learn_pipeline(const PipelineRow& row);

  // ---- views.cpp: what people ask ----
  struct Question {
    Asker asker;
    enum class Kind : std::uint8_t { kGet, kList, kExplain, kWatch, kSignals } kind = Kind::kGet;
    OrderId id;
    ShardNumber shard = 0;    ///< signals
    std::uint32_t limit = 0;  ///< lists: orders wanted …
    std::uint32_t looks = 0;  ///< … among that many
    std::string pipeline;     ///< lists: name; empty: of all
  };
  void ask(Question question, ShardNumber shard, QuerySpec spec);
  void list_signals(Asker asker, const wire::GetSignals& request);
  wire::SignalList signal_list(const Question& question, const std::vector<OrderRecord>& records);
  wire::OrderPage page_of(const Question& question, const std::vector<OrderRecord>& records);
  void on(event::QueryDone& done);
  wire::OrderView order_view(const OrderRecord& record);
  wire::TaskView task_view(const OrderRecord& record, const Pipeline& pipeline, StepIndex step,
                           TaskKind kind = TaskKind::kForward, BranchIndex branch = 0);
  void add_rows(const OrderRecord& record, StepIndex step, wire::TaskView& task);
  wire::Explanation explain(const OrderRecord& record);
  std::vector<wire::AttemptView> chain(const OrderRecord& record, const Pipeline& pipeline);
  std::string explain_task(const OrderRecord& record, const wire::TaskView& task,
                           std::vector<std::string>& facts);
  std::string explain_tasks(const OrderRecord& record, const Pipeline& pipeline,
                            std::vector<std::string>& facts);
  std::string explain_held(const std::string& name, const std::string& reason);
  void queues_view(Asker asker);
  void workers_view(Asker asker);
  void pipelines_view(Asker asker, const wire::GetPipelines& request);

  // ---- waiters.cpp: who waits for an order ----
  void wait(Asker asker, const wire::Wait& request);
  void begin_waiting(const OrderId& id, Asker asker, Order* order);
  void give_up_waiting(Asker asker);
  void watch(Asker asker, const wire::Watch& request);
  bool try_answer(Order& order, const Waiter& waiter);
  void notify(Order& order);
  void read_events(const OrderId& id, Waiter& waiter);
  void events_read(const Question& question, Result<std::vector<OrderRecord>>& records);
  void forget_old_waiters();

  // ---- engine.cpp: the rest ----
  void on(event::ShardProbed& probed);
  void on(event::TimePassed&) {}
  void on(event::DrainRequested&);
  Shard* shard_of(const OrderId& id);
  Shard* open_shard_of(const OrderId& id, Asker asker);
  Shard* live_shard(ShardNumber number, std::uint32_t incarnation);
  Queue& queue_named(const std::string& name);
  const KnownPipeline* pipeline_by_id(PipelineId id) const;
  void send(PeerId peer, wire::Answer answer);
  void send_worker(PeerId peer, Send::Item item);
  void answer(Asker asker, const Error& error);
  void answer(Asker asker, std::string body = {});
  void answer_duplicate(Asker asker);
  void fact(Fact fact) { out->facts.push_back(std::move(fact)); }
  Fact about(FactKind kind, const Task& task) const;
  Fact about(FactKind kind, const Order& order) const;
  void transition(const Task& task, TaskState from, Cause cause);
  void transition(const TaskKey& key, TaskState from, Cause cause);

  Settings settings_;
  Planted planted_;
  Random random_;
  TokenBucket submit_bucket_;
  bool is_draining_ = false;
  std::uint64_t next_write_ = 0;
  std::uint64_t next_query_ = 0;
  std::uint64_t writes_in_flight_ = 0;
  Steady next_tick_{};
  Steady next_sweep_{};
  Steady last_tick_{};

  // Destroyed bottom up: tasks unlink from queues, workers and the wheel, so shards go first.
  std::map<PipelineId, std::unique_ptr<KnownPipeline>> pipelines_;
  std::map<std::string, std::map<std::uint32_t, const KnownPipeline*>> versions_;
  std::map<std::string, std::unique_ptr<Queue>> queues_;
  std::vector<Queue*> queue_list_;  ///< by index
  std::vector<Queue*> woken_;       ///< to dispatch at the end of this step
  std::map<std::pair<Gate::Kind, std::string>, std::unique_ptr<Gate>> gates_;
  std::vector<Gate*> gate_list_;  ///< by index
  std::vector<Gate*> tended_;     ///< those that hold something or are not well
  KeyBook keys_;
  TimerWheel<Task> timers_;
  std::map<wire::SessionId, std::unique_ptr<Worker>> workers_;
  std::map<PeerId, Worker*> worker_peers_;
  std::map<PeerId, Client> clients_;
  WaiterBook waiters_;
  Orphans orphans_;  ///< of the id that was just looked up; while those who asked are called
  std::map<std::uint64_t, Question> questions_;
  std::map<std::uint64_t, std::shared_ptr<Settlement>> settlements_;  ///< by write
  std::map<ShardNumber, Shard> shards_;
};

}  // namespace ordo
