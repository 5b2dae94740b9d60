// ordo-shop-services: the world around the example shop. Stock, coupons, payments, a supplier, a
// warehouse, riders and more, over HTTP on one port, with ledgers of their own on disk.
//
// Prints {"http","pid"} once it listens. Exit codes: 0 ended as asked, 2 usage, 70 a fault of ours,
// 71 a port, file or ledger is refused.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "examples/shop/services_server.hpp"

namespace {

using ordo::shop::ServerOptions;
using ordo::shop::ServicesServer;

constexpr int kOk = 0;
constexpr int kUsage = 2;
constexpr int kOurFault = 70;
constexpr int kRefused = 71;

constexpr const char* kExamples =
    "Examples:\n"
    "  ordo-shop-services --ledgers /tmp/shop --callbacks file:/tmp/shop/callbacks\n"
    "  curl -H 'Idempotency-Key: o1/stock_reserve/0/forward' -d '{\"sku\":\"phone\"}' "
    "http://127.0.0.1:PORT/stock/reserve\n"
    "  curl -d '{\"service\":\"supplier\",\"mode\":\"down\",\"for_ms\":30000}' "
    "http://127.0.0.1:PORT/fault";

void declare(CLI::App& app, ServerOptions& options) {
  app.footer(kExamples);
  app.add_option("--ledgers", options.folder, "Folder of the ledgers; made where it is not there")
      ->required();
  app.add_option("--port", options.port, "Of 127.0.0.1; 0: a free one")->capture_default_str();
  app.add_option("--callbacks", options.callbacks,
                 "Where callbacks go: tcp://host:port of a broker, http://host:port/path or "
                 "file:PATH; empty: nowhere");
  app.add_option("--time-scale", options.time_scale, "Of latencies: 1 is real, 0 at once")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option(
         "--callback-scale", options.callback_scale,
         "Of what customers, merchants and riders take: 1 is real, 0.0167 a minute a second")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of times, failures and customers")->capture_default_str();
  app.add_option("--quantity", options.quantity, "Of each sku, coupon and quota nobody has opened")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--hot-sku", options.hot_sku, "A row in stock that takes its callers one by one");
  app.add_option("--hot-ms", options.hot_ms, "How long each of them has it, at time scale 1")
      ->check(CLI::Range(0.0, 10'000.0))
      ->capture_default_str();
  app.add_flag("!--no-failures", options.has_failures, "Only the faults that are told");
}

int serve(const ServerOptions& options) {
  // Blocked before any thread is there, so that only sigwait() below gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const auto server = ServicesServer::start(options);
  if (!server) {
    std::cerr << "ordo-shop-services: " << server.error().message << '\n';
    return kRefused;
  }
  std::cout << ordo::shop::Json{{"http", (*server)->endpoint()}, {"pid", ::getpid()}}.dump()
            << std::endl;
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    ServerOptions options;
    CLI::App app("ordo-shop-services: the services that the example shop calls.",
                 "ordo-shop-services");
    declare(app, options);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? kOk : kUsage;
    }
    return serve(options);
  } catch (const std::exception& error) {
    std::cerr << "ordo-shop-services: " << error.what() << '\n';
    return kOurFault;
  }
}
