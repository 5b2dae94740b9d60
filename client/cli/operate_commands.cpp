// ordo retry, skip, complete, compensate, cancel: an operator's word, kept in the order's history;
// ordo signal: a word from outside.
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct Nothing {};

struct OperateOptions {
  std::string verb;
  std::string id, step, why, result, result_file;
  unsigned branch = 0;
};

/// ~pay is what undoes step pay.
bool is_undo(const std::string& step) { return step.starts_with('~'); }
std::string step_of(const std::string& step) { return is_undo(step) ? step.substr(1) : step; }

int failed(const std::string& what, const Error& error) {
  complain(what, error);
  return exit_code_of(error);
}

int done(const Shell& shell, const OperateOptions& options, const std::string& text) {
  Json json{{"id", options.id}, {"verb", options.verb}};
  if (!options.step.empty()) json["step"] = step_of(options.step);
  if (is_undo(options.step)) json["task_kind"] = "compensate";
  shell.out().item(json, [&] {
    if (!shell.out().is_quiet()) std::cout << text << '\n';
  });
  return kOk;
}

/// The step that is meant where none was named: the only parked one. Empty after a complaint.
std::string only_parked_step(Shell& shell, const OrderId& id, int& code) {
  const auto order = shell.client().get(id);
  if (!order) {
    code = failed("cannot look at order " + id.to_string(), order.error());
    return {};
  }
  std::vector<std::string> parked;
  for (const client::TaskView& task : order->tasks) {
    if (task.state == "parked") parked.push_back((task.is_compensation ? "~" : "") + task.step);
  }
  if (parked.size() == 1) return parked.front();
  std::string names;
  for (const std::string& name : parked) names += (names.empty() ? "" : ", ") + name;
  code = kUsage;
  complain("which step is meant?",
           parked.empty() ? "no step of the order is parked" : "several are parked: " + names,
           "name the step behind the id");
  return {};
}

int operate(Shell& shell, const OperateOptions& given) {
  OperateOptions options = given;
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  if (!options.result_file.empty()) {
    auto result = read_all(options.result_file);
    if (!result) return kRefused;
    options.result = std::move(*result);
  }
  int code = kOk;
  if (options.step.empty()) options.step = only_parked_step(shell, *id, code);
  if (options.step.empty()) return code;
  const std::string what = options.verb + " step " + options.step + " of order " + options.id;
  const bool asks = options.verb == "skip" || options.verb == "compensate";
  if (asks && !shell.confirms(what + "?")) return kUsage;
  const auto by = shell.operator_who(options.why);
  const client::TaskOf task{*id, step_of(options.step), options.branch, is_undo(options.step)};
  auto& client = shell.client();
  const auto answer = options.verb == "retry"        ? client.retry(task, by)
                      : options.verb == "skip"       ? client.skip(task, by)
                      : options.verb == "compensate" ? client.compensate(task, by)
                                                     : client.complete(task, options.result, by);
  if (!answer) return failed("cannot " + what, answer.error());
  return done(shell, options, "done: " + what);
}

int cancel(Shell& shell, const OperateOptions& options) {
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  if (!shell.confirms("cancel order " + options.id + "?")) return kUsage;
  const auto answer = shell.client().cancel(*id, shell.operator_who(options.why));
  if (!answer) return failed("cannot cancel order " + options.id, answer.error());
  return done(shell, options, "order " + options.id + " is being cancelled");
}

struct SignalOptions {
  std::string id, file;
  client::Signal signal;
};

int send_signal(Shell& shell, const SignalOptions& options) {
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  client::Signal signal = options.signal;
  signal.id = *id;
  if (!options.file.empty()) {
    if (!signal.payload.empty()) {
      complain("the payload is given twice", "as an argument and with --file",
               "leave out one of them");
      return kUsage;
    }
    auto payload = read_all(options.file);
    if (!payload) return kRefused;
    signal.payload = std::move(*payload);
  }
  signal.who = shell.operator_who("").who;
  const std::string name = signal.name;
  const auto answer = shell.client().signal(std::move(signal));
  if (!answer) return failed("cannot send signal " + name + " to " + options.id, answer.error());
  shell.out().item(Json{{"id", options.id}, {"signal", name}}, [&] {
    if (!shell.out().is_quiet()) std::cout << "signal " << name << " is kept\n";
  });
  return kOk;
}

void add_signal(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<SignalOptions>();
  CLI::App& command =
      add_command(app, commands, {"signal", "Tell an order what one of its steps waits for"},
                  &send_signal, options);
  command.add_option("id", options->id, "The order")->required();
  command.add_option("name", options->signal.name, "The signal's name, as in `wait: NAME`")
      ->required();
  command.add_option("payload", options->signal.payload, "What came: the step's result");
  command.add_option("--file", options->file, "Take the payload from a file (-: stdin)");
  command.add_option("--dedup", options->signal.dedup,
                     "What makes it the same when it is sent again (default: the payload)");
  command.add_option("--pipeline", options->signal.pipeline, "Only if the order runs this one");
  command.add_option("--context", options->signal.context,
                     "Fields to set in the order's context, a JSON object");
  add_examples(command,
               "  ordo signal $ID payment '{\"amount\": 100}' --dedup bank-4711\n"
               "  curl -s https://bank/receipt | ordo signal $ID payment --file -\n");
}

int list_signals(Shell& shell, const Nothing&) {
  const auto signals = shell.client().kept_signals();
  if (!signals) return failed("cannot list signals", signals.error());
  shell.out().items(each_to_json(*signals), [&] {
    std::vector<std::vector<std::string>> rows{
        {"ORDER", "SIGNAL", "PIPELINE", "AGE", "CHECKS", "NEXT", "WHO"}};
    for (const client::SignalView& signal : *signals) {
      rows.push_back({signal.order.to_string(), printable(signal.name), printable(signal.pipeline),
                      span_text(signal.age_ms), std::to_string(signal.checks),
                      span_text(signal.next_ms), printable(signal.who)});
    }
    shell.out().table(rows);
  });
  return kOk;
}

CLI::App& add_verb(CLI::App& app, Commands& commands, const std::string& verb,
                   const std::string& help, const std::shared_ptr<OperateOptions>& options) {
  options->verb = verb;
  CLI::App& command = add_command(app, commands, {verb, help}, &operate, options);
  command.add_option("id", options->id, "The order")->required();
  command.add_option("step", options->step,
                     "The step, or ~STEP: what undoes it; left out: the one that is parked");
  command.add_option("--branch", options->branch, "The branch of a step that fans out");
  command.add_option("--why", options->why, "The reason, for the order's history")->required();
  return command;
}

}  // namespace

void add_operate_commands(CLI::App& app, Commands& commands) {
  add_signal(app, commands);
  add_command(app, commands,
              {"signals", "Signals that wait for orders which are not there, or still owe one"},
              &list_signals, std::make_shared<Nothing>());
  const auto retried = std::make_shared<OperateOptions>();
  add_verb(app, commands, "retry", "Run a parked step again, or a scheduled one now", retried);
  add_verb(app, commands, "skip", "Go on as if a parked step had succeeded without a result",
           std::make_shared<OperateOptions>());
  const auto completed = std::make_shared<OperateOptions>();
  CLI::App& complete = add_verb(app, commands, "complete",
                                "Record a parked step as succeeded, with a result", completed);
  complete.add_option("--result", completed->result, "The result that later steps see");
  complete.add_option("--result-file", completed->result_file, "Take it from a file (-: stdin)");

  add_verb(app, commands, "compensate",
           "Give up on a parked step: the order ends as failed, and what it did is undone",
           std::make_shared<OperateOptions>());

  const auto cancelled = std::make_shared<OperateOptions>();
  cancelled->verb = "cancel";
  CLI::App& command =
      add_command(app, commands, {"cancel", "End an order before its time"}, &cancel, cancelled);
  command.add_option("id", cancelled->id, "The order")->required();
  command.add_option("--why", cancelled->why, "The reason, for the order's history")->required();
}

}  // namespace ordo::cli
