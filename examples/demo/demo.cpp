#include "examples/demo/demo.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/clock.hpp"
#include "base/usual_ports.hpp"
#include "schema/pipeline.hpp"
#include "tests/support/wait.hpp"

namespace ordo::demo {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDefaultOrders = 2000;
constexpr std::array kPipelines{"digital.yaml", "3c.yaml", "hello.yaml"};
// Between two looks at the tables: a psql each time.
constexpr auto kLookEvery = 500ms;
// Longer than the slowest retry of the pipelines: without any order ending for this long, none
// will.
constexpr auto kStuck = 180s;

// An order that is to park may be declined before it gets there (risk, card: one in fourteen).
constexpr int kParkTries = 5;
// Six attempts with waits of up to 2 s between them, on a busy machine.
constexpr auto kParkPatience = 30s;

/// Beside an installed program, else where this one was built from.
std::string pipelines_folder() {
  std::error_code none;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  const auto installed = (own / "../share/ordo/pipelines").lexically_normal();
  if (std::filesystem::is_directory(installed, none)) return installed.string();
  return std::string(ORDO_EXAMPLES_FOLDER) + "/pipelines";
}

}  // namespace

Demo::Demo(DemoOptions options, const std::atomic<bool>& stop)
    : options_(std::move(options)), stop_(stop) {}

Result<void> Demo::go_on() const {
  if (stop_) return fail(Code::kUnavailable, "interrupted", "interrupted");
  return {};
}

Result<Summary> Demo::run() {
  auto source = open_source();
  if (!source) return tl::unexpected(source.error());
  if (auto done = start_system(); !done) return tl::unexpected(done.error());
  if (auto done = apply_pipelines(); !done) return tl::unexpected(done.error());
  auto log = AckLog::open(system_->folder() + "/acks");
  if (!log) return tl::unexpected(log.error());
  bar_.say(fmt::format("submitting {} orders, {} a second; {} workers", source->size(),
                       options_.rate > 0 ? fmt::format("{:.0f}", options_.rate) : "as many as fit",
                       options_.workers));
  Submitter submitter(*client_, **log, {.rate = options_.rate, .seed = options_.seed});
  if (auto done = submit(*source, submitter); !done) return tl::unexpected(done.error());
  if (auto done = settle(submitter.counts(), source->size()); !done) {
    return tl::unexpected(done.error());
  }
  return judge(submitter.counts());
}

Result<OrderSource> Demo::open_source() const {
  if (options_.input.empty()) {
    return OrderSource(options_.seed, options_.orders.value_or(kDefaultOrders));
  }
  auto invoices = read_invoices(options_.input);
  if (!invoices) return tl::unexpected(invoices.error());
  const std::size_t count = options_.orders.value_or(invoices->size());
  return OrderSource(std::move(*invoices), count);
}

Result<void> Demo::start_system() {
  bar_.say("starting PostgreSQL, a broker with two shards and the workers");
  auto system = System::create({.slots = options_.slots,
                                .time_scale = options_.time_scale,
                                .seed = options_.seed,
                                .is_durable = true,
                                .is_kept = options_.is_kept});
  if (!system) return tl::unexpected(system.error());
  system_ = std::move(*system);
  if (auto started = system_->start_broker(listen_at()); !started)
    return tl::unexpected(started.error());
  for (int i = 0; i < options_.workers; ++i) {
    if (auto started = system_->start_worker(); !started) return tl::unexpected(started.error());
  }
  if (auto ready = system_->wait_ready(); !ready) return ready;
  client_ = std::make_unique<client::Client>(
      client::Options{.endpoints = system_->client_endpoints(), .name = "demo"});
  if (auto ready = client_->ready(10s); !ready) return ready;
  if (options_.has_page) {
    if (auto done = open_lookout(); !done) return done;
  }
  return go_on();
}

Result<void> Demo::open_lookout() {
  const Endpoints& at = system_->endpoints();
  auto opened = Lookout::open({.folder = system_->folder() + "/lookout",
                               .broker_http = at.http,
                               .clients = at.clients,
                               .has_usual_ports = options_.has_usual_ports});
  if (!opened) return tl::unexpected(opened.error());
  lookout_.emplace(std::move(*opened));
  if (!lookout_->lacks().empty()) bar_.say(lookout_->lacks());
  bar_.say("watch it: " + lookout_->page());
  return {};
}

Endpoints Demo::listen_at() {
  if (!options_.has_usual_ports) return free_endpoints();
  const auto taken = taken_usual_port();
  if (!taken) return usual_endpoints();
  bar_.say(fmt::format("port {} is taken: the broker listens on free ports", *taken));
  return free_endpoints();
}

Result<void> Demo::apply_pipelines() {
  for (const char* name : kPipelines) {
    if (auto done = apply(pipelines_folder() + "/" + name); !done) return done;
  }
  for (const std::string& path : options_.pipelines) {
    if (auto done = apply(path); !done) return done;
  }
  return {};
}

Result<void> Demo::apply(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "pipeline", "cannot read " + path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (auto stored = client_->put_pipeline(text); !stored) return tl::unexpected(stored.error());
  const auto pipeline = parse_pipeline(text);
  if (pipeline) names_[std::to_string(pipeline->id)] = pipeline->name;
  return {};
}

Result<void> Demo::submit(OrderSource& source, Submitter& submitter) {
  bool has_killed = false;
  for (;;) {
    const auto more = submitter.step(source);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    if (auto well = go_on(); !well) return well;
    const SubmitCounts& counts = submitter.counts();
    if (!has_killed && counts.tried * 2 >= source.size()) {
      has_killed = true;
      if (auto done = kill_and_replace(); !done) return done;
    }
    if (steady_now() - looked_ > kLookEvery) {
      looked_ = steady_now();
      const auto standing = system_->tables().standing();
      if (standing) standing_ = *standing;
    }
    bar_.show(counts.acked, standing_.orders - standing_.moving, source.size());
  }
}

Result<void> Demo::kill_and_replace() {
  kill_ = {.worker = system_->worker_name(0),
           .monotonic_ms = shop::monotonic_ms(),
           .wall_ms = to_ms(wall_now())};
  system_->worker(0).kill9();
  auto started = system_->start_worker();
  if (!started) return tl::unexpected(started.error());
  bar_.say("killed worker " + kill_.worker + " with -9; " + system_->worker_name(*started) +
           " takes its place");
  return {};
}

Result<void> Demo::settle(const SubmitCounts& counts, std::size_t total) {
  Steady moved = steady_now();
  for (;;) {
    if (auto well = go_on(); !well) return well;
    const auto standing = system_->tables().standing();
    if (!standing) return tl::unexpected(standing.error());
    if (standing->moving != standing_.moving) moved = steady_now();
    standing_ = *standing;
    bar_.show(counts.acked, standing_.orders - standing_.moving, total);
    if (standing_.moving == 0) return {};
    if (steady_now() - moved > kStuck) {
      return fail(Code::kUnavailable, "timed_out",
                  fmt::format("{} orders have not ended and do not move", standing_.moving));
    }
    testing::wait_until(kLookEvery, [&] { return stop_.load(); });
  }
}

Result<Summary> Demo::judge(const SubmitCounts& counts) const {
  Records records;
  auto acks = read_acks(system_->folder() + "/acks");
  if (!acks) return tl::unexpected(acks.error());
  auto ledger = system_->ledgers();
  if (!ledger) return tl::unexpected(ledger.error());
  auto tables = system_->tables().read();
  if (!tables) return tl::unexpected(tables.error());
  return summarize({std::move(*acks), std::move(*ledger), std::move(*tables)}, counts, kill_,
                   names_);
}

void Demo::park_one() {
  const auto page = client_->list({.which = client::Which::kParked, .limit = 1});
  if (page && !page->orders.empty()) parked_ = page->orders.front().id.to_string();
  if (parked_.empty()) bar_.say("one more order, whose card no supplier has: it will be parked");
  for (int i = 0; i < kParkTries && parked_.empty() && !stop_; ++i) {
    const auto sent = client_->submit(
        {.pipeline = "digital", .payload = R"({"article":"A0","note":"discontinued"})"});
    if (!sent) return;
    // In slices, so that an interrupt is heard.
    const Steady until = steady_now() + kParkPatience;
    for (bool is_over = false; !is_over && !stop_ && steady_now() < until;) {
      const auto seen = client_->wait(sent->id, {.timeout = 500ms});
      is_over = seen && !seen->timed_out;
      if (is_over && seen->status == "parked") parked_ = sent->id.to_string();
    }
  }
}

std::string Demo::hints() const {
  const auto program = testing::find_program("ordo");
  const std::string folder =
      program ? std::filesystem::path(*program).parent_path().string() : "the folder of ordo";
  const Endpoints& at = system_->endpoints();
  std::string text = "The system stays up until ^C.";
  if (lookout_) {
    text += fmt::format(" Its page:\n\n  {}\n", lookout_->page());
    if (!lookout_->prometheus().empty()) {
      text += fmt::format("  {}   (Prometheus)\n", lookout_->prometheus());
    }
    text += "\n";
  }
  text += std::string(lookout_ ? "" : " ") + "Try in another terminal:\n\n";
  text += fmt::format("  export ORDO_ENDPOINT={} ORDO_HTTP={}\n", at.clients, at.http);
  text += fmt::format("  export PATH={}:$PATH\n", folder);
  text += "  ordo submit hello world --wait end\n";
  if (!parked_.empty()) {
    text += "  ordo ls --parked                  # orders that wait for a person\n";
    text += fmt::format("  ordo get {0}       # one of them, step by step\n", parked_);
    text += fmt::format("  ordo explain {0}   # why it does not move\n", parked_);
    text += fmt::format("  ordo skip {0} --why 'sent by hand'\n", parked_);
  }
  text += "  ordo queue ls; ordo worker ls     # lines, and who serves them\n";
  text += fmt::format("  curl {}/metrics\n", at.http);
  text += fmt::format("  kill -9 {:<26}# a worker: its tasks go to the others\n",
                      system_->worker(system_->workers() - 1).pid());
  text += fmt::format("  {} '{}' -c 'select * from ordo.order_view limit 5'\n", system_->psql(),
                      system_->dsn());
  return text;
}

}  // namespace ordo::demo
