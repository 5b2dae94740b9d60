#include "tests/integration/doctor/patient.hpp"

#include <algorithm>

#include "broker/store/postgres_store.hpp"

namespace ordo::testing {

const char* const kOnePipeline =
    "pipeline: one\nversion: 1\nsteps:\n  work: { timeout: 60s, retry: { attempts: 2, first: 10ms "
    "} }\n";
const char* const kDiamondPipeline = R"(
pipeline: diamond
version: 1
steps:
  first: { timeout: 60s }
  left:  { after: first, timeout: 60s }
  right: { after: first, timeout: 60s }
  last:  { after: [left, right], timeout: 60s }
)";

const char* const kTripPipeline =
    "pipeline: trip\nversion: 1\nsteps:\n  book: { compensate: unbook }\n"
    "  pay: { after: book, compensate: refund }\n  fly: { after: pay }\n";

const char* const kParcelsPipeline =
    "pipeline: parcels\nversion: 1\nsteps:\n  pack: { each: parcels, compensate: unpack }\n"
    "  label: { after: pack, each: parcels, compensate: unlabel }\n  fly: { after: label }\n";

namespace {

using std::chrono_literals::operator""h;

struct RealRun {
  ShardDatabase database{2};
  std::map<std::string, OrderId> orders;
};

RealRun& the_run() {
  static RealRun run;
  return run;
}

client::Client connect(const BrokerProcess& broker) {
  return client::Client(client::Options{.endpoints = {broker.endpoints().clients}});
}

OrderId submit(client::Client& client, client::Order order) {
  const auto receipt = client.submit(std::move(order));
  EXPECT_TRUE(receipt) << receipt.error().message;
  return receipt ? receipt->id : OrderId{};
}

/// Orders that end while all steps are served.
void run_to_their_ends(client::Client& client, const BrokerProcess& broker) {
  auto& orders = the_run().orders;
  const auto worker = start_worker(broker, kAllSteps);
  orders["finished"] = submit(client, {.pipeline = "one", .payload = "ok"});
  orders["failed"] = submit(client, {.pipeline = "one", .payload = "no"});
  orders["parked"] = submit(client, {.pipeline = "one", .payload = "never"});
  std::vector<OrderId> ids{orders["finished"], orders["failed"], orders["parked"]};
  for (int i = 0; i < 30; ++i) {
    ids.push_back(submit(client, {.pipeline = "diamond", .payload = "ok"}));
  }
  for (const OrderId& id : ids) {
    const auto ended = client.wait(id, {.timeout = 30s});
    EXPECT_TRUE(ended && !ended->timed_out);
  }
}

void leave_open(client::Client& client, const BrokerProcess& broker, ShardDatabase& database) {
  auto& orders = the_run().orders;
  orders["cancelled"] = submit(client, {.pipeline = "one", .payload = "ok"});
  EXPECT_TRUE(client.cancel(orders["cancelled"], {.who = "test", .why = "it is enough"}));
  orders["delayed"] =
      submit(client, {.pipeline = "one", .payload = "ok", .delay = 1h, .deadline = 2h});
  const auto worker = start_worker(broker, {"first", "book", "pay", "fly", "pack", "label"});
  orders["half"] = submit(client, {.pipeline = "diamond", .payload = "ok"});
  orders["undoing"] = submit(client, {.pipeline = "trip", .payload = "grounded"});
  orders["parcels"] =
      submit(client,
             {.pipeline = "parcels", .payload = "grounded", .context = R"({"parcels":["a","b"]})"});
  const auto has_rows = [&](const std::string& name, const std::string& kind, const char* count) {
    const OrderId& id = orders[name];
    return database.value("select count(*) from task where order_id = '" + id.to_string() +
                              "' and kind = " + kind,
                          static_cast<ShardNumber>(id.shard())) == count;
  };
  EXPECT_TRUE(wait_until(30s, [&] { return has_rows("half", "0", "2"); }));
  EXPECT_TRUE(wait_until(30s, [&] { return has_rows("undoing", "1", "1"); }));
  EXPECT_TRUE(wait_until(30s, [&] { return has_rows("parcels", "1", "2"); }));
}

}  // namespace

std::unique_ptr<Worker> start_worker(const BrokerProcess& broker,
                                     const std::vector<std::string>& steps) {
  auto worker = std::make_unique<Worker>(
      WorkerOptions{.brokers = {broker.endpoints().workers}, .name = "w", .slots = 8});
  for (const auto& step : steps) {
    worker->on(step, [](Task& task) {
      if (task.payload() == "no") return permanent("it says no", "refused");
      if (task.payload() == "grounded" && task.step() == "fly") return permanent("fog", "weather");
      if (task.payload() == "never") return transient("it is away");
      return succeeded(task.step() + " done");
    });
  }
  const auto started = worker->start();
  EXPECT_TRUE(started) << started.error().message;
  return worker;
}

void Patient::SetUpTestSuite() {
  RealRun& run = the_run();
  if (!run.orders.empty()) return;
  BrokerProcess broker(run.database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  auto client = connect(broker);
  for (const char* text : {kOnePipeline, kDiamondPipeline, kTripPipeline, kParcelsPipeline}) {
    const auto stored = client.put_pipeline(text);
    ASSERT_TRUE(stored) << stored.error().message;
  }
  run_to_their_ends(client, broker);
  leave_open(client, broker, run.database);
  run.orders["ready"] = submit(client, {.pipeline = "diamond", .payload = "ok"});
  EXPECT_EQ(broker.process().stop(), 0) << broker.log();
}

Patient::Patient() : database(the_run().database.copy()) {
  spec.dsns = {{0, database->dsn()}, {1, database->dsn()}};
}

const OrderId& Patient::order(const std::string& name) { return the_run().orders.at(name); }

std::set<std::string>& Patient::planted() {
  static std::set<std::string> words;
  return words;
}

void Patient::damage(const std::string& name, std::string sql) {
  const OrderId& id = order(name);
  const std::string text = "'" + id.to_string() + "'";
  for (auto at = sql.find("ID"); at != std::string::npos; at = sql.find("ID", at)) {
    sql.replace(at, 2, text);
    at += text.size();
  }
  database->run(sql, static_cast<ShardNumber>(id.shard()));
}

doctor::Report Patient::examine() {
  auto report = doctor::examine(spec);
  EXPECT_TRUE(report) << report.error().message;
  return report ? *std::move(report) : doctor::Report{};
}

std::vector<std::string> Patient::words() {
  std::vector<std::string> all;
  for (const auto& finding : examine().findings) {
    if (finding.kind.word == doctor::kOwnerGone.word) continue;
    all.emplace_back(finding.kind.word);
    EXPECT_FALSE(finding.sentence.empty());
    EXPECT_NE(finding.repair.statements.empty(), finding.repair.by_hand.empty()) << all.back();
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<doctor::Finding> Patient::found(const std::string& word) {
  auto report = examine();
  std::erase_if(report.findings, [&](const auto& one) { return one.kind.word != word; });
  return report.findings;
}

void Patient::expect(const std::vector<std::string>& expected) {
  EXPECT_EQ(words(), expected);
  planted().insert(expected.begin(), expected.end());
}

void Patient::expect_by_hand(const std::vector<std::string>& expected) {
  expect(expected);
  EXPECT_TRUE(doctor::repair(spec, examine().findings, {.who = "t", .why = "it's broken"}).empty());
}

void Patient::expect_repaired(const std::vector<std::string>& expected) {
  expect(expected);
  const auto report = examine();
  const auto outcomes = doctor::repair(spec, report.findings, {.who = "t", .why = "it's broken"});
  EXPECT_EQ(outcomes.size(), expected.size());
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.why_not, "");
  EXPECT_EQ(words(), std::vector<std::string>{});
}

std::string Patient::end_after_restart(const std::string& name) {
  BrokerProcess broker(database->dsn());
  EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
  const auto worker = start_worker(broker, kAllSteps);
  auto client = connect(broker);
  const auto ended = client.wait(order(name), {.timeout = 30s});
  if (!ended) return ended.error().message;
  return ended->timed_out ? "timed out" : ended->status;
}

}  // namespace ordo::testing
