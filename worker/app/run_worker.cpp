#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "ordo/worker.hpp"

namespace ordo {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitHung = 70;
constexpr int kExitInterrupted = 130;

constexpr const char* kHelp =
    "Options (each also from the environment; flags win):\n"
    "  --broker ENDPOINT    where a broker listens for workers; may be repeated   ORDO_BROKERS\n"
    "                       (default tcp://127.0.0.1:7701; environment: comma-separated)\n"
    "  --key-file FILE      your own key (ordo keys new), with --broker-key       ORDO_KEY_FILE\n"
    "  --broker-key KEY     the brokers' public key, or a file that holds it      ORDO_BROKER_KEY\n"
    "  --name NAME          for people (default HOST-PID)                         "
    "ORDO_WORKER_NAME\n"
    "  --slots N            handlers at a time, 1 to 4096 (default 8)             ORDO_SLOTS\n"
    "  --take-ahead N       tasks held beyond those (default 0); for handlers     ORDO_TAKE_AHEAD\n"
    "                       of less than a few milliseconds\n"
    "  --drain-timeout MS   for handlers to finish after SIGTERM           ORDO_DRAIN_TIMEOUT_MS\n"
    "  --hang-grace MS      past its timeout a handler hangs after this       ORDO_HANG_GRACE_MS\n"
    "  --log-level LEVEL    debug, info, warn, error or off (default info)         ORDO_LOG_LEVEL\n"
    "  --log-format FORM    text or json: lines on stderr (default text)          ORDO_LOG_FORMAT\n"
    "  --listen-http ADDR   /metrics, /livez, /readyz; port 0: a free one        ORDO_LISTEN_HTTP\n"
    "                       (default: nowhere)\n"
    "  --open-http          elsewhere than on loopback                          ORDO_OPEN_HTTP=1\n"
    "  --quiet              no lines on stderr\n"
    "  --help\n"
    "Exit codes: 0 drained, 2 usage, 5 drained with work left, 70 every slot hung, 130 interrupted "
    "twice\n";

/// What flags and environment are made of: names, and how a value is taken.
class Arguments {
 public:
  explicit Arguments(WorkerOptions& options) : options_(options) {}

  /// False where the value does not fit the name.
  bool take(std::string_view name, std::string_view value) {
    if (name == "broker") return take_broker(value);
    if (name == "name") {
      options_.name = value;
      return true;
    }
    if (name == "listen-http") {
      options_.listen_http = value;
      return true;
    }
    if (name == "open-http") return take_switch(value, options_.open_http);
    if (name == "key-file" || name == "broker-key") {
      (name == "key-file" ? options_.key_file : options_.broker_key) = value;
      return true;
    }
    if (name == "log-level" || name == "log-format") return take_log(name, value);
    const auto number = to_number(value);
    if (!number) return false;
    if (name == "slots") options_.slots = *number;
    if (name == "take-ahead") options_.take_ahead = *number;
    if (name == "drain-timeout") options_.drain_timeout = std::chrono::milliseconds{*number};
    if (name == "hang-grace") options_.hang_grace = std::chrono::milliseconds{*number};
    return true;
  }

  /// The first --broker replaces what was set before; so does the environment.
  void forget_brokers() { has_brokers_ = false; }

 private:
  static std::optional<std::uint32_t> to_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
  }

  bool take_log(std::string_view name, std::string_view value) {
    if (name == "log-format") {
      options_.log_format = value == "json" ? LogFormat::kJson : LogFormat::kText;
      return value == "json" || value == "text";
    }
    constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "off"};
    const auto found = std::find(kLevels.begin(), kLevels.end(), value);
    if (found == kLevels.end()) return false;
    options_.log_level = static_cast<LogLevel>(found - kLevels.begin());
    return true;
  }

  static bool take_switch(std::string_view value, bool& is_on) {
    is_on = value == "1" || value == "true";
    return is_on || value == "0" || value == "false";
  }

  bool take_broker(std::string_view list) {
    if (!has_brokers_) options_.brokers.clear();
    has_brokers_ = true;
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(','), list.size());
      if (end > 0) options_.brokers.emplace_back(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
    return !options_.brokers.empty();
  }

  WorkerOptions& options_;
  bool has_brokers_ = false;
};

struct Setting {
  std::string_view flag;
  const char* variable;
  const char* wants;  ///< what a value must be; start() checks the rest
};
constexpr Setting kSettings[] = {
    {"broker", "ORDO_BROKERS", "host:port, several separated by commas"},
    {"key-file", "ORDO_KEY_FILE", "the file of your own key"},
    {"broker-key", "ORDO_BROKER_KEY", "a public key, or the file that holds it"},
    {"name", "ORDO_WORKER_NAME", "text of at most 128 bytes"},
    {"slots", "ORDO_SLOTS", "a whole number, 1 to 4096"},
    {"take-ahead", "ORDO_TAKE_AHEAD", "a whole number, 0 to 8128 less the slots"},
    {"drain-timeout", "ORDO_DRAIN_TIMEOUT_MS", "whole milliseconds, 0 to 86400000"},
    {"hang-grace", "ORDO_HANG_GRACE_MS", "whole milliseconds, 0 to 86400000"},
    {"log-level", "ORDO_LOG_LEVEL", "debug, info, warn, error or off"},
    {"log-format", "ORDO_LOG_FORMAT", "text or json"},
    {"listen-http", "ORDO_LISTEN_HTTP", "host:port"},
    {"open-http", "ORDO_OPEN_HTTP", "1, true, 0 or false"}};

int usage(const std::string& problem) {
  std::fprintf(stderr, "%s\ntry --help\n", problem.c_str());
  return kExitUsage;
}

const Setting* find_setting(std::string_view flag) {
  for (const Setting& setting : kSettings) {
    if (setting.flag == flag) return &setting;
  }
  return nullptr;
}

int no_value(const std::string& where, std::string_view value, const Setting& setting) {
  return usage(where + " is `" + std::string(value) + "`: give " + setting.wants);
}

/// An exit code where the program ends here, else nullopt.
std::optional<int> take_flags(int argc, char** argv, Arguments& arguments, bool& is_quiet) {
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (flag == "--quiet") {
      is_quiet = true;
      continue;
    }
    if (!flag.starts_with("--")) return usage("unexpected argument `" + std::string(flag) + "`");
    flag.remove_prefix(2);
    std::string_view value;
    const std::size_t equals = flag.find('=');
    if (equals != std::string_view::npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    }
    const Setting* const setting = find_setting(flag);
    if (setting == nullptr) return usage("unknown option `--" + std::string(flag) + "`");
    if (equals == std::string_view::npos && flag == "open-http") {
      value = "1";
    } else if (equals == std::string_view::npos) {
      if (++i >= argc) return usage("--" + std::string(flag) + " needs a value");
      value = argv[i];
    }
    if (!arguments.take(flag, value)) return no_value("--" + std::string(flag), value, *setting);
  }
  return std::nullopt;
}

std::optional<int> take_environment(Arguments& arguments) {
  for (const Setting& setting : kSettings) {
    const char* const value = std::getenv(setting.variable);
    if (value == nullptr || *value == '\0') continue;
    if (!arguments.take(setting.flag, value)) return no_value(setting.variable, value, setting);
  }
  arguments.forget_brokers();
  return std::nullopt;
}

/// Drains on the first signal, ends at once on the second; answers the worker's exit code.
int wait_with_signals(Worker& worker, const sigset_t& signals) {
  constexpr timespec kLook{0, 100'000'000};  // how often it is seen that the worker left by itself
  bool is_stopping = false;
  while (worker.is_running()) {
    if (sigtimedwait(&signals, nullptr, &kLook) < 0) continue;
    if (is_stopping) _exit(kExitInterrupted);
    is_stopping = true;
    worker.stop();
  }
  return worker.wait();
}

}  // namespace

int run_worker(int argc, char** argv, Worker& worker) {
  Arguments arguments(worker.options());
  if (const auto exit = take_environment(arguments)) return *exit;
  bool is_quiet = false;
  if (const auto exit = take_flags(argc, argv, arguments, is_quiet)) return *exit;
  if (!worker.options().on_log && !is_quiet) {
    worker.options().on_log = [](std::string_view line) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    };
  }
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, &before);  // every thread of the worker inherits this
  if (const auto started = worker.start(); !started) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return usage(started.error().message);
  }
  const int code = wait_with_signals(worker, signals);
  // Handlers that hang still run: leaving by main's return would pull the rug from under them.
  if (code == kExitHung || code == 5) {
    std::fflush(nullptr);
    _exit(code);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return code;
}

}  // namespace ordo
