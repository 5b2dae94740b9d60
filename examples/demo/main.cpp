// ordo-demo: shows a whole shop on this machine and proves that it lost nothing and adds up.
//
// Exit codes: 0 nothing lost, no violation; 1 there was, or the run failed; 2 usage; 5 orders never
// ended; 69 something needed (PostgreSQL, a program) is not there; 71 the system refused; 130
// interrupted.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "examples/demo/demo.hpp"
#include "tests/support/wait.hpp"

namespace {

using ordo::Code;
using ordo::Error;
using ordo::demo::Demo;
using ordo::demo::DemoOptions;
using ordo::demo::Summary;

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kTimedOut = 5,
  kMissing = 69,
  kRefused = 71,
  kInterrupted = 130
};

std::atomic<bool> g_stop{false};

struct CommandLine {
  DemoOptions demo;
  bool is_once = false;
  bool must_serve = false;
  std::string output = "text";
  std::optional<double> rate, speed;
};

/// Orders a second, and how much faster than life: to look at it, and to have it over with.
constexpr double kRate = 30, kRateOnce = 80;
constexpr double kSpeed = 60, kSpeedOnce = 300;

void declare(CLI::App& app, CommandLine& line) {
  DemoOptions& demo = line.demo;
  app.add_flag("--once", line.is_once, "End after the verdict, also on a terminal");
  app.add_flag("--serve", line.must_serve, "Stay up after the verdict, also without a terminal");
  app.add_option("--orders", demo.orders, "How many (default 2000, or all invoices of --input)")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--input", demo.input, "CSV of invoices to submit instead of made-up orders")
      ->check(CLI::ExistingFile);
  app.add_option("--output", line.output, "text, or json: one line on stdout at the end")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--rate", line.rate,
                 "Orders offered a second (default 30, with --once 80); 0: as many as are "
                 "acknowledged")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--speed", line.speed,
                 "Customers, merchants and parcels are so many times as quick as they are (default "
                 "60, with --once 300)")
      ->check(CLI::Range(1.0, 1e5));
  app.add_option("--workers", demo.workers, "Worker processes")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--slots", demo.slots, "Handlers at a time in each")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--time-scale", demo.time_scale, "Of what services take; 1: realistic")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--seed", demo.seed, "Of orders, times and failures")->capture_default_str();
  app.add_flag("--usual-ports", demo.has_usual_ports,
               "Listen on 7700, 7701 and 7780, unless one of them is taken");
  app.add_option("--pipeline", demo.pipelines, "A file with one more pipeline; may be repeated")
      ->check(CLI::ExistingFile);
  app.add_flag("--keep", demo.is_kept, "Leave the folder with logs, ledgers and acks behind");
}

int code_of(const Error& error) {
  if (error.reason == "interrupted") return kInterrupted;
  if (error.reason == "timed_out") return kTimedOut;
  if (error.reason == "folder" || error.reason == "ack_log") return kRefused;
  if (error.code == Code::kUnavailable || error.code == Code::kNotFound) return kMissing;
  return kFailed;
}

int print(const Summary& summary, const std::string& output) {
  const std::string findings = ordo::demo::findings_of(summary);
  if (!findings.empty()) std::fputs(findings.c_str(), stderr);
  const std::string text = output == "json" ? ordo::demo::to_json_line(summary) + "\n"
                                            : "\n" + ordo::demo::to_table(summary);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  return summary.is_clean() ? kOk : kFailed;
}

void stay_until_interrupted(Demo& demo) {
  demo.park_one();
  // Beside the JSON line on stdout, words for people are on stderr.
  std::fprintf(stderr, "\n%s", demo.hints().c_str());
  while (!g_stop) ordo::testing::wait_until(std::chrono::hours{1}, [] { return g_stop.load(); });
}

void note_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = true; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app(
      "ordo-demo: a shop's orders through a whole system; workers are killed, a supplier is down, "
      "and nothing is lost");
  app.name("ordo-demo");
  declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  note_signals();
  const bool is_watched = ::isatty(STDOUT_FILENO) == 1 && !line.is_once;
  const bool must_stay = line.must_serve || is_watched;
  line.demo.has_page = must_stay;
  line.demo.rate = line.rate.value_or(line.is_once ? kRateOnce : kRate);
  line.demo.speed = line.speed.value_or(line.is_once ? kSpeedOnce : kSpeed);
  Demo demo(line.demo, g_stop);
  const auto summary = demo.run();
  if (!summary) {
    std::fprintf(stderr, "ordo-demo: %s\n", summary.error().message.c_str());
    return code_of(summary.error());
  }
  const int code = print(*summary, line.output);
  if (must_stay) stay_until_interrupted(demo);
  demo.stop();
  return code;
}
