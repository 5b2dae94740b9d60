#include "examples/demo/lookout.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/http_get.hpp"
#include "base/usual_ports.hpp"
#include "examples/demo/system.hpp"
#include "tests/support/wait.hpp"

namespace ordo::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ChildProcess;

constexpr auto kStartPatience = 30s;

std::string in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

/// Beside an installed program, else where this one was built from.
std::string rules_folder() {
  std::error_code none;
  const auto own = fs::read_symlink("/proc/self/exe", none).parent_path();
  const auto installed = (own / "../share/ordo/prometheus").lexically_normal();
  if (fs::is_directory(installed, none)) return installed.string();
  return std::string(ORDO_EXAMPLES_FOLDER) + "/../monitoring/prometheus";
}

/// A file of that folder, with other words in it.
Result<std::string> adapted(const std::string& name, const std::string& folder,
                            const std::vector<std::pair<std::string, std::string>>& changes) {
  std::ifstream in(rules_folder() + "/" + name);
  if (!in) return fail(Code::kNotFound, "rules", "cannot read " + rules_folder() + "/" + name);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  for (const auto& [before, after] : changes) {
    for (auto at = text.find(before); at != std::string::npos;
         at = text.find(before, at + after.size())) {
      text.replace(at, before.size(), after);
    }
  }
  const std::string path = folder + "/" + name;
  std::ofstream out(path);
  out << text;
  if (!out.flush()) return fail(Code::kUnavailable, "folder", "cannot write " + path);
  return path;
}

/// Waits until it answers 200 there, and says what it last said where it does not.
Result<void> await(ChildProcess& process, const std::string& url, const std::string& log) {
  const bool is_there = testing::wait_until(kStartPatience, [&] {
    const auto reply = http_get(url, Millis{1000});
    return (reply && reply->status == 200) || !process.is_running();
  });
  if (is_there && process.is_running()) return {};
  return fail(Code::kUnavailable, "start", log + " says: " + tail_of(log));
}

}  // namespace

Result<Lookout> Lookout::open(const LookoutOptions& options) {
  Lookout lookout;
  std::error_code none;
  fs::create_directories(options.folder, none);
  if (auto done = lookout.start_prometheus(options); !done) return tl::unexpected(done.error());
  if (auto done = lookout.start_monitor(options); !done) return tl::unexpected(done.error());
  return lookout;
}

Result<void> Lookout::start_prometheus(const LookoutOptions& options) {
  const std::string program = in_path("prometheus");
  const std::string alerts = in_path("prometheus-alertmanager");
  if (program.empty() || alerts.empty()) {
    lacks_ =
        "There is no Prometheus on this machine (packages prometheus and "
        "prometheus-alertmanager): the page shows no history and no alerts.";
    return {};
  }
  const std::string alerts_at = "127.0.0.1:" + std::to_string(free_port());
  const auto alerts_config = adapted("alertmanager.yml", options.folder, {});
  if (!alerts_config) return tl::unexpected(alerts_config.error());
  auto started =
      ChildProcess::start({.program = alerts,
                           .arguments = {"--config.file=" + *alerts_config,
                                         "--storage.path=" + options.folder + "/alerts",
                                         "--web.listen-address=" + alerts_at,
                                         "--cluster.listen-address=", "--log.level=error"},
                           .log = options.folder + "/alertmanager.log"});
  if (!started) return tl::unexpected(started.error());
  alertmanager_process_ = std::move(*started);

  const std::string at = "127.0.0.1:" + std::to_string(free_port());
  const std::string broker = options.broker_http.substr(options.broker_http.find("//") + 2);
  const auto config = adapted("prometheus.yml", options.folder,
                              {{"127.0.0.1:7780", broker},
                               {"127.0.0.1:9093", alerts_at},
                               {"rules/*.yaml", rules_folder() + "/rules/*.yaml"}});
  if (!config) return tl::unexpected(config.error());
  started = ChildProcess::start(
      {.program = program,
       .arguments = {"--config.file=" + *config, "--storage.tsdb.path=" + options.folder + "/data",
                     "--web.listen-address=" + at, "--log.level=warn"},
       .log = options.folder + "/prometheus.log"});
  if (!started) return tl::unexpected(started.error());
  prometheus_process_ = std::move(*started);
  prometheus_ = "http://" + at;
  return await(*prometheus_process_, prometheus_ + "/-/ready", options.folder + "/prometheus.log");
}

Result<void> Lookout::start_monitor(const LookoutOptions& options) {
  const auto program = testing::find_program("ordo-monitor");
  if (!program) return tl::unexpected(program.error());
  const std::string tokens = options.folder + "/tokens";
  auto token = testing::output_of(
      *program, {"token", "--role", "operator", "--name", "operator", "--file", tokens});
  if (!token) return tl::unexpected(token.error());
  while (!token->empty() && token->back() == '\n') token->pop_back();
  const bool is_usual = options.has_usual_ports && can_listen(kUsualMonitorPort);
  const std::string endpoints = options.folder + "/monitor.json";
  std::vector<std::string> arguments{
      "--tokens",
      tokens,
      "--brokers",
      options.broker_http,
      "--endpoint",
      options.clients,
      "--endpoints-file",
      endpoints,
      "--listen-http",
      is_usual ? "127.0.0.1:" + std::to_string(kUsualMonitorPort) : "127.0.0.1:0"};
  if (!prometheus_.empty()) arguments.insert(arguments.end(), {"--prometheus", prometheus_});
  const std::string log = options.folder + "/monitor.log";
  auto started =
      ChildProcess::start({.program = *program, .arguments = std::move(arguments), .log = log});
  if (!started) return tl::unexpected(started.error());
  monitor_ = std::move(*started);
  std::string at;
  testing::wait_until(kStartPatience, [&] {
    std::ifstream in(endpoints);
    const auto json = in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
    if (json.is_object()) at = json.value("http", "");
    return !at.empty() || !monitor_->is_running();
  });
  if (at.empty()) return fail(Code::kUnavailable, "start", log + " says: " + tail_of(log));
  page_ = at + "/#token=" + *token;
  return await(*monitor_, at + "/livez", log);
}

}  // namespace ordo::demo
