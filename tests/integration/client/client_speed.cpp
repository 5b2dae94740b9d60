// What a submit costs in the client: orders a second and CPU of each thread, against a broker in a
// thread that answers at once. Not a test: `client_speed [orders] [single|batch|latency]`.
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "ordo/client.hpp"
#include "tests/integration/client/fake_broker.hpp"

namespace {

using namespace ordo;
using namespace ordo::client;

/// Nanoseconds of CPU by thread name, of this process.
std::map<std::string, double> cpu_by_thread() {
  std::map<std::string, double> cpu;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    double nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    cpu[name] += nanoseconds;
  }
  return cpu;
}

Order small_order() {
  Order order;
  order.pipeline = "one";
  order.payload.assign(100, 'x');
  return order;
}

void submit_singly(Client& client, std::size_t count) {
  std::atomic<std::size_t> answered{0};
  for (std::size_t i = 0; i < count; ++i) {
    while (client.in_flight() > 20'000) std::this_thread::yield();
    client.submit_async(small_order(), [&answered](const Submitted&) { ++answered; });
  }
  while (answered < count) std::this_thread::yield();
}

void submit_in_batches(Client& client, std::size_t count) {
  std::vector<Order> orders(count, small_order());
  (void)client.submit_batch(std::move(orders), {.timeout = milliseconds{60'000}});
}

/// One at a time: what a caller who waits for each order sees.
void submit_one_by_one(Client& client, std::size_t count) {
  std::vector<double> microseconds;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    (void)client.submit(small_order());
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    microseconds.push_back(took.count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  std::printf("p50 %.0f us, p99 %.0f us\n", microseconds[count / 2],
              microseconds[count * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500'000;
  const std::string way = argc > 2 ? argv[2] : "single";
  test::FakeBroker broker;
  broker.keeps_orders = false;
  Options options;
  options.endpoints = {broker.endpoint()};
  Client client(options);
  if (!client.ready(milliseconds{5'000})) return 69;
  const auto before = cpu_by_thread();
  const auto start = std::chrono::steady_clock::now();
  if (way == "latency") {
    submit_one_by_one(client, count);
  } else {
    way == "single" ? submit_singly(client, count) : submit_in_batches(client, count);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto n = static_cast<double>(count);
  std::printf("%.0f orders/s, %.1f orders a frame\n", n / seconds.count(),
              n / static_cast<double>(broker.frames.load()));
  for (const auto& [name, nanoseconds] : cpu_by_thread()) {
    const auto earlier = before.find(name);
    const double used = nanoseconds - (earlier == before.end() ? 0 : earlier->second);
    std::printf("  %-16s %6.0f ns an order\n", name.c_str(), used / n);
  }
  return 0;
}
