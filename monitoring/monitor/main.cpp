// ordo-monitor: the page and its API. `ordo-monitor token` makes a token.
//
// Exit codes: 0 ended as asked, 1 a token's name is taken, 2 a setting is wrong, 70 a fault of
// ours, 71 an address or file is refused by the system.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "base/config_flags.hpp"
#include "base/log.hpp"
#include "base/whole_file.hpp"
#include "monitoring/monitor/monitor.hpp"

namespace ordo::monitor {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kOurFault = 70;
constexpr int kRefused = 71;

constexpr const char* kExamples =
    "Examples:\n"
    "  ordo-monitor token --role operator --name ann --file tokens\n"
    "  ordo-monitor --tokens tokens --brokers http://127.0.0.1:7780\n"
    "  ordo-monitor --tokens tokens --prometheus http://127.0.0.1:9090 --config monitor.conf\n\n"
    "Every setting is also a variable (ORDO_MONITOR_LISTEN_HTTP) and a line of the file\n"
    "(listen-http = 127.0.0.1:7790). Exit codes: 0 ok, 1 failed, 2 usage, 70 our fault,\n"
    "71 the system refused";

int say(int code, const std::string& sentence) {
  std::cerr << "ordo-monitor: " << sentence << '\n';
  return code;
}

int code_of(const Error& error) {
  if (error.code == Code::kConflict) return kFailed;
  return error.code == Code::kMalformed ? kUsage : kRefused;
}

struct NewToken {
  std::string role = "observer", name, file;
};

struct CommandLine {
  std::map<std::string, std::string> flags;
  std::string file;
  bool must_print = false;
  bool must_document = false;
  std::optional<NewToken> token;
};

/// Every setting is a flag. Returns an exit code where the program is to end at once.
std::optional<int> parse(int argc, char** argv, const Config& config, CommandLine& line) {
  CLI::App app("ordo-monitor: the web page of ordo and its API.", "ordo-monitor");
  app.set_version_flag("--version", "ordo-monitor " ORDO_VERSION);
  app.footer(kExamples);
  ConfigFlags flags(app, config, "ORDO_MONITOR_");
  NewToken token;
  CLI::App* const make = app.add_subcommand("token", "Make a token, print it once, add its line");
  make->add_option("--role", token.role, "observer (looks) or operator (acts too)")
      ->check(CLI::IsMember({"observer", "operator"}))
      ->capture_default_str();
  make->add_option("--name", token.name, "Whose it is; stands in the history of orders")
      ->required();
  make->add_option("--file", token.file, "The file that --tokens names; made where it is not there")
      ->required();
  make->footer("Example:\n  ordo-monitor token --role operator --name ann --file tokens");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  line = {flags.given(), flags.file, flags.must_print, flags.must_document, std::nullopt};
  if (make->parsed()) line.token = token;
  return std::nullopt;
}

int make_token(const NewToken& wanted) {
  const Person person{wanted.name, *parse_role(wanted.role)};
  const std::string token = draw_token();
  const auto added = add_token(wanted.file, person, token);
  if (!added) return say(code_of(added.error()), added.error().message);
  std::cout << token << std::endl;
  std::cerr << "ordo-monitor: this is the only time it is shown; " << wanted.file
            << " has its line\n";
  return kOk;
}

int serve(const MonitorOptions& options) {
  // Blocked before any thread is there, so that only sigwait() below gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const auto monitor = Monitor::start(options);
  if (!monitor) return say(code_of(monitor.error()), monitor.error().message);
  const std::string endpoint = (*monitor)->endpoint();
  const std::string endpoints = Json{{"http", endpoint}, {"pid", ::getpid()}}.dump();
  std::cout << endpoints << std::endl;
  if (!options.endpoints_file.empty() && !write_whole(options.endpoints_file, endpoints)) {
    return say(kRefused, "cannot write " + options.endpoints_file);
  }
  log::info("monitor started", {{"http", endpoint}, {"brokers", options.brokers.size()}});
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  log::info("monitor ends", {{"signal", number}});
  return kOk;
}

int run(int argc, char** argv) {
  MonitorOptions options;
  Config config;
  options.declare(config);
  CommandLine line;
  if (const auto code = parse(argc, argv, config, line)) return *code;
  if (line.token) return make_token(*line.token);
  if (line.must_document) {
    std::cout << config.markdown();
    return kOk;
  }
  if (const auto loaded = config.load(line.flags, line.file, "ORDO_MONITOR_"); !loaded) {
    return say(kUsage, loaded.error().message);
  }
  if (line.must_print) {
    std::cout << config.print();
    return kOk;
  }
  if (const auto completed = options.complete(); !completed) {
    return say(kUsage, completed.error().message);
  }
  log::setup(log::level_of(options.log_level),
             options.log_format == "json" ? log::Form::kJson : log::Form::kText);
  return serve(options);
}

}  // namespace
}  // namespace ordo::monitor

int main(int argc, char** argv) {
  try {
    return ordo::monitor::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "ordo-monitor: a fault of ours: " << error.what() << '\n';
    return ordo::monitor::kOurFault;
  }
}
