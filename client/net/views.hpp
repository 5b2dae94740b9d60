// From the wire's views to the ones that users see.
//
// Threads: pure functions.
#pragma once

#include "ordo/client_views.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

OrderView to_view(wire::OrderView&& from);
EventPage to_view(wire::EventPage&& from);
Explanation to_view(wire::Explanation&& from);
PipelineView to_view(wire::PipelineView&& from);
std::vector<PipelineView> to_view(wire::PipelineList&& from);
std::vector<QueueView> to_view(wire::QueueList&& from);
std::vector<WorkerView> to_view(wire::WorkerList&& from);
SignalView to_view(wire::SignalView&& from);

}  // namespace ordo::client
