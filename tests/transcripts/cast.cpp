#include "tests/transcripts/cast.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace ordo::transcript {
namespace {

std::uint64_t number_in(const std::string& text) {
  std::size_t used = 0;
  const auto number = std::stoull(text, &used);
  if (used != text.size()) throw std::runtime_error("`" + text + "` is no number");
  return number;
}

}  // namespace

// ---- peers -------------------------------------------------------------------------------------

Peer& Cast::add_peer(const std::string& name, Send::To side) {
  Peer& peer = peers_[name];
  peer.name = name;
  peer.side = side;
  const auto bytes = std::min(name.size(), peer.session.size());
  std::copy_n(name.begin(), bytes, peer.session.begin());
  connect(peer);
  return peer;
}

void Cast::connect(Peer& peer) {
  peer.number = ++last_peer_;
  peer.is_connected = true;
}

Peer& Cast::peer(const std::string& name) {
  const auto found = peers_.find(name);
  if (found == peers_.end()) throw std::runtime_error("nobody is called `" + name + "`");
  return found->second;
}

const Peer* Cast::peer(Send::To side, PeerId number) const {
  for (const auto& [name, peer] : peers_) {
    if (peer.side == side && peer.number == number) return &peer;
  }
  return nullptr;
}

Peer* Cast::peer(Send::To side, PeerId number) {
  return const_cast<Peer*>(std::as_const(*this).peer(side, number));
}

std::string Cast::name(Send::To side, PeerId number) const {
  const Peer* found = peer(side, number);
  return found != nullptr ? found->name : "nobody";
}

// ---- orders and pipelines ----------------------------------------------------------------------

OrderId Cast::order(const std::string& name, std::int64_t born_ms) {
  const auto found = orders_.find(name);
  if (found != orders_.end()) return found->second;
  const OrderId id = OrderId::make(born_ms, 0, orders_.size() + 1);
  orders_[name] = id;
  order_names_[id] = name;
  return id;
}

OrderId Cast::order(const std::string& name) const {
  const auto found = orders_.find(name);
  if (found == orders_.end()) throw std::runtime_error("there is no order `" + name + "`");
  return found->second;
}

void Cast::learn(Pipeline pipeline) {
  pipelines_.push_back(std::make_unique<Pipeline>(std::move(pipeline)));
}

void Cast::set_pipeline(const OrderId& order, const std::string& pipeline) {
  for (const auto& one : pipelines_) {
    if (one->name == pipeline) pipeline_of_[order] = one.get();
  }
}

std::string Cast::pipeline_name(PipelineId id) const {
  for (const auto& one : pipelines_) {
    if (one->id == id) return one->name + " v" + std::to_string(one->version);
  }
  return "?";
}

TaskKey Cast::task(const std::string& text) const {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) throw std::runtime_error("`" + text + "` is no order/step");
  TaskKey key;
  key.order = order(text.substr(0, slash));
  const auto pipeline = pipeline_of_.find(key.order);
  if (pipeline == pipeline_of_.end()) throw std::runtime_error("no pipeline for `" + text + "`");
  std::string name = text.substr(slash + 1);
  if (name.starts_with('~')) {
    key.kind = TaskKind::kCompensate;
    name.erase(0, 1);
  }
  if (const std::size_t colon = name.find(":fallback"); colon != std::string::npos) {
    key.kind = TaskKind::kFallback;
    name.resize(colon);
  }
  if (const std::size_t bracket = name.find('['); bracket != std::string::npos) {
    key.branch =
        static_cast<BranchIndex>(number_in(name.substr(bracket + 1, name.size() - bracket - 2)));
    name.resize(bracket);
  }
  const auto step = pipeline->second->find(name);
  if (!step) throw std::runtime_error("`" + text + "` names no step");
  key.step = *step;
  return key;
}

Named Cast::attempt(const Peer& worker, const std::string& text) const {
  const std::size_t at = text.find('@');
  if (at == std::string::npos) throw std::runtime_error("`" + text + "` names no attempt");
  Named named;
  named.key = task(text.substr(0, at));
  const std::string fence = text.substr(at + 1);
  const std::size_t first = fence.find('.');
  if (first == std::string::npos) {
    const auto number = static_cast<std::uint32_t>(number_in(fence));
    const auto known = worker.fences.find({named.key, number});
    if (known == worker.fences.end()) {
      throw std::runtime_error(worker.name + " was never offered " + text);
    }
    named.fence = known->second;
    return named;
  }
  const std::size_t second = fence.find('.', first + 1);
  if (second == std::string::npos) throw std::runtime_error("`" + text + "` has half a fence");
  named.fence.timeline = static_cast<std::uint32_t>(number_in(fence.substr(0, first)));
  named.fence.epoch =
      static_cast<std::uint32_t>(number_in(fence.substr(first + 1, second - first - 1)));
  named.fence.attempt = static_cast<std::uint32_t>(number_in(fence.substr(second + 1)));
  return named;
}

std::string Cast::name(const OrderId& id) const {
  const auto found = order_names_.find(id);
  return found != order_names_.end() ? found->second : id.to_string();
}

std::string Cast::name(const TaskKey& key) const { return name(key.order) + "/" + step_name(key); }

std::string Cast::step_word(const TaskKey& key) const {
  const auto pipeline = pipeline_of_.find(key.order);
  if (pipeline == pipeline_of_.end() || key.step >= pipeline->second->steps.size()) {
    return std::to_string(key.step);
  }
  return pipeline->second->steps[key.step].name;
}

std::string Cast::step_name(const TaskKey& key) const {
  if (key.kind == TaskKind::kDeadline) return "(deadline)";
  const auto pipeline = pipeline_of_.find(key.order);
  if (pipeline == pipeline_of_.end() || key.step >= pipeline->second->steps.size()) {
    return std::to_string(key.step);
  }
  const Step& step = pipeline->second->steps[key.step];
  const std::string undo = key.kind == TaskKind::kCompensate ? "~" : "";
  return undo + step.name + (step.each.empty() ? "" : "[" + std::to_string(key.branch) + "]") +
         (key.kind == TaskKind::kFallback ? ":fallback" : "");
}

// ---- durations and fences ----------------------------------------------------------------------

Micros to_duration(const std::string& text) {
  std::size_t used = 0;
  const auto count = static_cast<std::int64_t>(std::stoull(text, &used));
  const std::string unit = text.substr(used);
  if (unit == "ms") return Millis{count};
  if (unit == "s") return Seconds{count};
  if (unit == "m") return std::chrono::minutes{count};
  if (unit == "h") return std::chrono::hours{count};
  throw std::runtime_error("`" + text + "` is no duration: 250ms, 2s, 5m, 1h");
}

std::string to_text(Micros duration) {
  const std::int64_t ms = std::chrono::duration_cast<Millis>(duration).count();
  if (ms < 1000) return std::to_string(ms) + "ms";
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    std::string rest = std::to_string(1000 + ms % 1000).substr(1);
    while (rest.back() == '0') rest.pop_back();
    text += "." + rest;
  }
  return text + "s";
}

std::string to_text(const Fence& fence) {
  return std::to_string(fence.timeline) + "." + std::to_string(fence.epoch) + "." +
         std::to_string(fence.attempt);
}

}  // namespace ordo::transcript
