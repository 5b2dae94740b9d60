// Every rule that the tree is held to, as a function. rules_test.cpp runs each on the real tree,
// where it must find nothing, and on a planted violation, which it must flag.
//
// Errors:  what is wrong comes back as findings; nothing throws.
// Costs:   the whole tree in well under a second a rule.
#pragma once

#include "tests/tidy/tree.hpp"

namespace ordo::tidy {

// floors.cpp
/// Which folder may include which of ours: main → shells → cores → schema → base.
Findings check_floors(const Tree& tree);
/// Each outside library stays in its home folder; public headers know std and tl::expected only.
Findings check_homes(const Tree& tree);
/// Our headers are included from the source root, public ones as "ordo/…".
Findings check_include_style(const Tree& tree);

// words.cpp
/// A core reads no clock, draws no chance, knows no thread, throws nothing.
Findings check_core_words(const Tree& tree);
/// A core never walks an unordered container: the order would differ between two runs of one seed.
Findings check_core_iteration(const Tree& tree);
/// Nothing is left for later, and no path of somebody's machine is left behind.
Findings check_leftovers(const Tree& tree);
/// A test waits for a fact, never for time.
Findings check_test_sleeps(const Tree& tree);

// shape.cpp
Findings check_line_lengths(const Tree& tree);
Findings check_file_lengths(const Tree& tree);
/// At most 70 lines and 5 parameters a function.
Findings check_functions(const Tree& tree);
Findings check_header_comments(const Tree& tree);
/// Every folder that holds sources says what it is for, in at most 25 lines, or the README above
/// names it (`net/`).
Findings check_folder_readmes(const Tree& tree);

// documents.cpp
/// A link from a document to a file of this repository leads somewhere.
Findings check_links(const Tree& tree);
/// Every reason of an error is documented in docs/protocol.md.
Findings check_reasons(const Tree& tree);
/// docs/metrics.md and monitoring/probe name the same metrics.
Findings check_metrics(const Tree& tree);
/// docs/configuration.md and the broker's settings name the same keys, docs/monitor.md and the
/// monitor's too.
Findings check_settings(const Tree& tree);
/// docs/executor.md and the configuration of ordo-worker name the same keys.
Findings check_executor_keys(const Tree& tree);
/// docs/states.md draws exactly the transitions of schema/vocabulary.hpp.
Findings check_states(const Tree& tree);
/// The program printed in README.md is examples/first/first.cpp.
Findings check_first_program(const Tree& tree);
/// Each `./dev COMMAND` that a document prints is a command of ./dev.
Findings check_dev_commands(const Tree& tree);
/// docs/decisions holds 0001, 0002, … without a gap, each with its four parts.
Findings check_decisions(const Tree& tree);

}  // namespace ordo::tidy
