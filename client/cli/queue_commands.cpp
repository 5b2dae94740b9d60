// ordo queue ls|pause|resume, ordo worker ls.
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct Nothing {};
struct QueueOptions {
  std::string queue, why;
};

int failed(const std::string& what, const Error& error) {
  complain(what, error);
  return exit_code_of(error);
}

int list_queues(Shell& shell, const Nothing&) {
  const auto queues = shell.client().queues();
  if (!queues) return failed("cannot list queues", queues.error());
  shell.out().items(each_to_json(*queues), [&] {
    std::vector<std::vector<std::string>> rows{
        {"QUEUE", "STATE", "READY", "LEASED", "BACKLOG", "WORKERS", "SLOTS", "OLDEST"}};
    for (const client::QueueView& queue : *queues) {
      const char* state = queue.paused ? "paused" : queue.workers == 0 ? "no workers" : "ok";
      rows.push_back({queue.queue, shell.out().state(state), std::to_string(queue.ready),
                      std::to_string(queue.leased), std::to_string(queue.backlog),
                      std::to_string(queue.workers), std::to_string(queue.slots),
                      queue.oldest_ms > 0 ? span_text(queue.oldest_ms) : "-"});
    }
    shell.out().table(rows);
  });
  return kOk;
}

int set_paused(Shell& shell, const QueueOptions& options, bool is_pause) {
  const std::string what = (is_pause ? "pause queue " : "resume queue ") + options.queue;
  const auto by = shell.operator_who(options.why);
  const auto answer =
      is_pause ? shell.client().pause(options.queue, by) : shell.client().resume(options.queue, by);
  if (!answer) return failed("cannot " + what, answer.error());
  shell.out().item({{"queue", options.queue}, {"paused", is_pause}}, [&] {
    if (!shell.out().is_quiet()) std::cout << "done: " << what << '\n';
  });
  return kOk;
}

int pause(Shell& shell, const QueueOptions& options) {
  if (!shell.confirms("pause queue " + options.queue + "? its tasks wait until it is resumed")) {
    return kUsage;
  }
  return set_paused(shell, options, true);
}

int resume(Shell& shell, const QueueOptions& options) { return set_paused(shell, options, false); }

int list_workers(Shell& shell, const Nothing&) {
  const auto workers = shell.client().workers();
  if (!workers) return failed("cannot list workers", workers.error());
  shell.out().items(each_to_json(*workers), [&] {
    std::vector<std::vector<std::string>> rows{
        {"WORKER", "STATE", "USED", "HUNG", "SLOTS", "HEARD", "VERSION", "QUEUES"}};
    for (const client::WorkerView& worker : *workers) {
      std::string queues;
      for (const std::string& queue : worker.queues) {
        queues += (queues.empty() ? "" : ", ") + queue;
      }
      rows.push_back(
          {printable(worker.name), shell.out().state(worker.draining ? "draining" : "ok"),
           std::to_string(worker.used), std::to_string(worker.hung), std::to_string(worker.slots),
           span_text(worker.silent_ms) + " ago", printable(worker.version), queues});
    }
    shell.out().table(rows);
  });
  return kOk;
}

void add_switch(CLI::App& parent, Commands& commands, const std::string& name,
                const std::string& help, int (*run)(Shell&, const QueueOptions&)) {
  const auto options = std::make_shared<QueueOptions>();
  CLI::App& command = add_command(parent, commands, {name, help}, run, options);
  command.add_option("queue", options->queue, "The queue")->required();
  command.add_option("--why", options->why, "The reason")->required();
}

}  // namespace

void add_queue_commands(CLI::App& app, Commands& commands) {
  const auto nothing = std::make_shared<Nothing>();
  CLI::App* queue = app.add_subcommand("queue", "Queues: ls, pause, resume");
  queue->require_subcommand(1);
  add_command(*queue, commands, {"ls", "What waits where, and who serves it"}, &list_queues,
              nothing);
  add_switch(*queue, commands, "pause", "Hand out no more of its tasks", &pause);
  add_switch(*queue, commands, "resume", "Hand them out again", &resume);

  CLI::App* worker = app.add_subcommand("worker", "Workers: ls");
  worker->require_subcommand(1);
  add_command(*worker, commands, {"ls", "Who is connected, and how busy"}, &list_workers, nothing);
}

}  // namespace ordo::cli
