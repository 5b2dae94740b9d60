#include "tests/contract/shard_under_test.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

class PostgresShard final : public ShardUnderTest {
 public:
  PostgresShard() = default;
  std::unique_ptr<ShardStore> session() override {
    return std::make_unique<PostgresStore>(database_.settings());
  }
  std::unique_ptr<ShardReader> reader() override {
    return std::make_unique<PostgresReader>(database_.settings());
  }
  void terminate_owner() override { database_.terminate_owner(); }

 private:
  ShardDatabase database_{1};
};

}  // namespace

StoreForm postgres_form() {
  return {"Postgres", [] { return std::make_unique<PostgresShard>(); }};
}

}  // namespace ordo::testing
