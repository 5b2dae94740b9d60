#include "broker/store/memory_store.hpp"
#include "tests/contract/shard_under_test.hpp"

namespace ordo::testing {
namespace {

class MemoryShard final : public ShardUnderTest {
 public:
  MemoryShard() { database_.set_now(wall_from_ms(1'780'000'000'000)); }
  std::unique_ptr<ShardStore> session() override {
    return std::make_unique<MemoryStore>(database_);
  }
  std::unique_ptr<ShardReader> reader() override {
    return std::make_unique<MemoryReader>(database_);
  }
  void terminate_owner() override { database_.terminate_owner(); }

 private:
  MemoryDatabase database_{1};
};

}  // namespace

StoreForm memory_form() {
  return {"Memory", [] { return std::make_unique<MemoryShard>(); }};
}

}  // namespace ordo::testing
