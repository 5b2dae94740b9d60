// ordo top: how a system is, live in a terminal: what is wrong, queues, workers.
#include <algorithm>
#include <iostream>
#include <tuple>

#include "client/cli/commands.hpp"
#include "client/cli/health_tree.hpp"
#include "client/cli/screen.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct TopOptions {
  std::string interval = "2s";
  unsigned count = 0;
};

/// Everything that one frame shows.
struct Seen {
  Json tree;
  std::vector<client::QueueView> queues;
  std::vector<client::WorkerView> workers;
  std::string problem;  ///< why a part of it is missing
};

Seen look(Shell& shell) {
  Seen seen;
  seen.tree = fetch_tree(shell);
  if (seen.tree.empty()) {
    seen.problem = "nothing answers at " + shell.settings().http + "/api/v1/health";
  }
  if (auto queues = shell.client().queues()) {
    seen.queues = std::move(*queues);
  } else {
    seen.problem = queues.error().message;
    return seen;  // the workers would let us wait as long again
  }
  if (auto workers = shell.client().workers()) seen.workers = std::move(*workers);
  return seen;
}

std::uint64_t work_of(const client::QueueView& queue) {
  return queue.ready + queue.leased + queue.backlog;
}

std::vector<std::vector<std::string>> queue_rows(const Printer& out, Seen& seen) {
  // Where somebody has to look first, then where most happens.
  const auto rank = [](const client::QueueView& queue) {
    return std::make_tuple(!queue.paused, queue.workers > 0 || work_of(queue) == 0,
                           ~work_of(queue));
  };
  std::stable_sort(seen.queues.begin(), seen.queues.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  std::vector<std::vector<std::string>> rows{
      {"QUEUE", "STATE", "READY", "RUNNING", "BACKLOG", "OLDEST", "WORKERS", "SLOTS"}};
  for (const client::QueueView& queue : seen.queues) {
    const char* state = queue.paused ? "paused" : queue.workers == 0 ? "no workers" : "ok";
    rows.push_back({queue.queue, out.state(state), std::to_string(queue.ready),
                    std::to_string(queue.leased), std::to_string(queue.backlog),
                    queue.oldest_ms > 0 ? span_text(queue.oldest_ms) : "-",
                    std::to_string(queue.workers), std::to_string(queue.slots)});
  }
  return rows;
}

std::vector<std::vector<std::string>> worker_rows(const Printer& out, Seen& seen) {
  const auto rank = [](const client::WorkerView& worker) {
    return std::make_tuple(worker.silent_ms < 2000, worker.hung == 0, !worker.draining,
                           ~worker.used);
  };
  std::stable_sort(seen.workers.begin(), seen.workers.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  std::vector<std::vector<std::string>> rows{
      {"WORKER", "STATE", "USED", "HUNG", "SLOTS", "HEARD", "QUEUES"}};
  for (const client::WorkerView& worker : seen.workers) {
    const char* state = worker.silent_ms >= 2000 ? "silent"
                        : worker.hung > 0        ? "hung"
                        : worker.draining        ? "draining"
                                                 : "ok";
    const std::string more = worker.queues.size() > 1
                                 ? " and " + std::to_string(worker.queues.size() - 1) + " more"
                                 : "";
    rows.push_back({printable(worker.name), out.state(state), std::to_string(worker.used),
                    std::to_string(worker.hung), std::to_string(worker.slots),
                    span_text(worker.silent_ms) + " ago",
                    (worker.queues.empty() ? "" : worker.queues.front()) + more});
  }
  return rows;
}

/// A part of the frame in at most `room` lines; the last says how many did not fit.
void add_part(std::vector<std::string>& frame, std::vector<std::string> part, std::size_t room) {
  if (part.size() > room && room > 0) {
    const std::size_t left_out = part.size() - room + 1;
    part.resize(room - 1);
    part.push_back("… and " + std::to_string(left_out) + " more");
  }
  part.resize(std::min(part.size(), room));
  frame.insert(frame.end(), part.begin(), part.end());
}

std::vector<std::string> frame_of(const Shell& shell, Seen& seen, std::size_t rows) {
  const Printer& out = shell.out();
  const std::string status = seen.tree.value("status", "unknown");
  const std::string name = printable(seen.tree.value("system", shell.settings().http));
  const std::int64_t at = seen.tree.value("at_ms", std::int64_t{0});
  std::vector<std::string> frame{out.bold(name) + "  " + out.state(status) + "  " +
                                 std::to_string(seen.tree.value("nodes", Json::array()).size()) +
                                 " nodes, judged at " + time_text(at)};
  if (!seen.problem.empty()) frame.push_back(out.state("failed") + "  " + printable(seen.problem));
  auto wrong = troubles(out, seen.tree);
  if (wrong.empty() && seen.problem.empty()) wrong.push_back("nothing is wrong");
  frame.emplace_back();
  // What is wrong gets half of the room, queues and workers share the rest.
  const std::size_t room = rows > frame.size() + 3 ? rows - frame.size() - 3 : 0;
  add_part(frame, std::move(wrong), std::max<std::size_t>(room / 2, 1));
  const std::size_t left = rows > frame.size() + 3 ? rows - frame.size() - 3 : 0;
  const auto workers = out.lines(worker_rows(out, seen));
  frame.emplace_back();
  add_part(frame, out.lines(queue_rows(out, seen)),
           std::max(left / 2, left - std::min(left, workers.size())));
  frame.emplace_back();
  add_part(frame, workers, rows > frame.size() ? rows - frame.size() : 0);
  return frame;
}

int show_once(const Shell& shell, Seen& seen) {
  Json json{{"system", seen.tree},
            {"queues", each_to_json(seen.queues)},
            {"workers", each_to_json(seen.workers)}};
  if (!seen.problem.empty()) json["problem"] = seen.problem;
  shell.out().item(json, [&] {
    for (const std::string& line : frame_of(shell, seen, 10'000)) std::cout << line << '\n';
  });
  std::cout.flush();
  return seen.tree.empty() ? kUnreachable : kOk;
}

int top(Shell& shell, const TopOptions& options) {
  const auto interval = parse_duration(options.interval);
  if (!interval || *interval < Millis{100}) {
    complain("--interval: '" + options.interval + "' is no duration from 100ms on", {}, "write 2s");
    return kUsage;
  }
  const bool is_live = shell.out().is_text() && Screen::is_possible();
  const unsigned count = options.count != 0 ? options.count : is_live ? 0 : 1;
  Screen screen(is_live);
  int code = kOk;
  for (unsigned shown = 0;;) {
    Seen seen = look(shell);
    code = seen.tree.empty() ? kUnreachable : kOk;
    if (is_live) {
      screen.show(frame_of(shell, seen, screen.rows()));
    } else {
      code = show_once(shell, seen);
    }
    if (++shown == count) return code;
    const Screen::End end = screen.wait(*interval);
    if (end == Screen::End::kInterrupted) return kInterrupted;
    if (end == Screen::End::kQuit) return kOk;
  }
}

}  // namespace

void add_top_command(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<TopOptions>();
  CLI::App& command = add_command(
      app, commands, {"top", "What is wrong, queues and workers, live; q ends it"}, &top, options);
  command.add_option("--interval", options->interval, "Between two looks (2s)");
  command.add_option("--count", options->count,
                     "End after so many looks (on a terminal: never; else 1)");
}

}  // namespace ordo::cli
