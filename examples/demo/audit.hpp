// What is asked when a run is over: does everything hold that must (examples/shop/verify), and can
// the system say of each order that did not succeed why.
//
// Errors:  of the first record that cannot be read.
// Threads: one owner; blocks for as long as it takes, a few milliseconds an order that did not
//          succeed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "examples/demo/street.hpp"
#include "examples/demo/system.hpp"
#include "ordo/client.hpp"

namespace ordo::demo {

struct Audit {
  std::uint64_t violations = 0;
  std::map<std::string, std::uint64_t> rules{};    ///< violations by rule
  std::vector<std::string> findings{};             ///< sentences about the first few
  std::map<std::string, std::uint64_t> reasons{};  ///< why orders did not succeed: how many
  std::uint64_t explained = 0;                     ///< orders with a sentence that says why
  std::vector<std::string> unexplained{};          ///< ids and what was said instead
};

/// Of `tables`, which were read when nothing moved any more.
Result<Audit> audit(const System& system, const Street& street, client::Client& client,
                    const Tables& tables);

/// A sentence without what differs from order to order: times, counts, ids.
std::string reason_of(const std::string& sentence);

}  // namespace ordo::demo
