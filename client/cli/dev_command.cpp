// ordo dev: a whole system for trying out, which ends with the command.
//
// It is made of the sibling programs: with ordo-demo all of it (an embedded PostgreSQL, broker,
// example workers); else with a database that is given, or with none (--memory). What it says about
// the system it knows from its own broker alone: another one may be running on this machine.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/http_get.hpp"
#include "base/usual_ports.hpp"
#include "client/cli/children.hpp"
#include "client/cli/commands.hpp"

namespace ordo::cli {
namespace {

namespace fs = std::filesystem;

/// A broker takes its shards and says so within seconds; a slow disk may take longer.
constexpr std::chrono::seconds kReadyWithin{30};
/// Serves the steps of the pipelines in examples/.
constexpr const char* kExampleWorker = "ordo-shop-worker";
/// What a demo's customers wait for is over in seconds: who tries ordo out wants to begin.
constexpr const char* kSpeed = "3000";

struct DevOptions {
  std::string database;
  bool in_memory = false;
  std::vector<std::string> pipelines;
};

/// Where our broker listens, as it wrote it down itself.
struct Endpoints {
  std::string clients, workers, http;
};

/// A folder that goes with the object.
class Scratch {
 public:
  Scratch() {
    std::error_code none;
    std::string pattern = (fs::temp_directory_path(none) / "ordo-dev-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~Scratch() {
    std::error_code none;
    if (!path_.empty()) fs::remove_all(path_, none);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] bool is_there() const { return !path_.empty(); }
  [[nodiscard]] std::string endpoints_file() const { return path_ + "/endpoints.json"; }

 private:
  std::string path_;
};

/// The ports that the documents name, unless the account says otherwise or somebody has one.
std::vector<std::string> port_arguments(const Shell& shell) {
  const std::vector<std::string> keys{"listen-clients", "listen-workers", "listen-http"};
  for (const std::string& key : keys) {
    if (std::getenv(environment_name(key).c_str()) != nullptr) return {};
  }
  const auto taken = taken_usual_port();
  if (taken) shell.out().note("port " + std::to_string(*taken) + " is taken: free ports instead");
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string port = std::to_string(taken ? 0 : kUsualPorts[i]);
    arguments.insert(arguments.end(), {"--" + keys[i], "127.0.0.1:" + port});
  }
  return arguments;
}

std::vector<std::string> broker_arguments(const Shell& shell, const DevOptions& options,
                                          const std::string& endpoints_file) {
  std::vector<std::string> arguments = port_arguments(shell);
  arguments.insert(arguments.end(), {"--endpoints-file", endpoints_file, "--plaintext"});
  if (options.in_memory) {
    arguments.insert(arguments.end(), {"--store", "memory"});
  } else {
    arguments.insert(arguments.end(), {"--database", options.database});
  }
  return arguments;
}

std::optional<Endpoints> read_endpoints(const std::string& file) {
  std::ifstream in(file);
  const Json json = in ? Json::parse(in, nullptr, false) : Json();
  if (!json.is_object()) return std::nullopt;
  return Endpoints{json.value("clients", ""), json.value("workers", ""), json.value("http", "")};
}

int ended(const std::string& child) {
  if (child.empty()) return kInterrupted;
  complain(child + " ended by itself", "its messages are above");
  return kFailed;
}

/// kOk once our broker, and no other, is ready to take orders.
int wait_until_ready(Children& children, const std::string& file, Endpoints& own) {
  const auto until = std::chrono::steady_clock::now() + kReadyWithin;
  while (std::chrono::steady_clock::now() < until) {
    if (const auto child = children.wait_for_end(100)) return ended(*child);
    const auto written = read_endpoints(file);
    if (!written) continue;
    own = *written;
    const auto reply = http_get(own.http + "/readyz", Millis{500});
    if (reply && reply->status == 200) return kOk;
  }
  complain("the broker does not become ready", "its messages are above",
           "is the database away, or are its shards held by another broker?");
  return kUnhealthy;
}

void show_box(const Shell& shell, const Endpoints& own, bool has_workers) {
  const std::string workers = has_workers ? "example workers run" : "no workers: start your own";
  shell.out().note("\n  ordo is up, for trying out only\n    clients  " + own.clients +
                   "\n    workers  " + own.workers + "   (" + workers + ")\n    HTTP     " +
                   own.http +
                   "/metrics\n  in another terminal:\n"
                   "    export ORDO_ENDPOINT=" +
                   own.clients + " ORDO_HTTP=" + own.http +
                   "\n    ordo pipeline ls; ordo queue ls; ordo submit …\n"
                   "  Ctrl-C ends it\n");
}

int apply_pipelines(const Shell& shell, const DevOptions& options, const Endpoints& own) {
  client::Client client(client::Options{.endpoints = {own.clients}, .name = "ordo-dev"});
  for (const std::string& file :
       options.pipelines.empty() ? example_pipelines() : options.pipelines) {
    auto text = read_all(file);
    if (!text) return kRefused;
    const auto stored = client.put_pipeline(std::move(*text));
    if (!stored) {
      complain("cannot apply " + file, stored.error());
      return exit_code_of(stored.error());
    }
    shell.out().note("pipeline " + stored->name + " v" + std::to_string(stored->version));
  }
  return kOk;
}

int run_system(Shell& shell, const DevOptions& options) {
  const Scratch scratch;
  if (!scratch.is_there()) {
    complain("cannot make a folder for the broker's endpoints", std::strerror(errno));
    return kRefused;
  }
  Children children;
  if (!options.in_memory) {
    const int code =
        children.run("ordo-migrate", {"--database", options.database, "--shards", "2"});
    if (code != kOk) return code;
  }
  const std::string file = scratch.endpoints_file();
  if (!children.start("ordo-broker", broker_arguments(shell, options, file))) return kRefused;
  Endpoints own;
  if (const int code = wait_until_ready(children, file, own); code != kOk) return code;
  if (const int code = apply_pipelines(shell, options, own); code != kOk) return code;
  const bool has_workers = !sibling(kExampleWorker).empty();
  // ORDO_LISTEN_HTTP, where it is set, is the broker's.
  if (has_workers) children.start(kExampleWorker, {"--broker", own.workers, "--listen-http", ""});
  show_box(shell, own, has_workers);
  const std::string child = children.wait_for_end(-1).value_or("");
  return child.empty() ? kOk : ended(child);
}

int dev(Shell& shell, const DevOptions& options) {
  if (options.in_memory || !options.database.empty()) return run_system(shell, options);
  if (!sibling("ordo-demo").empty()) {
    std::vector<std::string> arguments{"--serve", "--orders", "200",
                                       "--speed", kSpeed,     "--usual-ports"};
    for (const std::string& file : options.pipelines) {
      arguments.insert(arguments.end(), {"--pipeline", file});
    }
    return become("ordo-demo", arguments);
  }
  complain("there is no ordo-demo, which brings its own PostgreSQL", {},
           "give a database (--database 'host=… dbname=…'), or try --memory");
  return kUnreachable;
}

}  // namespace

void add_dev_command(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<DevOptions>();
  CLI::App& command = add_command(
      app, commands, {"dev", "A whole system for trying out, until Ctrl-C"}, &dev, options);
  command
      .add_option("--database", options->database,
                  "Use this PostgreSQL (libpq form); its schemas ordo_0 and ordo_1")
      ->envname("ORDO_DATABASE");
  command.add_flag("--memory", options->in_memory, "No database: nothing survives");
  command.add_option("pipelines", options->pipelines,
                     "Pipeline files to apply at the start; none: the examples");
}

}  // namespace ordo::cli
