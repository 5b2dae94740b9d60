#include "examples/demo/system.hpp"

#include <signal.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/http_get.hpp"
#include "base/usual_ports.hpp"
#include "tests/support/wait.hpp"

namespace ordo::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ChildProcess;

// A start on two busy processors has taken seconds, never this long.
constexpr auto kStartPatience = 60s;
constexpr auto kStopPatience = 30s;

Result<std::string> make_folder() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base ? base : "/tmp") + "/ordo_demo_XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(Code::kUnavailable, "folder", "cannot make the folder " + pattern);
  }
  return pattern;
}

std::string without_scheme(const std::string& endpoint) {
  const auto colon = endpoint.find("://");
  return colon == std::string::npos ? endpoint : endpoint.substr(colon + 3);
}

}  // namespace

Endpoints free_endpoints() { return {"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}; }

Endpoints usual_endpoints() {
  const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  return {at(kUsualPorts[0]), at(kUsualPorts[1]), at(kUsualPorts[2])};
}

std::string tail_of(const std::string& path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  constexpr std::size_t kTail = 1500;
  return text.size() > kTail ? text.substr(text.size() - kTail) : text;
}

Result<std::unique_ptr<System>> System::create(const SystemOptions& options) {
  std::unique_ptr<System> system(new System(options));
  auto folder = make_folder();
  if (!folder) return tl::unexpected(folder.error());
  system->folder_ = *folder;
  if (auto done = system->start_database(); !done) return tl::unexpected(done.error());
  if (auto done = system->migrate(); !done) return tl::unexpected(done.error());
  return system;
}

System::~System() {
  (void)stop();
  postgres_.reset();
  std::error_code none;
  if (!options_.is_kept && !folder_.empty()) fs::remove_all(folder_, none);
}

Result<void> System::start_database() {
  testing::PostgresOptions wanted{.is_durable = options_.is_durable};
  if (options_.is_durable) {
    // Smaller than what is measured: a demo shares the machine.
    wanted.settings = {
        {"shared_buffers", "'256MB'"}, {"max_wal_size", "'2GB'"}, {"min_wal_size", "'256MB'"}};
  }
  auto server = testing::PostgresServer::create(std::move(wanted));
  if (!server) return tl::unexpected(server.error());
  postgres_ = std::move(*server);
  auto database = postgres_->create_database("ordo");
  if (!database) return tl::unexpected(database.error());
  dsn_ = *database;
  return {};
}

Result<void> System::migrate() {
  const auto program = testing::find_program("ordo-migrate");
  if (!program) return tl::unexpected(program.error());
  const auto done =
      testing::output_of(*program, {"--dsn", dsn_, "--shards", std::to_string(options_.shards)});
  if (!done) return tl::unexpected(done.error());
  return {};
}

Result<ChildProcess> System::launch_broker(const std::string& name, const Endpoints& addresses) {
  const auto program = testing::find_program("ordo-broker");
  if (!program) return tl::unexpected(program.error());
  std::error_code none;
  fs::remove(path(name + ".json"), none);
  testing::ChildSpec spec{.program = *program, .log = path(name + ".log")};
  spec.arguments = {"--name",           name,
                    "--database",       dsn_,
                    "--shards",         std::to_string(options_.shards),
                    "--listen-clients", addresses.clients,
                    "--listen-workers", addresses.workers,
                    "--listen-http",    addresses.http,
                    "--endpoints-file", path(name + ".json"),
                    "--plaintext"};
  for (const auto& flag : options_.broker_flags) spec.arguments.push_back(flag);
  return ChildProcess::start(spec);
}

Result<Endpoints> System::await_endpoints(const std::string& name, ChildProcess& process) const {
  const std::string file = path(name + ".json");
  testing::wait_until(kStartPatience, [&] { return fs::exists(file) || !process.is_running(); });
  std::ifstream in(file);
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) {
    return fail(Code::kUnavailable, "broker",
                name + " does not start: " + tail_of(path(name + ".log")));
  }
  return Endpoints{json.value("clients", ""), json.value("workers", ""), json.value("http", "")};
}

Result<std::size_t> System::start_broker(const Endpoints& at) {
  const std::string name = "broker-" + std::to_string(brokers_.size());
  auto process = launch_broker(name, at);
  if (!process) return tl::unexpected(process.error());
  auto endpoints = await_endpoints(name, *process);
  if (!endpoints) return tl::unexpected(endpoints.error());
  brokers_.push_back({name, *endpoints, std::move(*process)});
  return brokers_.size() - 1;
}

Result<void> System::restart_broker(std::size_t number) {
  Broker& broker = brokers_.at(number);
  auto process = launch_broker(broker.name, {without_scheme(broker.endpoints.clients),
                                             without_scheme(broker.endpoints.workers),
                                             without_scheme(broker.endpoints.http)});
  if (!process) return tl::unexpected(process.error());
  broker.process = std::move(*process);
  const auto endpoints = await_endpoints(broker.name, broker.process);
  if (!endpoints) return tl::unexpected(endpoints.error());
  return {};
}

Result<void> System::wait_ready(std::size_t number) {
  Broker& broker = brokers_.at(number);
  const std::string at = without_scheme(broker.endpoints.http);
  const bool is_ready = testing::wait_until(kStartPatience, [&] {
    const auto reply = http_get("http://" + at + "/readyz");
    return (reply && reply->status == 200) || !broker.process.is_running();
  });
  if (is_ready && broker.process.is_running()) return {};
  return fail(Code::kUnavailable, "broker",
              broker.name + " is not ready: " + tail_of(path(broker.name + ".log")));
}

Result<std::size_t> System::start_worker() {
  const auto program = testing::find_program("ordo-shop-worker");
  if (!program) return tl::unexpected(program.error());
  const std::string name = "shop-" + std::to_string(workers_.size());
  const std::string ledger = path(name + ".ledger");
  testing::ChildSpec spec{.program = *program, .log = path(name + ".log")};
  spec.arguments = {"--name",        name,
                    "--slots",       std::to_string(options_.slots),
                    "--ledger",      ledger,
                    "--listen-http", "",
                    "--seed",        std::to_string(options_.seed),
                    "--time-scale",  std::to_string(options_.time_scale)};
  spec.arguments.insert(spec.arguments.end(), options_.worker_flags.begin(),
                        options_.worker_flags.end());
  for (const Broker& broker : brokers_) {
    spec.arguments.insert(spec.arguments.end(), {"--broker", broker.endpoints.workers});
  }
  auto process = ChildProcess::start(spec);
  if (!process) return tl::unexpected(process.error());
  workers_.push_back({name, ledger, std::move(*process)});
  return workers_.size() - 1;
}

const Endpoints& System::endpoints(std::size_t broker) const {
  return brokers_.at(broker).endpoints;
}

std::vector<std::string> System::client_endpoints() const {
  std::vector<std::string> all;
  for (const Broker& broker : brokers_) all.push_back(broker.endpoints.clients);
  return all;
}

const std::string& System::worker_name(std::size_t number) const {
  return workers_.at(number).name;
}

Result<std::vector<shop::Effect>> System::ledgers() const {
  std::vector<shop::Effect> all;
  for (const Worker& worker : workers_) {
    if (!fs::exists(worker.ledger)) continue;  // it was killed before it opened one
    auto effects = shop::read_ledger(worker.ledger);
    if (!effects) return tl::unexpected(effects.error());
    all.insert(all.end(), std::make_move_iterator(effects->begin()),
               std::make_move_iterator(effects->end()));
  }
  return all;
}

Result<void> System::stop() {
  std::string problems;
  const auto end_all = [&](auto& all) {
    std::vector<typename std::decay_t<decltype(all)>::value_type*> running;
    // What was killed on purpose is not asked to leave well.
    for (auto& one : all) {
      if (one.process.is_running()) running.push_back(&one);
    }
    for (auto* one : running) one->process.signal(SIGTERM);
    for (auto* one : running) {
      const auto code = one->process.wait(kStopPatience);
      if (code == 0) continue;
      one->process.kill9();
      problems +=
          one->name + (code ? " ended with " + std::to_string(*code) : " does not end") + "; ";
    }
  };
  end_all(workers_);
  end_all(brokers_);
  if (problems.empty()) return {};
  return fail(Code::kInternal, "stop", problems);
}

}  // namespace ordo::demo
