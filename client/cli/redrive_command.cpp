// ordo redrive: parked tasks that match a filter run again, a few of them first.
#include <signal.h>

#include <charconv>
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/cli/order_lines.hpp"
#include "client/cli/progress.hpp"
#include "client/parked/redrive.hpp"

namespace ordo::cli {
namespace {

using parked::ParkedTask;
using parked::RedriveReport;

constexpr double kFastest = 1000;
constexpr double kSlowest = 0.01;

struct RedriveCommand {
  parked::ParkedFilter filter{.pipeline = {}, .step = {}, .error = {}, .is_part_of_error = true};
  std::string why, rate = "10/s", settle = "60s";
  std::size_t canary = 1, limit = parked::kLooks;
  bool is_dry_run = false;
};

volatile sig_atomic_t g_interrupted = 0;

/// "10/s" or "10"; nullopt where it is neither.
std::optional<double> rate_of(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (!is_whole || !(rate >= kSlowest && rate <= kFastest)) return std::nullopt;
  return rate;
}

Json to_json(const RedriveReport& report, bool is_dry_run) {
  Json json{{"matched", report.matched},     {"sent", report.sent},
            {"succeeded", report.succeeded}, {"unsettled", report.unsettled},
            {"refused", report.refused},     {"left", report.left()},
            {"dry_run", is_dry_run},         {"stopped", report.stopped}};
  const auto finding = [](const parked::RedriveFinding& one) {
    return Json{{"id", one.task.id.to_string()},
                {"step", parked::shown_step(one.task)},
                {"branch", one.task.branch},
                {"error", one.error}};
  };
  if (report.repeat) json["failed_again"] = finding(*report.repeat);
  json["refusals"] = Json::array();
  for (const auto& one : report.refusals) json["refusals"].push_back(finding(one));
  return json;
}

void print_groups(const Shell& shell, const std::vector<ParkedTask>& tasks) {
  if (!shell.out().is_text() || shell.out().is_quiet()) return;
  std::vector<std::vector<std::string>> rows{{"TASKS", "PIPELINE", "STEP", "ERROR", "OLDEST"}};
  for (const auto& [count, oldest] : parked::groups_of(tasks)) {
    rows.push_back({std::to_string(count), oldest.pipeline, parked::shown_step(oldest.task),
                    printable(oldest.error), oldest.task.id.to_string()});
  }
  shell.out().table(rows);
}

void print(const RedriveReport& report) {
  std::cout << report.sent << " of " << report.matched << " sent, " << report.succeeded
            << " succeeded";
  if (report.refused > 0) std::cout << ", " << report.refused << " refused";
  if (report.unsettled > 0) std::cout << ", " << report.unsettled << " not settled yet";
  if (report.left() > 0) std::cout << ", " << report.left() << " left parked";
  std::cout << '\n';
  for (const auto& one : report.refusals) {
    std::cout << "refused: step " << parked::shown_step(one.task) << " of order "
              << one.task.id.to_string() << ": " << printable(one.error) << '\n';
  }
  if (!report.stopped.empty()) std::cout << "stopped: " << printable(report.stopped);
  if (report.repeat) std::cout << ": " << printable(report.repeat->error);
  if (!report.stopped.empty()) std::cout << '\n';
}

/// What the filter names, oldest first, with at most `limit`.
Result<std::vector<ParkedTask>> find(Shell& shell, const RedriveCommand& command) {
  const auto matches = [&](const ParkedTask& one) { return command.filter.matches(one); };
  auto look = parked::look_for_parked(shell.client(), [&](const parked::ParkedLook& so_far) {
    return static_cast<std::size_t>(
               std::count_if(so_far.tasks.begin(), so_far.tasks.end(), matches)) >= command.limit;
  });
  if (!look) return tl::unexpected(look.error());
  std::vector<ParkedTask> tasks;
  for (ParkedTask& one : look->tasks) {
    if (tasks.size() < command.limit && matches(one)) tasks.push_back(std::move(one));
  }
  if (!look->is_all && tasks.size() < command.limit) {
    shell.out().note("looked at the oldest " + std::to_string(look->orders) +
                     " parked orders: run it again for the rest");
  }
  return tasks;
}

RedriveReport run(Shell& shell, const RedriveCommand& command, parked::RedriveOptions options,
                  const std::vector<ParkedTask>& tasks) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  options.must_stop = [] { return g_interrupted != 0; };
  Progress progress(!shell.out().is_quiet(), "sent", tasks.size());
  parked::Redrive redrive(shell.client(), options, shell.operator_who(command.why));
  redrive.on_progress(
      [&](const RedriveReport& so_far) { progress.show(so_far.sent, so_far.refused); });
  return redrive.run(tasks);
}

int redrive(Shell& shell, const RedriveCommand& command) {
  const auto rate = rate_of(command.rate);
  if (!rate) {
    complain("--rate is `" + command.rate + "`", "a rate is 0.01/s to 1000/s", "--rate 10/s");
    return kUsage;
  }
  const auto settle = parse_span("settle", command.settle);
  if (!settle) {
    complain("--settle is wrong", settle.error().message);
    return kUsage;
  }
  const auto tasks = find(shell, command);
  if (!tasks) {
    complain("cannot look for parked tasks", tasks.error());
    return exit_code_of(tasks.error());
  }
  if (tasks->empty()) {
    complain("nothing to redrive", "no parked task matches", "see them all: ordo ls --parked");
    return kNotFound;
  }
  print_groups(shell, *tasks);
  RedriveReport report;
  report.matched = tasks->size();
  if (command.is_dry_run) {
    shell.out().item(to_json(report, true), [&] {
      std::cout << "would send " << tasks->size() << ", " << std::min(command.canary, tasks->size())
                << " of them first; nothing was done\n";
    });
    return kOk;
  }
  if (!shell.confirms("run " + std::to_string(tasks->size()) + " parked tasks again?")) {
    return kUsage;
  }
  report = run(shell, command,
               {.canary = command.canary, .per_second = *rate, .settle = *settle, .must_stop = {}},
               *tasks);
  shell.out().item(to_json(report, false), [&] { print(report); });
  if (g_interrupted != 0) return kInterrupted;
  return report.is_clean() ? kOk : kFailed;
}

}  // namespace

void add_redrive_command(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<RedriveCommand>();
  CLI::App& command = add_command(
      app, commands, {"redrive", "Run all parked tasks again that match, a few of them first"},
      &redrive, options);
  command.add_option("--pipeline", options->filter.pipeline, "Only of this pipeline");
  command.add_option("--step", options->filter.step, "Only of this step");
  command.add_option("--error", options->filter.error,
                     "Only with this in their error, numbers written as #");
  command
      .add_option("--canary", options->canary,
                  "So many first; the rest when each of them has succeeded")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command.add_option("--rate", options->rate, "How many a second")->capture_default_str();
  command.add_option("--limit", options->limit, "At most so many, oldest orders first")
      ->check(CLI::Range(1, static_cast<int>(parked::kLooks)))
      ->capture_default_str();
  command.add_option("--settle", options->settle, "How long one may take until it stops the rest")
      ->capture_default_str();
  command.add_flag("--dry-run", options->is_dry_run, "Say which, and do nothing");
  command.add_option("--why", options->why, "The reason, for the orders' history")->required();
  add_examples(
      command,
      "  ordo redrive --step code_issue --error \"does not answer\" --dry-run --why look\n"
      "  ordo redrive --step code_issue --canary 5 --rate 50/s --why \"supplier is back\"");
}

}  // namespace ordo::cli
