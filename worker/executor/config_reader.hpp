// The parts of ordo-worker's configuration, from a tree of YAML to the structs: every key known,
// every value of its type and inside its bounds.
//
// Errors:  everything that is wrong is added to the problems; what is wrong keeps its default and
//          reading goes on.
// Threads: functions over files; pure but for them.
#pragma once

#include <string_view>
#include <vector>

#include "schema/pipeline_yaml.hpp"
#include "worker/executor/config.hpp"

namespace ordo::executor {

/// What flags and environment may change: brokers, slots, log.
void read_worker(const pipeline::Node& node, WorkerOptions& options, pipeline::Problems& problems);

Service read_service(const pipeline::Node& name, const pipeline::Node& body,
                     pipeline::Problems& problems);

/// `services` are those that the step may name.
Step read_step(const pipeline::Node& name, const pipeline::Node& body,
               const std::vector<Service>& services, pipeline::Problems& problems);

}  // namespace ordo::executor
