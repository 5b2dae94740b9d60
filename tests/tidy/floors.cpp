#include <algorithm>
#include <regex>

#include "tests/tidy/rules.hpp"

namespace ordo::tidy {
namespace {

struct Include {
  std::string target;  ///< as written, e.g. "broker/core/rows.hpp" or zmq.hpp
  bool is_quoted = false;
  std::size_t line = 0;
};

std::vector<Include> includes_of(const File& file) {
  static const std::regex kPattern("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  std::vector<Include> found;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(file.text)) {
    ++number;
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(line.begin(), line.end(), match, kPattern)) continue;
    found.push_back({match[2].str(), match[1].str() == "\"", number});
  }
  return found;
}

// Where a public header lies: "ordo/client.hpp" is client/include/ordo/client.hpp.
std::string resolve(const Tree& tree, const std::string& target) {
  if (!target.starts_with("ordo/")) return target;
  for (const char* const home : {"base", "schema", "client", "worker"}) {
    const std::string path = std::string(home) + "/include/" + target;
    if (tree.find(path) != nullptr) return path;
  }
  return target;
}

struct Floor {
  std::string folder;
  std::vector<std::string> may_include;
};

// The first row that fits a file counts, so rooms come before their house. A core sees only what is
// pure: of base not the parts that read clocks, write logs or serve HTTP. Of the store the broker's
// core sees the port alone: what a store answers is an event of the core.
const std::vector<Floor>& floors() {
  static const std::vector<std::string> kPureBase{
      "base/include/", "base/check.hpp", "base/time.hpp", "base/random.hpp", "schema/include/"};
  static const auto with = [](std::vector<std::string> first,
                              const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  static const std::vector<Floor> kFloors{
      {"base/", {"base/"}},
      {"schema/", {"schema/", "base/"}},
      {"broker/core/", with({"broker/core/", "broker/store/store.hpp", "schema/"}, kPureBase)},
      {"client/core/", with({"client/core/", "client/include/", "schema/"}, kPureBase)},
      {"worker/core/", with({"worker/core/", "worker/include/", "schema/"}, kPureBase)},
      {"broker/store/", {"broker/store/", "broker/core/", "schema/", "base/"}},
      {"broker/net/", {"broker/net/", "broker/core/", "schema/", "base/"}},
      {"broker/app/", {"broker/", "monitoring/health/", "monitoring/probe/", "schema/", "base/"}},
      {"client/include/", {"client/include/", "schema/include/", "base/include/"}},
      {"worker/include/", {"worker/include/", "schema/include/", "base/include/"}},
      {"client/net/", {"client/net/", "client/core/", "client/include/", "schema/", "base/"}},
      {"client/json/", {"client/json/", "client/include/", "schema/", "base/"}},
      {"client/parked/", {"client/parked/", "client/include/", "schema/", "base/"}},
      {"client/cli/",
       {"client/cli/", "client/parked/", "client/json/", "client/include/", "schema/", "base/"}},
      {"worker/net/", {"worker/net/", "worker/core/", "worker/include/", "schema/", "base/"}},
      {"worker/app/", {"worker/", "schema/", "base/"}},
      {"worker/executor/",
       {"worker/executor/", "worker/include/", "worker/app/options_check.hpp", "schema/", "base/"}},
      {"worker/", {"worker/", "schema/", "base/"}},
      {"client/", {"client/", "schema/", "base/"}},
      {"monitoring/monitor/",
       {"monitoring/monitor/", "monitoring/page/", "monitoring/health/", "client/parked/",
        "client/json/", "client/include/", "schema/", "base/"}},
      {"monitoring/", {"monitoring/", "broker/core/facts.hpp", "schema/", "base/"}},
      {"examples/",
       {"examples/", "client/include/", "worker/include/", "schema/", "base/", "tests/support/"}},
      {"bench/",
       {"bench/", "client/include/", "worker/include/", "broker/store/", "broker/core/", "schema/",
        "base/", "tests/support/"}},
      {"tests/", {""}},
  };
  return kFloors;
}

const Floor* floor_of(const std::string& path) {
  const auto found = std::find_if(floors().begin(), floors().end(), [&](const Floor& floor) {
    return path.starts_with(floor.folder);
  });
  return found == floors().end() ? nullptr : &*found;
}

struct Library {
  std::string name;
  std::regex header;
  std::vector<std::string> homes;
};

const std::vector<Library>& libraries() {
  // Shells that print JSON or take options; every other place gets values.
  static const std::vector<std::string> kPrograms{"broker/app/", "client/json/",     "client/cli/",
                                                  "worker/app/", "worker/executor/", "bench/",
                                                  "examples/",   "monitoring/"};
  static const auto with = [](std::vector<std::string> first,
                              const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  static const std::vector<Library> kLibraries{
      {"ZeroMQ",
       std::regex("zmq(_addon)?\\.h(pp)?"),
       {"broker/net/", "client/net/", "worker/net/"}},
      {"libpqxx", std::regex("pqxx/.*|libpq-fe\\.h"), {"broker/store/"}},
      {"prometheus-cpp", std::regex("prometheus/.*"), {"monitoring/probe/"}},
      {"spdlog", std::regex("spdlog/.*"), {"base/log"}},
      {"httplib", std::regex("httplib\\.h"), {"base/http_"}},
      {"yaml-cpp", std::regex("yaml-cpp/.*"), {"schema/pipeline"}},
      {"msgpack", std::regex("msgpack.*"), {"schema/codec"}},
      {"xxhash", std::regex("xxhash\\.h"), {"schema/hash"}},
      {"nlohmann", std::regex("nlohmann/.*"), with({"schema/context"}, kPrograms)},
      {"CLI11", std::regex("CLI/.*"), kPrograms},
      {"fmt", std::regex("fmt/.*"), with({"monitoring/health/", "tests/"}, kPrograms)},
      {"curl", std::regex("curl/.*"), {"worker/executor/"}},
      {"OpenSSL", std::regex("openssl/.*"), {"worker/executor/"}},
      {"GoogleTest", std::regex("g(test|mock)/.*"), {"tests/"}},
      {"rapidcheck", std::regex("rapidcheck.*"), {"tests/"}},
      {"Google Benchmark", std::regex("benchmark/.*"), {"bench/"}},
  };
  return kLibraries;
}

bool is_public(const std::string& path) {
  return is_header(path) && path.find("/include/ordo/") != std::string::npos;
}

// What a public header may name beside ours: standard headers have neither dot nor slash.
bool is_standard(const std::string& target) {
  return target == "tl/expected.hpp" || target.find_first_of("./") == std::string::npos;
}

}  // namespace

Findings check_floors(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_source(file.path)) continue;
    const Floor* const floor = floor_of(file.path);
    if (floor == nullptr) {
      findings.push_back(
          {file.path, 0, "lies in a folder that has no floor (tests/tidy/floors.cpp)"});
      continue;
    }
    for (const Include& include : includes_of(file)) {
      const std::string target = resolve(tree, include.target);
      const bool is_ours = include.is_quoted && floor_of(target) != nullptr;
      if (!is_ours || starts_with_any(target, floor->may_include)) continue;
      findings.push_back({file.path, include.line, floor->folder + " may not include " + target});
    }
  }
  return findings;
}

Findings check_homes(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_source(file.path)) continue;
    for (const Include& include : includes_of(file)) {
      for (const Library& library : libraries()) {
        if (!std::regex_match(include.target, library.header)) continue;
        // A test of a home may use what the home uses: its path has the home's folder in it or it
        // fakes a peer.
        if (file.path.starts_with("tests/") || starts_with_any(file.path, library.homes)) continue;
        findings.push_back({file.path, include.line, library.name + " is not at home here"});
      }
      if (is_public(file.path) && !include.is_quoted && !is_standard(include.target)) {
        findings.push_back(
            {file.path, include.line,
             "a public header knows std and tl::expected only, not " + include.target});
      }
    }
  }
  return findings;
}

Findings check_include_style(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_source(file.path)) continue;
    for (const Include& include : includes_of(file)) {
      if (!include.is_quoted) continue;
      const std::string target = resolve(tree, include.target);
      if (tree.find(target) != nullptr &&
          include.target.find("/include/ordo/") == std::string::npos)
        continue;
      findings.push_back(
          {file.path, include.line,
           "include ours from the source root and public headers as \"ordo/…\", not \"" +
               include.target + "\""});
    }
  }
  return findings;
}

}  // namespace ordo::tidy
