// Who takes part in a story, by the short names that it uses: orders (A, B), clients (c1), workers
// (w1), pipelines. Translates between these and ids, peers and task keys.
//
// Shapes:  an order's id is drawn when its name is first used; a peer gets a new number with each
//          connection and keeps its session.
// Units:   durations are written as 250ms, 2s, 5m, 1h.
// Errors:  a name that nobody has throws std::runtime_error.
// Threads: one owner.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "broker/core/effects.hpp"
#include "schema/messages.hpp"
#include "schema/pipeline.hpp"

namespace ordo::transcript {

/// What a request was, so that the body of its answer can be read.
enum class Asked : std::uint8_t {
  kPlain,
  kSignals,
  kWait,
  kWatch,
  kGet,
  kExplain,
  kPipeline,
  kQueues,
  kWorkers
};

struct Peer {
  std::string name;
  Send::To side = Send::To::kClient;
  PeerId number = 0;
  wire::SessionId session{};
  bool is_connected = false;
  bool is_silent = false;  ///< no longer beats by itself
  // a client's
  std::uint64_t last_request = 0;
  std::map<std::uint64_t, Asked> asked;
  // a worker's
  std::vector<std::string> queues;
  std::uint32_t slots = 1;
  std::uint64_t offers = 0;  ///< since its hello
  /// the newest fence it was told of each attempt
  std::map<std::pair<TaskKey, std::uint32_t>, Fence> fences;
  std::optional<wire::Message> last_frame;
};

/// A task and the fence of an attempt, as a story names it: A/pay@1 or A/pay@1.2.1.
struct Named {
  TaskKey key;
  Fence fence;
};

class Cast {
 public:
  Peer& add_peer(const std::string& name, Send::To side);
  /// A new connection of it.
  void connect(Peer& peer);
  [[nodiscard]] Peer& peer(const std::string& name);
  [[nodiscard]] const Peer* peer(Send::To side, PeerId number) const;
  [[nodiscard]] Peer* peer(Send::To side, PeerId number);
  [[nodiscard]] std::map<std::string, Peer>& peers() { return peers_; }

  /// The order's id; drawn at `born_ms` when nobody has used the name before.
  OrderId order(const std::string& name, std::int64_t born_ms);
  [[nodiscard]] OrderId order(const std::string& name) const;
  void learn(Pipeline pipeline);
  /// The order goes through the newest version of this pipeline.
  void set_pipeline(const OrderId& order, const std::string& pipeline);

  /// "A/pay", of which the order must be known.
  [[nodiscard]] TaskKey task(const std::string& text) const;
  /// "A/pay@1": under the newest fence that the worker knows of this attempt; "A/pay@1.2.1": as is.
  [[nodiscard]] Named attempt(const Peer& worker, const std::string& text) const;

  [[nodiscard]] std::string name(const OrderId& id) const;
  [[nodiscard]] std::string name(const TaskKey& key) const;       ///< A/pay
  [[nodiscard]] std::string step_name(const TaskKey& key) const;  ///< pay, pay[2], pay:fallback
  [[nodiscard]] std::string step_word(const TaskKey& key) const;  ///< pay
  [[nodiscard]] std::string name(Send::To side, PeerId number) const;
  [[nodiscard]] std::string pipeline_name(PipelineId id) const;

 private:
  std::map<std::string, Peer> peers_;
  std::map<std::string, OrderId> orders_;
  std::map<OrderId, std::string> order_names_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;  ///< newest last
  std::map<OrderId, const Pipeline*> pipeline_of_;
  PeerId last_peer_ = 0;
};

Micros to_duration(const std::string& text);
std::string to_text(Micros duration);
std::string to_text(const Fence& fence);

}  // namespace ordo::transcript
