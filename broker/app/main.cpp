// ordo-broker: reads its settings, starts a broker, ends it on SIGTERM or SIGINT.
//
// Exit codes: 0 ended as asked, 2 a setting is wrong, 69 the database cannot be used, 70 a fault of
// ours, 71 an address or file is refused by the system.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/config_flags.hpp"
#include "base/log.hpp"
#include "base/whole_file.hpp"
#include "broker/app/broker.hpp"

namespace ordo {
namespace {

constexpr int kOk = 0;
constexpr int kUsage = 2;
constexpr int kUnreachable = 69;
constexpr int kOurFault = 70;
constexpr int kRefused = 71;
// Beyond the drain: threads end, sessions close, frames linger. Who is stuck in a commit is left to
// the database,
// which sees the connection go.
constexpr int kEndingMs = 5000;

int say(int code, const std::string& sentence) {
  std::cerr << "ordo-broker: " << sentence << '\n';
  return code;
}

struct CommandLine {
  std::map<std::string, std::string> flags;
  std::string file;
  bool must_print = false;
  bool must_document = false;
};

/// Every setting is a flag. Returns an exit code where the program is to end at once.
std::optional<int> parse(int argc, char** argv, const Config& config, CommandLine& line) {
  CLI::App app(
      "ordo-broker: takes orders, keeps them in PostgreSQL, hands their steps to workers.");
  app.set_version_flag("--version", "ordo-broker " ORDO_VERSION);
  ConfigFlags flags(app, config, "ORDO_");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  line = {flags.given(), flags.file, flags.must_print, flags.must_document};
  return std::nullopt;
}

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// True once it can be read; false after the patience (-1: none).
bool wait_for(int fd, int patience_ms) {
  pollfd item{fd, POLLIN, 0};
  return ::poll(&item, 1, patience_ms) > 0;
}

int serve(const BrokerOptions& options) {
  // Blocked before any thread is there, so that only the descriptor below gets them.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int asked_to_end = ::signalfd(-1, &signals, SFD_CLOEXEC);

  auto broker = Broker::start(options);
  if (!broker)
    return say(broker.error().code == Code::kMalformed ? kUsage : kRefused, broker.error().message);
  const auto endpoints = (*broker)->endpoints().to_json();
  std::cout << endpoints << std::endl;
  if (!options.endpoints_file.empty() && !write_whole(options.endpoints_file, endpoints)) {
    return say(kRefused, "cannot write " + options.endpoints_file);
  }
  log::info("broker started", {{"name", options.engine.broker_name},
                               {"shards", options.shard_count},
                               {"clients", (*broker)->endpoints().clients},
                               {"workers", (*broker)->endpoints().workers},
                               {"http", (*broker)->endpoints().http}});

  std::array<pollfd, 2> items{{{asked_to_end, POLLIN, 0}, {(*broker)->done_fd(), POLLIN, 0}}};
  while (::poll(items.data(), items.size(), -1) < 0) {
  }
  if (items[0].revents != 0) {
    log::info("draining");
    (*broker)->drain();
    const auto patience = static_cast<int>(options.drain.count()) + kEndingMs;
    if (!wait_for((*broker)->done_fd(), patience))
      std::_Exit(say(kOurFault, "the loop does not end"));
  }
  // Where a thread does not come back the process ends without it: everything acknowledged is
  // durable.
  ::signal(SIGALRM, [](int) { ::_exit(kOk); });
  ::alarm(kEndingMs / 1000);
  const auto finished = (*broker)->finish();
  if (!finished) return say(kUnreachable, finished.error().message);
  log::info("broker ended");
  return kOk;
}

int run(int argc, char** argv) {
  BrokerOptions options;
  Config config;
  options.declare(config);
  CommandLine line;
  if (const auto code = parse(argc, argv, config, line)) return *code;
  if (line.must_document) {
    std::cout << config.markdown();
    return kOk;
  }
  if (const auto loaded = config.load(line.flags, line.file); !loaded)
    return say(kUsage, loaded.error().message);
  if (const auto completed = options.complete(config); !completed)
    return say(kUsage, completed.error().message);
  if (line.must_print) {
    std::cout << config.print();
    return kOk;
  }
  log::setup(log::level_of(options.log_level),
             options.log_format == "json" ? log::Form::kJson : log::Form::kText);
  return serve(options);
}

}  // namespace
}  // namespace ordo

int main(int argc, char** argv) {
  try {
    return ordo::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "ordo-broker: a fault of ours: " << error.what() << '\n';
    return ordo::kOurFault;
  }
}
