// ordo dev: a whole system for trying out, which ends with the command.
//
// It is made of the sibling programs: with ordo-demo all of it (an embedded PostgreSQL, broker,
// example workers); else with a database that is given, or with none (--memory).
#include <iostream>

#include "base/http_get.hpp"
#include "client/cli/children.hpp"
#include "client/cli/commands.hpp"

namespace ordo::cli {
namespace {

/// A broker takes its shards and says so within seconds; a slow disk may take longer.
constexpr std::chrono::seconds kReadyWithin{30};
/// Serves the steps of the pipelines in examples/.
constexpr const char* kExampleWorker = "ordo-shop-worker";

struct DevOptions {
  std::string database;
  bool in_memory = false;
  std::vector<std::string> pipelines;
};

std::vector<std::string> broker_arguments(const DevOptions& options) {
  if (options.in_memory) return {"--store", "memory"};
  return {"--database", options.database};
}

int ended(const std::string& child) {
  if (child.empty()) return kInterrupted;
  complain(child + " ended by itself", "its messages are above");
  return kFailed;
}

/// kOk once the broker is ready to take orders.
int wait_until_ready(Children& children, const std::string& http) {
  const auto until = std::chrono::steady_clock::now() + kReadyWithin;
  while (std::chrono::steady_clock::now() < until) {
    const auto reply = http_get(http + "/readyz", Millis{500});
    if (reply && reply->status == 200) return kOk;
    if (const auto child = children.wait_for_end(100)) return ended(*child);
  }
  complain("the broker does not become ready", "its messages are above",
           "is another broker running on these ports, or is the database away?");
  return kUnhealthy;
}

void show_box(const Shell& shell, bool has_workers) {
  const std::string workers = has_workers ? "example workers run" : "no workers: start your own";
  shell.out().note(
      "\n  ordo is up, for trying out only\n"
      "    clients  " +
      shell.settings().endpoint.front() +
      "\n"
      "    workers  tcp://127.0.0.1:7701   (" +
      workers +
      ")\n"
      "    HTTP     " +
      shell.settings().http +
      "/metrics\n"
      "  in another terminal: ordo pipeline ls; ordo queue ls; ordo submit …\n"
      "  Ctrl-C ends it\n");
}

int apply_pipelines(Shell& shell, const DevOptions& options) {
  for (const std::string& file : options.pipelines) {
    auto text = read_all(file);
    if (!text) return kRefused;
    const auto stored = shell.client().put_pipeline(std::move(*text));
    if (!stored) {
      complain("cannot apply " + file, stored.error());
      return exit_code_of(stored.error());
    }
    shell.out().note("pipeline " + stored->name + " v" + std::to_string(stored->version));
  }
  return kOk;
}

int run_system(Shell& shell, const DevOptions& options) {
  Children children;
  if (!options.in_memory) {
    const int code = children.run("ordo-migrate", {"--dsn", options.database, "--shards", "2"});
    if (code != kOk) return code;
  }
  if (!children.start("ordo-broker", broker_arguments(options))) return kRefused;
  if (const int code = wait_until_ready(children, shell.settings().http); code != kOk) return code;
  if (const int code = apply_pipelines(shell, options); code != kOk) return code;
  const bool has_workers = !sibling(kExampleWorker).empty();
  if (has_workers) children.start(kExampleWorker, {"--broker", "tcp://127.0.0.1:7701"});
  show_box(shell, has_workers);
  const std::string child = children.wait_for_end(-1).value_or("");
  return child.empty() ? kOk : ended(child);
}

int dev(Shell& shell, const DevOptions& options) {
  if (options.in_memory || !options.database.empty()) return run_system(shell, options);
  if (!sibling("ordo-demo").empty()) return become("ordo-demo", {"--serve", "--orders", "200"});
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
  command.add_option("pipelines", options->pipelines, "Pipeline files to apply at the start");
}

}  // namespace ordo::cli
