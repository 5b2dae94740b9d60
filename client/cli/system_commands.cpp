// ordo health, version, completion; migrate, bench, doctor and verify are sibling programs.
#include <unistd.h>

#include <iostream>

#include "base/http_get.hpp"
#include "client/cli/commands.hpp"
#include "client/cli/completion.hpp"
#include "client/cli/health_tree.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct HealthOptions {
  std::string wait;
  bool is_strict = false;
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

/// Red parts are told; whether they make the whole unhealthy is for the caller to say.
Check check_tree(const Json& tree, bool is_strict) {
  if (tree.empty()) return {"system", false, false, "the broker does not say how its parts are"};
  const auto status = tree.value("status", "unknown");
  std::size_t bad = 0;
  for (const Json& node : tree["nodes"]) bad += node.value("status", "") == "green" ? 0 : 1;
  return {"system", status != "red" || !is_strict, true,
          status + ": " + std::to_string(tree["nodes"].size()) + " nodes, " + std::to_string(bad) +
              " not green"};
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

void show_checks(const Shell& shell, const std::vector<Check>& checks, const Json& tree, int code) {
  Json json{{"healthy", code == kOk}, {"checks", Json::array()}};
  for (const Check& check : checks) {
    json["checks"].push_back(
        {{"check", check.name}, {"ok", check.is_ok}, {"detail", check.detail}});
  }
  if (!tree.empty()) json["system"] = tree;
  shell.out().item(json, [&] {
    if (shell.out().is_quiet()) return;
    for (const Check& check : checks) {
      std::cout << shell.out().state(check.is_ok ? "ok" : "failed") << "  " << check.name << "  "
                << check.detail << '\n';
    }
    for (const std::string& line : troubles(shell.out(), tree)) std::cout << line << '\n';
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
    const Json tree = fetch_tree(shell);
    const std::vector<Check> checks{check_http(shell), check_socket(shell),
                                    check_tree(tree, options.is_strict)};
    const int code = judge(checks);
    if (code != kOk && std::chrono::steady_clock::now() < until) {
      ::usleep(200'000);
      continue;
    }
    show_checks(shell, checks, tree, code);
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
  CLI::App& command = add_command(
      app, commands,
      {"health", "Whether a broker can take orders, and how every part of the system is"}, &health,
      checked);
  command.add_option("--wait", checked->wait, "Wait so long for it to become healthy (30s)");
  command.add_flag("--strict", checked->is_strict, "Exit with 3 also where a part is red");

  // Their command lines are their own: main() hands them over before this one is parsed.
  app.add_subcommand("migrate", "Bring the tables to this version (ordo-migrate)");
  app.add_subcommand("bench", "Measure ordo on this machine (ordo-bench)");
  app.add_subcommand("doctor", "Whether the tables keep their promises (ordo-doctor)");
  app.add_subcommand("verify", "Whether the example shop adds up (ordo-verify)");

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
