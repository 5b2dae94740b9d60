// Views as JSON, for what `ordo` prints and what ordo-monitor answers. Field names are those of the
// views; texts that are JSON themselves (labels, context, notes) are put in as JSON, payloads and
// results as text.
//
// Threads: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "ordo/client_views.hpp"
#include "ordo/result.hpp"

namespace ordo::client {

using Json = nlohmann::ordered_json;

Json to_json(const OrderView& order);
Json to_json(const TaskView& task);
Json to_json(const EventView& event);
Json to_json(const AttemptView& attempt);
Json to_json(const Explanation& explanation);
Json to_json(const PipelineView& pipeline);
Json to_json(const QueueView& queue);
Json to_json(const SignalView& signal);
Json to_json(const WorkerView& worker);
Json to_json(const Error& error);

template <class View> std::vector<Json> each_to_json(const std::vector<View>& views) {
  std::vector<Json> all;
  for (const View& view : views) all.push_back(to_json(view));
  return all;
}

}  // namespace ordo::client
