#include "tests/faults/steady_load.hpp"

#include <fstream>
#include <iterator>
#include <limits>

#include "base/check.hpp"
#include "tests/support/wait.hpp"

namespace ordo::faults {

using namespace std::chrono_literals;

std::unique_ptr<client::Client> client_with_pipelines(const demo::System& system) {
  auto client = std::make_unique<client::Client>(
      client::Options{.endpoints = system.client_endpoints(), .name = "faults", .timeout = 30s});
  for (const char* name : {"digital", "3c", "hello"}) {
    std::ifstream file("examples/pipelines/" + std::string(name) + ".yaml");
    const auto stored =
        client->put_pipeline(std::string((std::istreambuf_iterator<char>(file)), {}));
    ORDO_CHECK(stored.has_value(), name, stored.error().message);
  }
  return client;
}

SteadyLoad::SteadyLoad(demo::System& system, double rate, std::uint64_t seed)
    : client_(client_with_pipelines(system)) {
  auto log = demo::AckLog::open(system.folder() + "/acks");
  ORDO_CHECK(log.has_value(), log.error().message);
  log_ = std::move(*log);
  // Long enough for every fault to be over: an answer of unknown outcome should stay rare.
  submitter_ = std::make_unique<demo::Submitter>(
      *client_, *log_, demo::SubmitOptions{.rate = rate, .seed = seed, .timeout = 60s});
  thread_ = std::thread([this, seed] { run(seed); });
}

SteadyLoad::~SteadyLoad() { stop(); }

void SteadyLoad::stop() {
  must_stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void SteadyLoad::run(std::uint64_t seed) {
  demo::OrderSource source(seed, std::numeric_limits<std::size_t>::max(), demo::Mix::kPlain);
  while (!must_stop_) {
    const auto more = submitter_->step(source);
    ORDO_CHECK(more.has_value(), more.error().message);
    acked_ = submitter_->counts().acked;
  }
}

demo::Verdict settle_and_check(const demo::System& system, demo::Tables* tables) {
  // The slowest are orders whose step waits for its retries; none takes minutes.
  const bool is_settled = testing::wait_until(
      180s,
      [&] {
        const auto standing = system.tables().standing();
        return standing && standing->moving == 0;
      },
      250ms);
  auto acks = demo::read_acks(system.folder() + "/acks");
  auto ledger = system.ledgers();
  auto read = system.tables().read();
  ORDO_CHECK(acks && ledger && read, "a record cannot be read");
  demo::Verdict verdict = demo::check_records(*acks, *ledger, *read);
  if (!is_settled && verdict.lost.count == 0) verdict.lost = {1, {"orders still move"}};
  if (tables != nullptr) *tables = std::move(*read);
  return verdict;
}

}  // namespace ordo::faults
