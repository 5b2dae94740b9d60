// A shard that the contract suite can take sessions of, whatever it is kept in.
//
// Threads: one owner.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/store/store.hpp"

namespace ordo::testing {

class ShardUnderTest {
 public:
  virtual ~ShardUnderTest() = default;
  /// A new session, not yet open.
  virtual std::unique_ptr<ShardStore> session() = 0;
  virtual std::unique_ptr<ShardReader> reader() = 0;
  /// Ends the owner's session from outside (an operator, a failover).
  virtual void terminate_owner() = 0;
};

/// One of the two forms: makes a fresh, empty shard for a test.
struct StoreForm {
  std::string name;
  std::function<std::unique_ptr<ShardUnderTest>()> make;
};

StoreForm memory_form();
/// Present where the suite is built with PostgresStore.
StoreForm postgres_form();

}  // namespace ordo::testing
