#include "ordo/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "base/address.hpp"
#include "base/key_file.hpp"
#include "base/metric_text.hpp"
#include "base/random.hpp"
#include "schema/limits.hpp"
#include "schema/text.hpp"
#include "worker/app/handlers.hpp"
#include "worker/app/options_check.hpp"
#include "worker/app/stats.hpp"
#include "worker/app/worker_loop.hpp"
#include "worker/net/status_port.hpp"

namespace ordo {
namespace {

/// Of the host in a name that nobody chose: the whole fits into the bound of names.
constexpr std::size_t kHostPart = 100;
constexpr int kExitUsage = 2;

std::string default_name() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) std::strcpy(host.data(), "worker");
  return clean_text(host.data(), kHostPart) + '-' + std::to_string(getpid());
}

wire::SessionId new_session() {
  wire::SessionId session{};
  for (std::size_t at = 0; at < session.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = random_seed();
    std::memcpy(session.data() + at, &bits, sizeof bits);
  }
  return session;
}

std::vector<std::string> to_endpoints(const std::vector<std::string>& brokers) {
  std::vector<std::string> endpoints;
  for (const std::string& broker : brokers) endpoints.push_back(*worker::to_endpoint(broker));
  return endpoints;
}

/// A name of a handler or a queue, quoted for people, with the rule it breaks.
std::string no_name(const std::string& name, std::string_view of) {
  return "`" + clean_text(name, limits::kTextBytes) + "` is no name of a " + std::string(of) +
         ": write 1 to " + std::to_string(limits::kNameBytes) + " of a-z, 0-9, `_`, `.` and `-`";
}

Result<void> refuse(std::string_view reason, std::string message) {
  return fail(Code::kMalformed, reason, std::move(message));
}

}  // namespace

struct Worker::State {
  WorkerOptions options;
  worker::Handlers handlers;
  std::vector<std::string> queues;
  std::unique_ptr<worker::WorkerLoop> loop;
  std::atomic<worker::WorkerLoop*> running{nullptr};  ///< for stop() from a signal handler
  std::atomic<bool> is_running{false};
  std::atomic<bool> must_stop{false};  ///< stop() came before start()
  std::atomic<int> exit_code{0};
  std::jthread thread;
  std::unique_ptr<worker::StatusPort> status;  ///< asks the loop: it goes first

  [[nodiscard]] Result<void> check_registrations() const;
  Result<void> open_status(const worker::WorkerLog& log);
  [[nodiscard]] worker::Settings settings() const;
};

Result<void> Worker::State::check_registrations() const {
  if (handlers.by_name.empty()) {
    return refuse("no_handler", "no handler is registered: call Worker::on() before it starts");
  }
  for (const auto& [name, handler] : handlers.by_name) {
    if (!is_name(name)) return refuse("bad_name", no_name(name, "handler"));
    if (!handler) return refuse("no_handler", "the handler of `" + name + "` is empty");
  }
  for (const std::string& queue : queues) {
    if (!is_name(queue)) return refuse("bad_name", no_name(queue, "queue"));
  }
  if (queues.size() > limits::kWorkerQueues) {
    return refuse("queues", "the handlers take tasks of " + std::to_string(queues.size()) +
                                " queues: a worker serves at most " +
                                std::to_string(limits::kWorkerQueues) +
                                ", split them over several workers");
  }
  return {};
}

worker::Settings Worker::State::settings() const {
  worker::Settings settings;
  settings.session = new_session();
  settings.name = options.name.empty() ? default_name() : options.name;
  settings.version = ORDO_VERSION;
  settings.queues = queues;
  settings.links = static_cast<std::uint32_t>(options.brokers.size());
  settings.slots = options.slots;
  settings.take_ahead = options.take_ahead;
  settings.drain_timeout = options.drain_timeout;
  settings.hang_grace = options.hang_grace;
  return settings;
}

/// Serves what the loop counts, where the options ask for it.
Result<void> Worker::State::open_status(const worker::WorkerLog& log_to) {
  if (options.listen_http.empty()) return {};
  const auto address = parse_address(options.listen_http);
  if (!address) return tl::unexpected(address.error());
  const worker::WorkerLoop& asked = *loop;
  auto opened = worker::StatusPort::open(
      *address, {{"/metrics",
                  [&asked, more = options.more_metrics] {
                    std::string text = worker::to_metrics(worker::stats_of(asked));
                    if (more) text += more();
                    return worker::StatusPage{200, MetricText::kType, std::move(text)};
                  }},
                 {"/livez", [&asked] { return worker::livez(worker::stats_of(asked)); }},
                 {"/readyz", [&asked] { return worker::readyz(worker::stats_of(asked)); }}});
  if (!opened) return tl::unexpected(opened.error());
  status = *std::move(opened);
  const std::string at = status->endpoint();
  log_to.write(log::Level::kInfo, "serving metrics and health", {{"http", at}});
  return {};
}

Worker::Worker(WorkerOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}

Worker::~Worker() {
  if (!state_->thread.joinable()) return;
  stop();
  wait();
}

WorkerOptions& Worker::options() { return state_->options; }

Worker& Worker::on(std::string name, Handler handler, std::string queue) {
  serve(queue.empty() ? name : std::move(queue));
  state_->handlers.by_name.insert_or_assign(std::move(name), std::move(handler));
  return *this;
}

Worker& Worker::serve(std::string queue) {
  auto& queues = state_->queues;
  if (std::find(queues.begin(), queues.end(), queue) == queues.end()) {
    queues.push_back(std::move(queue));
  }
  return *this;
}

Worker& Worker::before(std::function<void(Task&)> hook) {
  state_->handlers.before.push_back(std::move(hook));
  return *this;
}

Worker& Worker::after(std::function<void(Task&, const TaskOutcome&)> hook) {
  state_->handlers.after.push_back(std::move(hook));
  return *this;
}

Result<void> Worker::start() {
  if (state_->thread.joinable()) {
    return fail(Code::kConflict, "running", "the worker runs already");
  }
  if (auto checked = worker::check_options(state_->options); !checked) return checked;
  if (auto checked = state_->check_registrations(); !checked) return checked;
  auto keys = read_dial_keys(state_->options.key_file, state_->options.broker_key);
  if (!keys) return tl::unexpected(keys.error());
  const worker::Settings settings = state_->settings();
  const auto lines = std::make_shared<const worker::WorkerLog>(
      state_->options.on_log, static_cast<log::Level>(state_->options.log_level),
      static_cast<log::Form>(state_->options.log_format), settings.name);
  state_->status.reset();  // of an earlier run
  state_->loop = std::make_unique<worker::WorkerLoop>(
      settings,
      worker::WorkerLoop::Brokers{to_endpoints(state_->options.brokers), *std::move(keys)},
      std::make_shared<const worker::Handlers>(state_->handlers), lines);
  if (auto opened = state_->open_status(*lines); !opened) return opened;
  state_->running.store(state_->loop.get());
  if (state_->must_stop.load()) state_->loop->request_drain();
  state_->is_running.store(true);
  state_->thread = std::jthread([state = state_.get()] {
    state->exit_code.store(state->loop->run());
    state->is_running.store(false);
  });
  return {};
}

void Worker::stop() {
  state_->must_stop.store(true);
  worker::WorkerLoop* const loop = state_->running.load();
  if (loop != nullptr) loop->request_drain();
}

int Worker::wait() {
  if (state_->thread.joinable()) state_->thread.join();
  return state_->exit_code.load();
}

int Worker::run() {
  if (const auto started = start(); !started) {
    const std::string& message = started.error().message;
    if (state_->options.on_log) {
      state_->options.on_log(message);
    } else {
      std::fprintf(stderr, "%s\n", message.c_str());
    }
    return kExitUsage;
  }
  return wait();
}

bool Worker::is_running() const { return state_->is_running.load(); }

WorkerStats Worker::stats() const {
  const worker::WorkerLoop* const loop = state_->running.load();
  return loop == nullptr ? WorkerStats{} : worker::stats_of(*loop);
}

std::string Worker::metrics() const { return worker::to_metrics(stats()); }

std::string Worker::http_endpoint() const {
  return state_->status ? state_->status->endpoint() : std::string();
}

}  // namespace ordo
