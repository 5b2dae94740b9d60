// ordo: the command line. Parses it, fills the settings (flag > environment > file > default), runs
// the command that was chosen.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "base/first_process.hpp"
#include "client/cli/commands.hpp"
#include "client/cli/completion.hpp"

namespace ordo::cli {
namespace {

struct GlobalOptions {
  std::string file;
  std::map<std::string, std::string> texts;
  std::map<std::string, bool> switches;
};

/// Every setting as an option of the program, which may stand anywhere.
void add_global_options(CLI::App& app, const Config& config, GlobalOptions& globals) {
  static const std::map<std::string, std::string> kShort{
      {"endpoint", "-e,"}, {"output", "-o,"}, {"quiet", "-q,"}, {"yes", "-y,"}};
  app.add_option("--config", globals.file, "File of `key = value` lines")->envname("ORDO_CONFIG");
  for (const Setting& setting : config.settings()) {
    const auto letter = kShort.find(setting.key);
    const std::string name = (letter == kShort.end() ? "" : letter->second) + "--" + setting.key;
    const std::string help = setting.help + " (" + environment_name(setting.key) + ")";
    if (setting.is_flag) {
      app.add_flag(name, globals.switches[setting.key], help);
    } else {
      app.add_option(name, globals.texts[setting.key], help);
    }
  }
}

std::map<std::string, std::string> given_flags(const CLI::App& app, const GlobalOptions& globals) {
  std::map<std::string, std::string> flags;
  for (const auto& [key, text] : globals.texts) {
    if (app.count("--" + key) > 0) flags[key] = text;
  }
  for (const auto& [key, is_on] : globals.switches) {
    if (app.count("--" + key) > 0) flags[key] = is_on ? "true" : "false";
  }
  return flags;
}

/// The file that was named, else the account's own where there is one.
std::string config_file(const GlobalOptions& globals) {
  if (!globals.file.empty()) return globals.file;
  const char* folder = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::string path;
  if (folder != nullptr && *folder != '\0') {
    path = std::string(folder) + "/ordo/ordo.conf";
  } else if (home != nullptr) {
    path = std::string(home) + "/.config/ordo/ordo.conf";
  }
  return !path.empty() && ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

int usage_error(const CLI::App& app, const CLI::ParseError& error,
                const std::vector<std::string>& arguments) {
  if (error.get_exit_code() == 0) return app.exit(error);  // help or version
  if (arguments.empty()) {
    std::cerr << app.help();
    return kUsage;
  }
  const Mistyped wrong = mistyped(app, arguments);
  const bool is_command = !wrong.word.empty() && wrong.word.rfind("--", 0) != 0;
  complain(is_command ? "there is no command '" + printable(wrong.word) + "'" : error.what(), {},
           wrong.meant.empty() ? "ordo --help" : "did you mean `" + wrong.meant + "`?");
  return kUsage;
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  static const std::set<std::string> kSiblings{"bench", "doctor", "migrate", "verify"};
  if (!arguments.empty() && kSiblings.contains(arguments[0])) {
    return become("ordo-" + arguments[0], {arguments.begin() + 1, arguments.end()});
  }
  Settings settings;
  Config config;
  settings.declare(config);
  GlobalOptions globals;
  Commands commands;
  CLI::App app("ordo: hand in orders, follow them, operate them.", "ordo");
  app.set_version_flag("--version", "ordo " ORDO_VERSION " (" ORDO_COMMIT ")");
  app.fallthrough();
  app.require_subcommand(1);
  add_global_options(app, config, globals);
  add_submit_command(app, commands);
  add_order_commands(app, commands);
  add_operate_commands(app, commands);
  add_redrive_command(app, commands);
  add_pipeline_commands(app, commands);
  add_queue_commands(app, commands);
  add_keys_commands(app, commands);
  add_top_command(app, commands);
  add_dev_command(app, commands);
  add_system_commands(app, commands);
  add_examples(app,
               "  ordo dev                                   a system for trying out\n"
               "  ordo submit hello '{}' --wait end          an order, and wait for its end\n"
               "  ordo explain ID                            why an order does not move\n\n"
               "Exit codes: 0 ok, 1 failed, 2 usage, 3 unhealthy, 4 not found, 5 timed out,\n"
               "69 unreachable, 70 our fault, 71 the system refused, 130 interrupted");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, arguments);
  }
  if (const auto loaded = config.load(given_flags(app, globals), config_file(globals)); !loaded) {
    complain(loaded.error().message);
    return kUsage;
  }
  Shell shell(std::move(settings));
  return commands.chosen(shell);
}

}  // namespace

void add_examples(CLI::App& command, const std::string& examples) {
  command.footer("Examples:\n" + examples);
}

}  // namespace ordo::cli

int main(int argc, char** argv) {
  ordo::end_on_signals_as_first_process();
  try {
    return ordo::cli::run(argc, argv);
  } catch (const std::exception& error) {
    ordo::cli::complain("a fault of ours", error.what(), "please report it with this message");
    return ordo::cli::kOurFault;
  }
}
