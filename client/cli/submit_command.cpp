// ordo submit: one order from the command line, or many from JSON lines.
#include <signal.h>

#include <atomic>
#include <deque>
#include <fstream>
#include <future>
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/cli/order_lines.hpp"
#include "client/cli/progress.hpp"
#include "client/cli/trace_options.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

/// Lines that are on their way at once: keeps the broker's batches full, and memory small.
constexpr std::size_t kInFlight = 8'192;

struct SubmitOptions {
  std::string pipeline, payload, payload_file, file;
  std::string id, key, customer, context, delay, deadline;
  std::vector<std::string> labels;
  TraceOptions trace;
  int priority = 5;
  std::string wait = "durable";
  std::string on_timeout = "keep";
};

volatile sig_atomic_t g_interrupted = 0;

/// name=value pairs as a JSON object; nullopt after a complaint.
std::optional<std::string> labels_of(const std::vector<std::string>& pairs) {
  if (pairs.empty()) return std::string();
  Json labels = Json::object();
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain("'" + pair + "' is no label", "a label is name=value", "--label shop=berlin");
      return std::nullopt;
    }
    labels[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return labels.dump();
}

std::optional<client::milliseconds> span_of(const char* name, const std::string& text) {
  if (text.empty()) return client::milliseconds{0};
  const auto span = parse_span(name, text);
  if (!span) complain("--" + std::string(name) + " is wrong", span.error().message);
  return span ? std::optional(*span) : std::nullopt;
}

/// The order of the command line without its payload; nullopt after a complaint.
std::optional<client::Order> order_of(const SubmitOptions& options) {
  client::Order order;
  order.pipeline = options.pipeline;
  order.priority = options.priority;
  order.key = options.key;
  order.customer = options.customer;
  order.context = options.context;
  if (!options.id.empty()) {
    const auto id = parse_id(options.id);
    if (!id) return std::nullopt;
    order.id = *id;
  }
  auto labels = labels_of(options.labels);
  const auto delay = span_of("delay", options.delay);
  const auto deadline = span_of("deadline", options.deadline);
  if (!labels || !delay || !deadline || !take_trace(options.trace, order)) return std::nullopt;
  order.labels = std::move(*labels);
  order.delay = *delay;
  order.deadline = *deadline;
  return order;
}

// ---- one order ---------------------------------------------------------------------------------

int exit_code_of_end(const client::Waited& waited) {
  if (waited.timed_out) return kTimedOut;
  const std::string& word = waited.step_state.empty() ? waited.status : waited.step_state;
  return word.empty() || word == "succeeded" || word == "skipped" ? kOk : kFailed;
}

/// `traceparent` is set where this program drew it.
void show_waited(const Shell& shell, const client::Waited& waited, bool is_durable_only,
                 const std::string& traceparent) {
  Json json{{"id", waited.id.to_string()}, {"was_known", waited.was_known}};
  if (!is_durable_only) json["timed_out"] = waited.timed_out;
  if (!waited.status.empty()) json["status"] = waited.status;
  if (!waited.step_state.empty()) json["step_state"] = waited.step_state;
  if (!waited.result.empty()) json["result"] = waited.result;
  if (waited.was_cancelled) json["cancelled"] = true;
  if (!traceparent.empty()) json["traceparent"] = traceparent;
  shell.out().item(json, [&] {
    std::cout << waited.id.to_string();
    if (!shell.out().is_quiet()) {
      const std::string& word = waited.step_state.empty() ? waited.status : waited.step_state;
      if (waited.timed_out) {
        std::cout << "  durable, but not that far in time"
                  << (waited.was_cancelled ? "; cancelled" : "");
      } else {
        std::cout << "  " << shell.out().state(word.empty() ? "durable" : word);
      }
      if (waited.was_known) std::cout << "  (was there already)";
      if (!waited.result.empty()) std::cout << "  " << printable(waited.result);
      if (!traceparent.empty()) std::cout << "  traceparent " << traceparent;
    }
    std::cout << '\n';
  });
}

int submit_one(Shell& shell, const SubmitOptions& options, client::Order order) {
  client::WaitOptions wait;
  wait.timeout = shell.patience(wait.timeout);
  wait.on_timeout =
      options.on_timeout == "cancel" ? client::OnTimeout::kCancel : client::OnTimeout::kKeep;
  wait.until = options.wait == "durable" ? client::Until::kDurable
               : options.wait == "end"   ? client::Until::kEnd
                                         : client::Until::kStep;
  if (wait.until == client::Until::kStep) wait.step = options.wait;
  if (order.id.is_zero()) {
    // Drawn here, so that it can be named whatever happens afterwards.
    auto id = shell.client().draw_id(order.key);
    if (!id) {
      complain("the order was not submitted", id.error());
      return exit_code_of(id.error());
    }
    order.id = *id;
  }
  const std::string id = order.id.to_string();
  const std::string drawn = options.trace.must_draw ? order.traceparent : std::string();
  const auto waited = shell.client().submit_and_wait(std::move(order), wait);
  if (!waited) {
    complain("order " + id + " was not acknowledged", waited.error());
    return exit_code_of(waited.error());
  }
  show_waited(shell, *waited, wait.until == client::Until::kDurable, drawn);
  return exit_code_of_end(*waited);
}

// ---- many --------------------------------------------------------------------------------------

class Lines {
 public:
  Lines(Shell& shell, Progress& progress) : shell_(shell), progress_(progress) {}

  void take(const std::string& line, const client::Order& otherwise) {
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    auto order = parse_order_line(line, otherwise);
    if (!order) {
      report(number_, {}, order.error());
      return;
    }
    while (on_their_way_.size() >= kInFlight) land();
    on_their_way_.push_back({number_, shell_.client().submit_async(std::move(*order))});
    // What has come already is reported at once, without waiting.
    while (!on_their_way_.empty() && on_their_way_.front().answer.wait_for(
                                         std::chrono::seconds{0}) == std::future_status::ready) {
      land();
    }
  }

  int finish() {
    while (!on_their_way_.empty()) land();
    if (shell_.out().is_text()) {
      shell_.out().note(
          std::to_string(accepted_) + " orders durable" +
          (known_ > 0 ? ", " + std::to_string(known_) + " of them known before" : "") +
          (failed_ > 0 ? ", " + std::to_string(failed_) + " refused" : ""));
    } else if (shell_.out().form() == Form::kJson) {
      shell_.out().item(Json(results_), [] {});
    }
    if (worst_ != kOk) return worst_;
    return g_interrupted != 0 ? kInterrupted : kOk;
  }

 private:
  struct OnItsWay {
    std::size_t line;
    std::future<client::Submitted> answer;
  };

  void land() {
    OnItsWay first = std::move(on_their_way_.front());
    on_their_way_.pop_front();
    const client::Submitted submitted = first.answer.get();
    if (!submitted.receipt) {
      report(first.line, submitted.id, submitted.receipt.error());
    } else {
      ++accepted_;
      if (submitted.receipt->was_known) ++known_;
      show({{"line", first.line},
            {"id", submitted.id.to_string()},
            {"was_known", submitted.receipt->was_known}},
           submitted.id.to_string());
    }
    progress_.show(accepted_ + failed_, failed_);
  }

  void report(std::size_t line, OrderId id, const Error& error) {
    ++failed_;
    if (worst_ == kOk) worst_ = exit_code_of(error);
    Json json{{"line", line}, {"error", client::to_json(error)}};
    if (!id.is_zero()) json["id"] = id.to_string();
    if (shell_.out().is_text()) {
      complain("line " + std::to_string(line) + " was not submitted", error);
    } else {
      show(json, {});
    }
  }

  void show(Json json, const std::string& text) {
    if (shell_.out().form() == Form::kJsonl) shell_.out().line(json);
    if (shell_.out().form() == Form::kJson) results_.push_back(std::move(json));
    if (shell_.out().is_text()) std::cout << text << '\n';
  }

  Shell& shell_;
  Progress& progress_;
  std::deque<OnItsWay> on_their_way_;
  std::vector<Json> results_;
  std::size_t number_ = 0, accepted_ = 0, known_ = 0, failed_ = 0;
  int worst_ = kOk;
};

int submit_lines(Shell& shell, const SubmitOptions& options, const client::Order& otherwise) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) {
      complain("cannot read " + options.file, std::strerror(errno), "`-` reads stdin");
      return kRefused;
    }
  }
  std::istream& in = options.file == "-" ? std::cin : file;
  // The first interrupt stops reading: what is on its way is still waited for and reported.
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) { g_interrupted = 1; };
  interrupt.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &interrupt, nullptr);
  Progress progress(!shell.out().is_quiet(), "submitting", 0);
  Lines lines(shell, progress);
  for (std::string line; g_interrupted == 0 && std::getline(in, line);) lines.take(line, otherwise);
  return lines.finish();
}

int submit(Shell& shell, const SubmitOptions& options) {
  auto order = order_of(options);
  if (!order) return kUsage;
  order->payload = options.payload;
  if (!options.payload_file.empty()) {
    auto payload = read_all(options.payload_file);
    if (!payload) return kRefused;
    order->payload = std::move(*payload);
  }
  if (!options.file.empty()) {
    if (options.wait != "durable") {
      complain("--wait and --file exclude each other",
               "many orders are waited for by `ordo watch`");
      return kUsage;
    }
    if (options.trace.must_draw) shell.out().note("traceparent " + order->traceparent);
    return submit_lines(shell, options, *order);
  }
  if (options.pipeline.empty()) {
    complain("an order needs a pipeline", {}, "ordo submit PIPELINE [PAYLOAD], or --file LINES");
    return kUsage;
  }
  return submit_one(shell, options, std::move(*order));
}

}  // namespace

void add_submit_command(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<SubmitOptions>();
  CLI::App& command = add_command(app, commands, {"submit", "Hand in an order, or a file of them"},
                                  &submit, options);
  command.add_option("pipeline", options->pipeline, "The pipeline to run");
  command.add_option("payload", options->payload, "What the steps get");
  command.add_option("--payload-file", options->payload_file,
                     "Take the payload from a file (-: stdin)");
  command.add_option("--file", options->file,
                     "Orders as JSON lines (-: stdin); the other options are their defaults");
  command.add_option("--id", options->id, "The id to use, to repeat a submit of unknown outcome");
  command.add_option("--key", options->key, "Your own name for it");
  command.add_option("--customer", options->customer, "Whose order it is");
  command.add_option("--priority", options->priority, "0 most urgent, 9 least")
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  command.add_option("--delay", options->delay, "Start no earlier than after this (5m)");
  command.add_option("--deadline", options->deadline, "Of the whole order (2h)");
  command.add_option("--label", options->labels, "name=value; may be repeated");
  command.add_option("--context", options->context, "JSON object that the engine may read");
  add_trace_options(command, options->trace);
  command.add_option("--wait", options->wait, "durable, end (or parked), or the name of a step")
      ->capture_default_str();
  command.add_option("--on-timeout", options->on_timeout, "What becomes of it: keep or cancel")
      ->check(CLI::IsMember({"keep", "cancel"}))
      ->capture_default_str();
  add_examples(command,
               "  ordo submit hello '{\"name\": \"Ada\"}' --wait end\n"
               "  ordo submit digital --payload-file cart.json --key cart-17 --customer c42\n"
               "  jq -c '.[]' carts.json | ordo submit digital --file - --output jsonl");
}

}  // namespace ordo::cli
