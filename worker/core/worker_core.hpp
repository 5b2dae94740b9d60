// A worker's decisions as a pure state machine: sessions with brokers, fences, results that are
// kept until they are recorded, draining. Events and times in, effects out; no socket, clock,
// thread, log or unseeded chance.
//
// Use:     start() once; step() for every event, step(TimePassed) when next_deadline() has come;
//          perform the effects in the order of their members (effects.hpp). The shell owns the line
//          of runs and the slots: it begins runs in order, at most Settings::slots at a time, and
//          reports each exactly once as RunEnded.
// Shapes:  every frame of a broker may be lost, doubled or late. A task is held from its offer
//          until its result is recorded or refused; a revoked one ("fenced") still keeps its slot
//          until its handler returns.
// Errors:  bytes from outside never trip a check; a shell that reports an unknown run is ignored.
// Threads: one owner.
// Costs:   a few hash look-ups a task; timers are one scan of what is held when the earliest is
//          due.
// Source:  docs/protocol.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "schema/limits.hpp"
#include "worker/core/effects.hpp"
#include "worker/core/events.hpp"

namespace ordo::worker {

/// slots + take_ahead at most: twice that (what a broker that miscounts may bring) still fits into
/// one hello.
inline constexpr std::size_t kMostCapacity = limits::kFrameHeld / 2 - limits::kFrameOffers;

struct Settings {
  wire::SessionId session{};  ///< 128 random bits, new for each process
  std::string name;           ///< for people
  std::string version;
  std::vector<std::string> queues;  ///< whose tasks it takes, 1 to limits::kWorkerQueues
  std::uint32_t links = 1;          ///< brokers
  std::uint32_t slots = 8;          ///< handlers at a time, at least 1
  std::uint32_t take_ahead = 0;  ///< tasks held beyond those; slots + take_ahead ≤ kMostCapacity
  Millis drain_timeout{20'000};  ///< for handlers to finish and results to be recorded
  Millis hang_grace{30'000};     ///< past its timeout a handler counts as hung after this
};

/// How run() ends; part of the exit codes that all programs share.
inline constexpr int kExitDrained = 0;
inline constexpr int kExitDrainTimedOut = 5;  ///< handlers still ran, or results were not recorded
inline constexpr int kExitHung = 70;          ///< every slot held a handler that hangs

/// What is held; for tests, health and the simulator's liveness phase.
struct WorkerCounts {
  std::size_t open = 0;     ///< offered and not ended here, without the fenced ones
  std::size_t results = 0;  ///< ended, not recorded yet, without the fenced ones
  std::size_t fenced = 0;   ///< revoked, but running or with a late result
  std::size_t hung = 0;
  std::size_t welcome_links = 0;
  bool is_draining = false;
  bool has_left = false;
};

class WorkerCore {
 public:
  explicit WorkerCore(Settings settings);

  /// Dials every broker. Call once, before the first step.
  void start(Times now, Effects& out);
  void step(Times now, Event&& event, Effects& out);
  /// When step(TimePassed) is wanted at the latest; nullopt: never again.
  [[nodiscard]] std::optional<Steady> next_deadline() const;
  [[nodiscard]] WorkerCounts counts() const;
  /// The fence under which the task is held now; nullopt where it is not held.
  [[nodiscard]] std::optional<Fence> fence_of(const TaskKey& key) const;

 private:
  struct Link {
    enum class State : std::uint8_t { kDialling, kGreeting, kWelcome };
    State state = State::kDialling;
    Steady give_up_at{};  ///< dialling, greeting: then the connection is made anew
    Steady greeted_at{};  ///< the last hello
    Steady heard_at{};    ///< the last frame
    Steady beat_at{};
    Steady settled_at{};    ///< after a welcome: results wait this long for new fences
    Steady confirmed_at{};  ///< when the broker last had everything that was sent
    Millis beat{1000};
    Millis silence{3000};
    std::uint64_t sent = 0;       ///< results since the hello
    std::uint64_t received = 0;   ///< offers since the latest welcome
    std::uint64_t confirmed = 0;  ///< of `sent`, as the broker says
  };
  /// A task and its place; places are reused, with a new generation each time.
  struct Held {
    enum class State : std::uint8_t { kFree, kOpen, kEnded };
    State state = State::kFree;
    bool is_fenced = false;  ///< no longer ours: not found by its key alone
    bool is_cancelled = false;
    bool is_hung = false;
    bool has_news = false;    ///< `note` was not sent yet
    bool is_leaving = false;  ///< its result leaves with this step
    std::uint8_t sends = 0;   ///< how often the result was sent
    std::uint32_t generation = 0;
    LinkIndex link = 0;
    TaskKey key;
    Fence fence;
    Steady timeout_at{};
    Steady due{};        ///< when the timer of its state rings
    Millis patience{0};  ///< ended: until the result is sent again
    std::string note;
    wire::TaskResult result;
  };

  void on(const event::Connected& event);
  void on(const event::Disconnected& event);
  void on(event::Received& event);
  void on(event::Ended& event);
  void on(event::Noted& event);
  void on(const event::Looked& event);
  void on(const event::DrainRequested& event);
  void on(const event::TimePassed& event);

  void on_message(LinkIndex link, wire::Welcome& message);
  void on_message(LinkIndex link, wire::SayHello& message);
  void on_message(LinkIndex link, wire::Beat& message);
  void on_message(LinkIndex link, wire::Offers& message);
  void on_message(LinkIndex link, wire::RecordedItems& message);
  void on_message(LinkIndex link, wire::Regrants& message);
  void on_message(LinkIndex link, wire::Revokes& message);
  void on_message(LinkIndex link, wire::Refusal& message);
  template <class Other> void on_message(LinkIndex link, Other& message);

  void dial(LinkIndex link);
  void greet(LinkIndex link);
  void list_held(std::vector<wire::HeldTask>& list) const;
  void beat(LinkIndex link);
  void tend(LinkIndex link);
  [[nodiscard]] Steady deadline_of(const Link& link) const;
  [[nodiscard]] std::uint32_t share() const;

  void take(LinkIndex link, wire::Offer& offer);
  bool refuses(LinkIndex link, const wire::Offer& offer);
  void end(RunEnded& ended);
  void keep_result(std::uint32_t place, Ending& ending);
  void hand_back(std::uint32_t place);
  void revoke(std::uint32_t place, const std::string& reason);
  [[nodiscard]] LinkIndex way_of(const Held& held) const;
  void ring(std::uint32_t place);
  void ring_all();
  void flush();

  void begin_drain(Millis timeout, int exit_code);
  void check_drained();

  std::uint32_t place_for(const TaskKey& key);
  void release(std::uint32_t place);
  void remember(const Held& held);
  Held* find(RunId run);
  Held* find(const TaskKey& key, const Fence& fence);
  bool take_back(Held& held);
  void set_due(Held& held, Steady due);
  void send_results(LinkIndex link, wire::Results results);
  void tell(FactKind kind, const TaskKey& key = {}, const Fence& fence = {}, std::string text = {});

  Settings settings_;
  std::vector<Link> links_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<TaskKey, std::uint32_t> by_key_;  ///< places of what is ours
  std::map<ShardNumber, Fence> highest_;               ///< (timeline, epoch) seen, attempt 0
  struct Seen {
    TaskKey key;
    Fence fence;
  };
  static constexpr std::size_t kShelf = 4;  ///< tasks with like hashes that are remembered
  Seen* shelf_of(const TaskKey& key);
  Seen* last_seen(const TaskKey& key);
  std::size_t finished_turn_ = 0;
  std::vector<Seen> finished_;                        ///< ended or revoked lately, by hash
  std::vector<std::uint32_t> to_send_;                ///< places whose results leave with this step
  std::vector<std::vector<wire::HeldTask>> returns_;  ///< per link, handed back with this step
  Steady scan_at_ = Steady::min();                    ///< nor is what is held looked through before
  Steady due_ = Steady::max();                        ///< no timer of held tasks rings before
  std::size_t open_ = 0;                              ///< in the shell's hands, fenced ones too
  std::size_t fenced_ = 0;
  std::size_t ended_ = 0;  ///< results that are ours and not recorded
  std::size_t hung_ = 0;

  bool is_draining_ = false;
  bool has_left_ = false;
  bool is_last_word_ = false;  ///< draining: the rest was told to stop
  int exit_code_ = kExitDrained;
  Steady last_word_at_ = Steady::max();
  Steady drained_at_ = Steady::max();

  Steady now_{};            ///< of the current step
  Effects* out_ = nullptr;  ///< of the current step
};

}  // namespace ordo::worker
