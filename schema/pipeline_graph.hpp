// What concerns several steps of a pipeline at once: names that must exist, duplicates, keys that
// exclude each other, cycles and the number of edges. Fills `after` and `before` of the steps.
//
// Errors:  problems at the place of the name or key that causes them; a cycle is spelled out: a → b
//          → a.
// Threads: pure function.
// Costs:   steps + edges; names are looked up in a table.
// Source:  depth-first search with three colours (Cormen et al., chapter 20.3).
#pragma once

#include "schema/pipeline_reader.hpp"

namespace ordo::pipeline {

/// Links the steps of `draft` and checks what they mean together.
void link_steps(DraftPipeline& draft, Problems& problems);

}  // namespace ordo::pipeline
