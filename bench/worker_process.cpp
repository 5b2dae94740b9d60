#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <thread>

#include "bench/system.hpp"
#include "ordo/worker.hpp"

namespace ordo::bench {
namespace {

/// The first eight bytes of a payload may carry when its submit was intended (steady µs); 0: they
/// do not.
std::int64_t intended(std::string_view payload) {
  std::int64_t at = 0;
  if (payload.size() >= sizeof at) std::memcpy(&at, payload.data(), sizeof at);
  return at;
}

}  // namespace

int run_worker_process(int argc, char** argv) {
  std::string broker;
  int descriptor = -1;
  int micros = 0;
  WorkerOptions options;
  CLI::App app("The worker of a bench");
  app.add_option("--broker", broker)->required();
  app.add_option("--slots", options.slots);
  app.add_option("--take-ahead", options.take_ahead);
  app.add_option("--micros", micros);
  app.add_option("--page", descriptor)->required();
  app.add_option("--key-file", options.key_file);
  app.add_option("--broker-key", options.broker_key);
  CLI11_PARSE(app, argc, argv);
  options.brokers = {broker};
  options.name = "bench-worker";
  options.drain_timeout = std::chrono::milliseconds(2000);
  PageMapping page(descriptor);
  Worker worker(options);
  const auto handler = [&](Task& task) {
    page->tasks.fetch_add(1, std::memory_order_relaxed);
    const std::string& step = task.step();
    if (task.attempt() == 1 && (step == "a" || task.pipeline() == "bench1")) {
      page->first_steps.fetch_add(1, std::memory_order_relaxed);
      if (const auto at = intended(task.payload()); at > 0) page->start.add(steady_micros() - at);
    }
    if (micros > 0) std::this_thread::sleep_for(std::chrono::microseconds(micros));
    if (step == "f") page->last_steps.fetch_add(1, std::memory_order_relaxed);
    return succeeded();
  };
  for (const char* step : {"a", "b", "c", "d", "e", "f"}) worker.on(step, handler, "bench");
  // Its signals and its drain; the flags are taken already.
  worker.options().on_log = [](std::string_view) {};
  char* const flags[] = {argv[0], nullptr};
  return run_worker(1, const_cast<char**>(flags), worker);
}

}  // namespace ordo::bench
