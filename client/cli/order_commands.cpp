// ordo get, ls, watch, explain: looking at orders.
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct OneOrder {
  std::string id;
};
struct ListOptions {
  std::string customer, pipeline, after;
  bool parked = false;
  bool recent = false;
  bool all = false;
  unsigned limit = 20;
};
struct WatchOptions {
  std::string id;
  std::int64_t after = 0;
};

int failed(const std::string& what, const Error& error) {
  complain(what, error);
  return exit_code_of(error);
}

/// What undoes a step is shown as a step of its own: ~pay.
template <class View> std::string step_name(const View& of) {
  const std::string name = (of.is_compensation ? "~" : "") + of.step;
  return of.branch == 0 ? name : name + "[" + std::to_string(of.branch) + "]";
}

std::string task_remark(const client::TaskView& task) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  if (!task.worker.empty()) add("on " + printable(task.worker));
  if (task.run_in_ms > 0) add("due in " + span_text(task.run_in_ms));
  if (task.run_in_ms < 0) add("overdue by " + span_text(-task.run_in_ms));
  add(printable(task.reason));
  if (!task.result.empty()) add("result " + printable(task.result));
  return text;
}

void show_event(const Printer& out, const client::EventView& event) {
  std::cout << out.dim(time_text(event.at_ms)) << "  " << event.kind;
  if (!event.step.empty()) std::cout << "  " << out.bold(step_name(event));
  if (event.attempt > 0) std::cout << "  attempt " << event.attempt;
  // Events of people carry who it was where those of attempts carry the worker.
  const bool is_by_person =
      event.kind.rfind("operator_", 0) == 0 || event.kind == "cancel_requested";
  if (!event.worker.empty()) {
    std::cout << (is_by_person ? "  by " : "  on ") << printable(event.worker);
  }
  if (event.ms > 0) std::cout << "  " << span_text(event.ms);
  if (!event.status.empty()) std::cout << "  → order " << out.state(event.status);
  if (!event.note.empty()) std::cout << "  " << out.dim(printable(event.note));
  std::cout << '\n';
}

void show_order(const Printer& out, const client::OrderView& order) {
  std::cout << out.bold(order.id.to_string()) << "  " << out.state(order.status) << "  "
            << order.pipeline << " v" << order.version << '\n';
  const auto field = [&out](const char* name, const std::string& text) {
    if (!text.empty()) std::cout << "  " << out.dim(name) << ' ' << printable(text) << '\n';
  };
  field("accepted", time_text(order.accepted_at_ms));
  if (order.deadline_at_ms != 0) field("deadline", time_text(order.deadline_at_ms));
  field("priority", std::to_string(order.priority));
  field("key", order.key);
  field("customer", order.customer);
  field("labels", order.labels);
  field("context", order.context);
  field("payload", order.payload);
  field("trace", order.trace_id());
  std::cout << '\n';
  std::vector<std::vector<std::string>> rows{{"STEP", "STATE", "ATTEMPT", "FAILURES", ""}};
  for (const client::TaskView& task : order.tasks) {
    rows.push_back({step_name(task), out.state(task.state), std::to_string(task.attempt),
                    std::to_string(task.failures), task_remark(task)});
  }
  out.table(rows);
  if (order.events.empty()) return;
  std::cout << '\n';
  for (const client::EventView& event : order.events) show_event(out, event);
}

void show_chain(const Printer& out, const client::Explanation& explanation) {
  if (!explanation.trace_id.empty()) std::cout << out.dim("trace ") << explanation.trace_id << '\n';
  if (explanation.chain.empty()) return;
  const bool has_spans = !explanation.trace_id.empty();
  std::vector<std::vector<std::string>> rows{{"STEP", "ATTEMPT", "OUTCOME", "ENDED", "TOOK"}};
  for (const char* more : {has_spans ? "SPAN" : "", "WORKER", "ERROR"}) {
    if (*more != '\0') rows.front().emplace_back(more);
  }
  for (const client::AttemptView& one : explanation.chain) {
    std::vector<std::string> row{step_name(one), std::to_string(one.attempt),
                                 out.state(one.outcome), time_text(one.at_ms), span_text(one.ms)};
    if (has_spans) row.push_back(one.span_id);
    row.push_back(printable(one.worker));
    row.push_back(printable(one.error));
    rows.push_back(std::move(row));
  }
  out.table(rows);
}

int get(Shell& shell, const OneOrder& options) {
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  const auto order = shell.client().get(*id);
  if (!order) return failed("cannot show order " + options.id, order.error());
  shell.out().item(to_json(*order), [&] { show_order(shell.out(), *order); });
  return kOk;
}

int explain(Shell& shell, const OneOrder& options) {
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  const auto explanation = shell.client().explain(*id);
  if (!explanation) return failed("cannot explain order " + options.id, explanation.error());
  shell.out().item(to_json(*explanation), [&] {
    std::cout << shell.out().bold(printable(explanation->sentence)) << '\n';
    for (const std::string& fact : explanation->facts) {
      std::cout << "  - " << printable(fact) << '\n';
    }
    show_chain(shell.out(), *explanation);
  });
  return kOk;
}

/// All pages there are, or the first one; an error after a complaint.
Result<std::vector<client::OrderView>> collect(Shell& shell, client::Query query, bool all) {
  std::vector<client::OrderView> orders;
  for (;;) {
    auto page = shell.client().list(query);
    if (!page) return tl::unexpected(std::move(page.error()));
    std::move(page->orders.begin(), page->orders.end(), std::back_inserter(orders));
    query.after = page->after;
    if (page->is_last) return orders;
    if (!all) break;
  }
  shell.out().note("there are more: --after " + query.after.to_string() + ", or --all");
  return orders;
}

int list(Shell& shell, const ListOptions& options) {
  client::Query query;
  query.limit = options.all ? 1000 : options.limit;
  query.customer = options.customer;
  query.pipeline = options.pipeline;
  query.which = !options.customer.empty() ? client::Which::kOfCustomer
                : options.parked          ? client::Which::kParked
                : options.recent          ? client::Which::kRecent
                                          : client::Which::kOpen;
  if (!options.after.empty()) {
    const auto after = parse_id(options.after);
    if (!after) return kUsage;
    query.after = *after;
  }
  const auto orders = collect(shell, query, options.all);
  if (!orders) return failed("cannot list orders", orders.error());
  shell.out().items(each_to_json(*orders), [&] {
    if (shell.out().is_quiet()) {
      for (const auto& order : *orders) std::cout << order.id.to_string() << '\n';
      return;
    }
    std::vector<std::vector<std::string>> rows{
        {"ID", "STATUS", "PIPELINE", "PRIORITY", "ACCEPTED", "CUSTOMER"}};
    for (const auto& order : *orders) {
      rows.push_back({order.id.to_string(), shell.out().state(order.status),
                      order.pipeline + " v" + std::to_string(order.version),
                      std::to_string(order.priority), time_text(order.accepted_at_ms),
                      printable(order.customer)});
    }
    shell.out().table(rows);
  });
  return kOk;
}

int watch(Shell& shell, const WatchOptions& options) {
  const auto id = parse_id(options.id);
  if (!id) return kUsage;
  auto stream = shell.client().watch(*id, options.after);
  const bool is_bounded = shell.settings().timeout.count() > 0;
  const auto patience = shell.patience(client::milliseconds{3'600'000});
  for (;;) {
    const auto page = stream.next(patience);
    if (!page && page.error().reason == "wait_timeout" && !is_bounded) continue;
    if (!page && page.error().reason == "wait_timeout") {
      complain_with_next("order " + options.id + " has not ended in time", page.error(),
                         "`ordo explain " + options.id + "` says what it waits for");
      return kTimedOut;
    }
    if (!page) return failed("cannot watch order " + options.id, page.error());
    for (const client::EventView& event : page->events) {
      if (shell.out().is_text()) {
        show_event(shell.out(), event);
      } else {
        shell.out().line(to_json(event));
      }
    }
    std::cout.flush();
    if (!page->is_last) continue;
    if (shell.out().is_text()) shell.out().note("order " + page->status);
    return page->status == "succeeded" || page->status.empty() ? kOk : kFailed;
  }
}

}  // namespace

void add_order_commands(CLI::App& app, Commands& commands) {
  const auto got = std::make_shared<OneOrder>();
  add_command(app, commands, {"get", "Show an order: its steps and what happened to it"}, &get, got)
      .add_option("id", got->id, "The order")
      ->required();

  const auto explained = std::make_shared<OneOrder>();
  add_command(app, commands,
              {"explain", "Why an order does not move: one sentence, then the facts"}, &explain,
              explained)
      .add_option("id", explained->id, "The order")
      ->required();

  const auto listed = std::make_shared<ListOptions>();
  CLI::App& ls = add_command(
      app, commands, {"ls", "List orders: oldest first, a customer's newest first"}, &list, listed);
  ls.add_option("--customer", listed->customer, "All orders of a customer, ended ones too");
  ls.add_flag("--recent", listed->recent, "All, ended ones too, newest first")
      ->excludes("--customer");
  ls.add_option("--pipeline", listed->pipeline, "Only those of this pipeline");
  ls.add_flag("--parked", listed->parked, "Only those that wait for an operator")
      ->excludes("--recent")
      ->excludes("--customer");
  ls.add_option("--limit", listed->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  ls.add_option("--after", listed->after, "Go on behind this order");
  ls.add_flag("--all", listed->all, "All pages");
  add_examples(ls,
               "  ordo ls --parked\n"
               "  ordo ls --customer c42 --output jsonl | jq -r .id");

  const auto watched = std::make_shared<WatchOptions>();
  CLI::App& follow = add_command(
      app, commands, {"watch", "Follow an order's events until it has ended"}, &watch, watched);
  follow.add_option("id", watched->id, "The order")->required();
  follow.add_option("--after", watched->after, "Only events behind this seq");
}

}  // namespace ordo::cli
