// Views as JSON, for --output json and jsonl. Field names are those of the views; texts that are
// JSON themselves (labels, context, notes) are put in as JSON, payloads and results as text.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "client/cli/printer.hpp"
#include "ordo/client_views.hpp"

namespace ordo::cli {

Json to_json(const client::OrderView& order);
Json to_json(const client::TaskView& task);
Json to_json(const client::EventView& event);
Json to_json(const client::AttemptView& attempt);
Json to_json(const client::Explanation& explanation);
Json to_json(const client::PipelineView& pipeline);
Json to_json(const client::QueueView& queue);
Json to_json(const client::WorkerView& worker);
Json to_json(const Error& error);

template <class View> std::vector<Json> each_to_json(const std::vector<View>& views) {
  std::vector<Json> all;
  for (const View& view : views) all.push_back(to_json(view));
  return all;
}

}  // namespace ordo::cli
