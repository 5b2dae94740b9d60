#include "tests/integration/broker/broker_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/http_get.hpp"
#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;

/// "127.0.0.1:7700" of "tcp://127.0.0.1:7700".
std::string address(const std::string& endpoint) {
  return endpoint.substr(endpoint.find("//") + 2);
}

}  // namespace

BrokerProcess::BrokerProcess(const std::string& dsn, std::vector<std::string> flags)
    : flags_(std::move(flags)), folder_(temporary_folder("broker")) {
  flags_.insert(flags_.end(), {"--database", dsn, "--endpoints-file", folder_ + "/endpoints"});
  const bool has_keys = std::find(flags_.begin(), flags_.end(), "--keys") != flags_.end();
  if (!has_keys) flags_.push_back("--plaintext");
  start();
}

BrokerProcess::~BrokerProcess() {
  if (process_) process_->stop();
  std::filesystem::remove_all(folder_);
}

void BrokerProcess::start() {
  const bool is_first = endpoints_.clients.empty();
  std::vector<std::string> arguments = flags_;
  const std::string free_port = "127.0.0.1:0";
  arguments.insert(arguments.end(),
                   {"--listen-clients", is_first ? free_port : address(endpoints_.clients),
                    "--listen-workers", is_first ? free_port : address(endpoints_.workers),
                    "--listen-http", is_first ? free_port : address(endpoints_.http)});
  std::filesystem::remove(folder_ + "/endpoints");
  auto child = ChildProcess::start(
      {.program = program_path("ordo-broker"), .arguments = arguments, .log = folder_ + "/log"});
  if (!child) give_up(child.error().message, {});
  process_.emplace(*std::move(child));
  const bool is_up = wait_until(20s, [this] {
    return std::filesystem::exists(folder_ + "/endpoints") || !process_->is_running();
  });
  if (!is_up || !process_->is_running()) give_up("ordo-broker does not start", log());
  const auto said = nlohmann::json::parse(read_file(folder_ + "/endpoints"));
  endpoints_ = {said.at("clients"), said.at("workers"), said.at("http")};
}

bool BrokerProcess::wait_until_ready() {
  return wait_until(20s, [this] {
    int status = 0;
    (void)get("/readyz", &status);
    return status == 200;
  });
}

std::string BrokerProcess::get(const std::string& path, int* status) const {
  const auto reply = http_get(endpoints_.http + path);
  if (!reply) return {};
  if (status != nullptr) *status = reply->status;
  return reply->body;
}

double BrokerProcess::metric(const std::string& series) const {
  const std::string text = "\n" + get("/metrics");
  const auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) return -1;
  return std::stod(text.substr(at + series.size() + 2));
}

std::string BrokerProcess::log() const { return read_file(folder_ + "/log"); }

void BrokerProcess::kill9_and_restart() {
  process_->kill9();
  start();
}

EndedBroker run_broker(const std::vector<std::string>& flags,
                       const std::vector<std::pair<std::string, std::string>>& environment) {
  const std::string folder = temporary_folder("broker");
  auto child = ChildProcess::start({.program = program_path("ordo-broker"),
                                    .arguments = flags,
                                    .log = folder + "/log",
                                    .environment = environment});
  if (!child) give_up(child.error().message, {});
  const auto code = child->wait(30s);
  if (!code) child->kill9();
  EndedBroker ended{code.value_or(-1), read_file(folder + "/log")};
  std::filesystem::remove_all(folder);
  return ended;
}

}  // namespace ordo::testing
