#include "examples/demo/demo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <thread>

#include "base/clock.hpp"
#include "base/usual_ports.hpp"
#include "examples/demo/pipeline_files.hpp"
#include "schema/pipeline.hpp"
#include "tests/support/wait.hpp"

namespace ordo::demo {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDefaultOrders = 2000;
// Between two looks at the tables: a psql each time.
constexpr auto kLookEvery = 500ms;
// Longer than the slowest retry of the pipelines: without any order ending for this long, none
// will.
constexpr auto kStuck = 180s;

// An order that is to park may be declined before it gets there (risk, card: one in fourteen).
constexpr int kParkTries = 5;
// Eight attempts with waits of up to 13 s between them, on a busy machine.
constexpr auto kParkPatience = 60s;
// Meals of one coin there are, of a hundred orders: some hear that it is sold out.
constexpr double kMealsPerOrder = 0.1;
/// Started by the shop itself: no client has an answer about those.
constexpr std::array kOwnPipelines{"refund", "restore"};

}  // namespace

Demo::Demo(DemoOptions options, const std::atomic<bool>& stop)
    : options_(std::move(options)), stop_(stop) {}

Result<void> Demo::go_on() const {
  if (stop_) return fail(Code::kUnavailable, "interrupted", "interrupted");
  return {};
}

Result<Summary> Demo::run() {
  started_ = steady_now();
  auto source = open_source();
  if (!source) return tl::unexpected(source.error());
  if (auto done = start_system(); !done) return tl::unexpected(done.error());
  if (auto done = apply_pipelines(); !done) return tl::unexpected(done.error());
  if (auto done = street_->stock_up(
          "quota", "set-meal",
          1 + static_cast<std::size_t>(kMealsPerOrder * static_cast<double>(source->size())));
      !done) {
    return tl::unexpected(done.error());
  }
  auto log = AckLog::open(system_->folder() + "/acks");
  if (!log) return tl::unexpected(log.error());
  acks_ = std::move(*log);
  clerk_.emplace(*client_, *acks_);
  trouble_.emplace(*system_, *street_, [this](const std::string& line) { bar_.say(line); });
  bar_.say(fmt::format(
      "submitting {} orders, {} a second; {} workers; a minute of people takes {:.1f} s",
      source->size(), options_.rate > 0 ? fmt::format("{:.0f}", options_.rate) : "as many as fit",
      options_.workers, 60 / options_.speed));
  Submitter submitter(*client_, *acks_,
                      {.rate = options_.rate,
                       .seed = options_.seed,
                       .before = [this](const std::vector<client::Order>& orders) {
                         street_->pay(orders);
                         clerk_->notice(orders);
                       }});
  if (auto done = submit(*source, submitter); !done) return tl::unexpected(done.error());
  if (auto done = clerk_->close(); !done) return tl::unexpected(done.error());
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
  if (auto opened = open_street(); !opened) return opened;
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

Result<void> Demo::open_street() {
  const Endpoints& at = system_->endpoints();
  auto street = Street::open({.folder = system_->folder(),
                              .clients = {at.clients},
                              .workers = {at.workers},
                              .executor_config = examples_folder("shop") + "/executor.yaml",
                              .time_scale = options_.time_scale,
                              .speed = options_.speed,
                              .seed = options_.seed});
  if (!street) return tl::unexpected(street.error());
  street_.emplace(std::move(*street));
  std::vector<std::string> flags{"--services", street_->url(), "--endpoint", at.clients};
  for (const std::string& step : executor_steps()) {
    flags.insert(flags.end(), {"--leave", step});
  }
  system_->set_worker_flags(std::move(flags));
  return {};
}

void Demo::stop() {
  lookout_.reset();
  if (street_) street_->stop();
  system_.reset();
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
  auto texts = shop_pipelines(options_.speed);
  if (!texts) return tl::unexpected(texts.error());
  for (const std::string& path : options_.pipelines) {
    auto text = read_pipeline(path);
    if (!text) return tl::unexpected(text.error());
    texts->push_back(*std::move(text));
  }
  for (const std::string& text : *texts) {
    if (auto done = apply(text); !done) return done;
  }
  return {};
}

Result<void> Demo::apply(const std::string& text) {
  if (auto stored = client_->put_pipeline(text); !stored) return tl::unexpected(stored.error());
  const auto pipeline = parse_pipeline(text);
  if (pipeline) names_[std::to_string(pipeline->id)] = pipeline->name;
  return {};
}

Result<void> Demo::submit(OrderSource& source, Submitter& submitter) {
  for (;;) {
    const auto more = submitter.step(source);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return {};
    if (auto well = go_on(); !well) return well;
    const SubmitCounts& counts = submitter.counts();
    if (auto done = trouble_->step(counts.tried, source.size(), options_.rate); !done) return done;
    if (auto done = clerk_->step(); !done) return done;
    if (steady_now() - looked_ < kLookEvery) continue;
    if (auto done = look(counts.acked, source.size()); !done) return done;
  }
}

Result<void> Demo::look(std::size_t acked, std::size_t total) {
  looked_ = steady_now();
  const auto standing = system_->tables().standing();
  if (!standing) return tl::unexpected(standing.error());
  if (standing->moving != standing_.moving || standing->waiting != standing_.waiting) {
    moved_ = looked_;
  }
  standing_ = *standing;
  bar_.show(acked, standing_.orders - standing_.moving - standing_.waiting, total);
  return {};
}

/// Nothing moves, nobody will be told anything more, and no money is left over.
Result<bool> Demo::is_settled() {
  if (standing_.moving > 0) return false;
  const auto to_come = street_->callbacks_to_come();
  if (!to_come) return tl::unexpected(to_come.error());
  const bool is_late = steady_now() - started_ > options_.patience;
  if (*to_come + standing_.waiting > 0 && !is_late) return false;
  const auto goes_on = clerk_->reconcile();
  if (!goes_on) return tl::unexpected(goes_on.error());
  return !*goes_on;
}

Result<void> Demo::settle(const SubmitCounts& counts, std::size_t total) {
  moved_ = steady_now();
  for (;;) {
    if (auto well = go_on(); !well) return well;
    if (auto done = look(counts.acked, total); !done) return done;
    if (auto done = clerk_->look_on(); !done) return done;
    const auto settled = is_settled();
    if (!settled) return tl::unexpected(settled.error());
    if (*settled) return {};
    if (steady_now() - moved_ > kStuck) {
      return fail(Code::kUnavailable, "timed_out",
                  fmt::format("{} orders have not ended and do not move", standing_.moving));
    }
    testing::wait_until(kLookEvery, [&] { return stop_.load(); });
  }
}

Result<Summary> Demo::judge(const SubmitCounts& counts) {
  Records records;
  auto acks = read_acks(system_->folder() + "/acks");
  if (!acks) return tl::unexpected(acks.error());
  auto ledger = system_->ledgers();
  if (!ledger) return tl::unexpected(ledger.error());
  auto tables = system_->tables().read();
  if (!tables) return tl::unexpected(tables.error());
  for (const auto& [id, name] : names_) {
    const bool is_own =
        std::find(kOwnPipelines.begin(), kOwnPipelines.end(), name) != kOwnPipelines.end();
    if (is_own) tables->own.insert(id);
  }
  tables->unlogged = {executor_steps().begin(), executor_steps().end()};
  auto audited = audit(*system_, *street_, *client_, *tables);
  if (!audited) return tl::unexpected(audited.error());
  Summary summary = summarize({std::move(*acks), std::move(*ledger), std::move(*tables)}, counts,
                              trouble_->kills(), names_);
  summary.audit = *std::move(audited);
  summary.outage_s = trouble_->outage_s();
  return summary;
}

void Demo::park_one() {
  const auto page = client_->list({.which = client::Which::kParked, .limit = 1});
  if (page && !page->orders.empty()) parked_ = page->orders.front().id.to_string();
  if (parked_.empty()) bar_.say("one more order, whose card no supplier has: it will be parked");
  for (int i = 0; i < kParkTries && parked_.empty() && !stop_; ++i) {
    client::Order order{.pipeline = "digital",
                        .payload = R"({"sku":"A0","cents":100,"note":"discontinued"})"};
    order.context = R"({"sku":"A0"})";
    const auto id = client_->draw_id();
    if (!id) return;
    order.id = *id;
    const auto sent = client_->submit(std::move(order));
    if (!sent) return;
    // Not by a customer, who may think about it.
    (void)client_->signal({.id = *id, .name = "paid", .payload = "{}", .who = "demo"});
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
  text += fmt::format(
      "  curl {}/fault -d '{{\"service\":\"supplier\",\"mode\":\"down\",\"for_ms\":30000}}'   # "
      "watch its breaker\n",
      street_->url());
  text += fmt::format("  curl {}/metrics\n", at.http);
  text += fmt::format("  kill -9 {:<26}# a worker: its tasks go to the others\n",
                      system_->worker(system_->workers() - 1).pid());
  text += fmt::format("  {} '{}' -c 'select * from ordo.order_view limit 5'\n", system_->psql(),
                      system_->dsn());
  return text;
}

}  // namespace ordo::demo
