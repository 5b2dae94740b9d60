// The values in ordo-worker's configuration: texts that may stand in files of their own, URLs and
// paths, headers, tables of outcomes.
//
// Errors:  each reader adds a problem that says what to write instead, and answers nullopt or what
//          was right.
// Threads: functions over files; pure but for them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/pipeline_yaml.hpp"
#include "worker/executor/config.hpp"

namespace ordo::executor {

/// One line of text, at most kValueBytes.
std::optional<std::string> read_text(const pipeline::Node& node, std::string_view key,
                                     pipeline::Problems& problems);
/// The same, or `{ file: PATH, before: TEXT }`: what stands in the file, which nobody else may
/// read.
std::optional<std::string> read_value(const pipeline::Node& node, std::string_view key,
                                      pipeline::Problems& problems);
/// A list of texts; one text is a list of one.
std::vector<std::string> read_texts(const pipeline::Node& node, std::string_view key,
                                    std::size_t most, pipeline::Problems& problems);

/// "http://host:port/path" without user, query and fragment; a slash at its end goes.
std::optional<std::string> read_url(const pipeline::Node& node, std::string_view key,
                                    pipeline::Problems& problems);
/// What stands behind it: "/charge?currency=eur".
std::optional<std::string> read_path(const pipeline::Node& node, std::string_view key,
                                     pipeline::Problems& problems);
/// The path of something that is there. `wants` is "a file", "a folder" or "a program".
std::optional<std::string> read_place(const pipeline::Node& node, std::string_view key,
                                      std::string_view wants, pipeline::Problems& problems);

/// A map of names and values; no name of those that ordo-worker sets itself.
std::vector<Named> read_headers(const pipeline::Node& node, pipeline::Problems& problems);
/// The same for variables of a program's environment.
std::vector<Named> read_variables(const pipeline::Node& node, pipeline::Problems& problems);

/// Keys that sign: a file, or a list of them.
std::vector<std::string> read_keys(const pipeline::Node& node, pipeline::Problems& problems);

/// A map of HTTP statuses ("409", "4xx") and outcomes.
std::map<int, Verdict> read_statuses(const pipeline::Node& node, pipeline::Problems& problems);
/// A map of exit codes (0 to 125) and outcomes.
std::map<int, Verdict> read_exits(const pipeline::Node& node, pipeline::Problems& problems);

}  // namespace ordo::executor
