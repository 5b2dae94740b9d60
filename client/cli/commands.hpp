// The commands of `ordo`, by group: each function adds its commands to the command line.
//
// Shapes:  options live in a struct that the command's function shares with its parser.
// Threads: one.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "client/cli/shell.hpp"

namespace ordo::cli {

void add_submit_command(CLI::App& app, Commands& commands);
void add_order_commands(CLI::App& app, Commands& commands);    ///< get, ls, watch, explain
void add_operate_commands(CLI::App& app, Commands& commands);  ///< signal, retry, skip, …
void add_redrive_command(CLI::App& app, Commands& commands);
void add_pipeline_commands(CLI::App& app, Commands& commands);
void add_plan_command(CLI::App& pipeline, Commands& commands);  ///< pipeline plan
void add_queue_commands(CLI::App& app, Commands& commands);  ///< queue …, worker …
void add_keys_commands(CLI::App& app, Commands& commands);   ///< keys new, ls, revoke
void add_top_command(CLI::App& app, Commands& commands);
void add_dev_command(CLI::App& app, Commands& commands);
void add_system_commands(CLI::App& app, Commands& commands);  ///< health, version, completion, …

struct Named {
  std::string name, help;
};

/// A command whose options are in `Options` and whose work is done by `run(shell, options)`.
template <class Options>
CLI::App& add_command(CLI::App& parent, Commands& commands, const Named& named,
                      int (*run)(Shell&, const Options&), const std::shared_ptr<Options>& options) {
  CLI::App* command = parent.add_subcommand(named.name, named.help);
  command->callback([&commands, options, run] {
    commands.chosen = [options, run](Shell& shell) { return run(shell, *options); };
  });
  return *command;
}

/// What the examples below a command's help look like.
void add_examples(CLI::App& command, const std::string& examples);

}  // namespace ordo::cli
