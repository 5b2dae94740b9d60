// ordo health, version, completion; migrate and bench are sibling programs.
#include <unistd.h>

#include <iostream>

#include "base/http_get.hpp"
#include "client/cli/commands.hpp"
#include "client/cli/completion.hpp"
#include "client/cli/json_views.hpp"

namespace ordo::cli {
namespace {

struct HealthOptions {
  std::string wait;
};
struct CompletionOptions {
  std::string shell = "bash";
  const CLI::App* app = nullptr;
};
struct Nothing {};

struct Check {
  std::string name;
  bool is_ok = false;
  bool is_reachable = false;
  std::string detail;
};

Check check_http(const Shell& shell) {
  const auto reply = http_get(shell.settings().http + "/readyz", Millis{2000});
  if (!reply) return {"http", false, false, reply.error().message};
  return {"http", reply->status == 200, true,
          "/readyz answers " + std::to_string(reply->status) +
              (reply->status == 200 ? "" : ": " + printable(reply->body))};
}

Check check_socket(Shell& shell) {
  const auto ready = shell.client().ready(shell.patience(client::milliseconds{2000}));
  if (!ready) return {"client socket", false, false, ready.error().message};
  const auto queues = shell.client().queues();
  if (!queues) return {"client socket", false, true, queues.error().message};
  return {"client socket", true, true, "a broker answers"};
}

int judge(const std::vector<Check>& checks) {
  bool is_ok = true;
  bool is_reachable = false;
  for (const Check& check : checks) {
    is_ok = is_ok && check.is_ok;
    is_reachable = is_reachable || check.is_reachable;
  }
  return is_ok ? kOk : is_reachable ? kUnhealthy : kUnreachable;
}

void show_checks(const Shell& shell, const std::vector<Check>& checks, int code) {
  Json json{{"healthy", code == kOk}, {"checks", Json::array()}};
  for (const Check& check : checks) {
    json["checks"].push_back(
        {{"check", check.name}, {"ok", check.is_ok}, {"detail", check.detail}});
  }
  shell.out().item(json, [&] {
    if (shell.out().is_quiet()) return;
    for (const Check& check : checks) {
      std::cout << shell.out().state(check.is_ok ? "ok" : "failed") << "  " << check.name << "  "
                << check.detail << '\n';
    }
  });
}

int health(Shell& shell, const HealthOptions& options) {
  Millis patience{0};
  if (!options.wait.empty()) {
    const auto span = parse_duration(options.wait);
    if (!span) {
      complain("--wait: '" + options.wait + "' is no duration", {}, "write 30s");
      return kUsage;
    }
    patience = *span;
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const std::vector<Check> checks{check_http(shell), check_socket(shell)};
    const int code = judge(checks);
    if (code != kOk && std::chrono::steady_clock::now() < until) {
      ::usleep(200'000);
      continue;
    }
    show_checks(shell, checks, code);
    return code;
  }
}

int version(Shell& shell, const Nothing&) {
  shell.out().item({{"version", ORDO_VERSION}, {"commit", ORDO_COMMIT}},
                   [] { std::cout << "ordo " ORDO_VERSION " (" ORDO_COMMIT ")\n"; });
  return kOk;
}

int completion(Shell&, const CompletionOptions& options) {
  std::cout << completion_script(*options.app, options.shell);
  return kOk;
}

}  // namespace

void add_system_commands(CLI::App& app, Commands& commands) {
  const auto checked = std::make_shared<HealthOptions>();
  CLI::App& command =
      add_command(app, commands, {"health", "Whether a broker can take orders"}, &health, checked);
  command.add_option("--wait", checked->wait, "Wait so long for it to become healthy (30s)");

  // Their command lines are their own: main() hands them over before this one is parsed.
  app.add_subcommand("migrate", "Bring the tables to this version (ordo-migrate)");
  app.add_subcommand("bench", "Measure ordo on this machine (ordo-bench)");

  add_command(app, commands, {"version", "Version and commit"}, &version,
              std::make_shared<Nothing>());

  const auto completed = std::make_shared<CompletionOptions>();
  completed->app = &app;
  add_command(app, commands, {"completion", "A completion script"}, &completion, completed)
      .add_option("shell", completed->shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace ordo::cli
