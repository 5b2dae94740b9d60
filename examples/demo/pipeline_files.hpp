// The files of the shop's pipelines, and their text as a demo's orders live: people are faster, the
// machine is not.
//
// Errors:  kNotFound with the file that cannot be read.
// Threads: pure but for reading files.
#pragma once

#include <string>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::demo {

/// `name` of a folder below share/ordo beside an installed program, else of examples/ in this tree.
std::string examples_folder(const std::string& name);

/// The eight of the shop and `hello`, of whose steps none is scaled.
Result<std::vector<std::string>> shop_pipelines(double speed);
Result<std::string> read_pipeline(const std::string& path);

}  // namespace ordo::demo
