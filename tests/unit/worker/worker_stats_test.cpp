// What a worker tells about itself: its numbers, its pages, whether it is alive and ready.
#include <gtest/gtest.h>

#include <future>
#include <numeric>
#include <stdexcept>

#include "base/http_get.hpp"
#include "ordo/worker.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/worker/fake_broker.hpp"
#include "worker/app/families.hpp"

namespace ordo {
namespace {

using namespace std::chrono_literals;
using testing::wait_until;
using worker::FakeBroker;

wire::Offer offer_of(std::uint64_t number, const std::string& handler) {
  wire::Offer offer;
  offer.key.order = OrderId::make(1'700'000'000'000, 0, number);
  offer.fence = {1, 1, 1};
  offer.pipeline = "test";
  offer.step = offer.handler = offer.queue = handler;
  offer.timeout_ms = 30'000;
  return offer;
}

WorkerOptions options_for(const std::string& endpoint) {
  WorkerOptions options;
  options.brokers = {endpoint};
  options.slots = 2;
  options.take_ahead = 8;
  options.listen_http = "127.0.0.1:0";
  return options;
}

int status_of(const Worker& worker, const std::string& path) {
  const auto reply = http_get(worker.http_endpoint() + path);
  return reply ? reply->status : 0;
}

/// The value of a series as it is written; empty where there is none.
std::string value_of(const std::string& text, const std::string& series) {
  const auto at = ("\n" + text).find("\n" + series + " ");
  if (at == std::string::npos) return "";
  const auto from = at + series.size() + 1;
  return text.substr(from, text.find('\n', from) - from);
}

TEST(WorkerStats, CountsByHandlerAndOutcome) {
  FakeBroker broker;
  Worker worker(options_for(broker.endpoint()));
  worker.on("good", [](Task&) { return succeeded(); });
  worker.on("moody", [](Task& task) {
    if (task.payload() == "throw") throw std::runtime_error("no");
    if (task.payload() == "later") return snooze(5ms);
    if (task.payload() == "perhaps") return unknown("cut off");
    return permanent("never", "no");
  });
  ASSERT_TRUE(worker.start());
  std::vector<wire::Offer> offers{offer_of(1, "good"),  offer_of(2, "good"),  offer_of(3, "moody"),
                                  offer_of(4, "moody"), offer_of(5, "moody"), offer_of(6, "who"),
                                  offer_of(7, "moody")};
  offers[2].payload = "throw";
  offers[3].payload = "later";
  offers[6].payload = "perhaps";
  broker.offer(offers);
  broker.offer({offers[0]});
  EXPECT_TRUE(wait_until(10s, [&] {
    const auto stats = worker.stats();
    return stats.recorded == 7 && stats.offers_repeated == 1;
  }));
  const WorkerStats stats = worker.stats();
  ASSERT_EQ(stats.handlers.size(), 3U);
  EXPECT_EQ(stats.handlers[0].handler, "good");
  EXPECT_EQ(stats.handlers[0].succeeded, 2U);
  const HandlerStats& moody = stats.handlers[1];
  EXPECT_EQ(moody.transient, 1U);
  EXPECT_EQ(moody.permanent, 1U);
  EXPECT_EQ(moody.snoozed, 1U);
  EXPECT_EQ(moody.unknown, 1U);
  EXPECT_EQ(std::accumulate(moody.took.begin(), moody.took.end(), std::uint64_t{0}), 4U);
  EXPECT_EQ(stats.handlers[2].handler, "unknown");
  EXPECT_EQ(stats.handlers[2].transient, 1U);
  EXPECT_EQ(stats.ended, 7U);
  EXPECT_EQ(stats.offered, 7U);
  EXPECT_EQ(stats.slots, 2U);
  EXPECT_EQ(stats.hellos, 1U);
  EXPECT_EQ(stats.welcomes, 1U);
  EXPECT_TRUE(wait_until(10s, [&] { return worker.stats().beats > 0; }));
}

TEST(WorkerStats, ShowSlotsInUseAndWhatIsTakenAhead) {
  FakeBroker broker;
  broker.set_records(false);
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  Worker worker(options_for(broker.endpoint()));
  worker.on("work", [&](Task&) {
    opened.wait();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  std::vector<wire::Offer> offers;
  for (std::uint64_t i = 1; i <= 5; ++i) offers.push_back(offer_of(i, "work"));
  broker.offer(offers);
  EXPECT_TRUE(wait_until(10s, [&] {
    const auto stats = worker.stats();
    return stats.slots_used == 2 && stats.ahead == 3;
  }));
  gate.set_value();
  EXPECT_TRUE(wait_until(10s, [&] {
    const auto stats = worker.stats();
    return stats.slots_used == 0 && stats.ahead == 0 && stats.results_waiting == 5;
  }));
  EXPECT_EQ(worker.stats().handlers[1].handler, "work");
  broker.set_records(true);
}

TEST(WorkerStats, AreServedWithEveryFamilyAndKnownLabelFromTheStart) {
  Worker worker(options_for("tcp://127.0.0.1:1"));
  worker.options().more_metrics = [] { return std::string("mine 1\n"); };
  worker.on("work", [](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  const auto reply = http_get(worker.http_endpoint() + "/metrics");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->type, "text/plain; version=0.0.4; charset=utf-8");
  for (const ListedMetric& row : metrics::kWorkerAll) {
    EXPECT_NE(reply->body.find("# TYPE " + std::string(row.family->name) + " "), std::string::npos)
        << row.family->name;
  }
  for (const std::string outcome : {"succeeded", "transient", "permanent", "snooze", "unknown"}) {
    EXPECT_EQ(value_of(reply->body,
                       "ordo_worker_attempts_total{handler=\"work\",outcome=\"" + outcome + "\"}"),
              "0");
  }
  EXPECT_EQ(
      value_of(reply->body, "ordo_worker_handler_seconds_bucket{handler=\"work\",le=\"86400\"}"),
      "0");
  EXPECT_EQ(value_of(reply->body, "ordo_worker_brokers"), "1");
  EXPECT_TRUE(reply->body.ends_with("\nmine 1\n"));
  EXPECT_EQ(value_of(reply->body, "ordo_worker_brokers_up"), "0");
}

TEST(WorkerStats, ReadyIsKnownToABrokerAndNotDraining) {
  std::optional<FakeBroker> broker(std::in_place);
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  Worker worker(options_for(broker->endpoint()));
  worker.on("work", [&](Task&) {
    opened.wait();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  EXPECT_TRUE(wait_until(10s, [&] { return status_of(worker, "/readyz") == 200; }));
  broker->stop();
  EXPECT_TRUE(wait_until(10s, [&] { return status_of(worker, "/readyz") == 503; }));
  EXPECT_EQ(status_of(worker, "/livez"), 200) << "a broker that is away is no reason to restart";
  broker->restart();
  EXPECT_TRUE(wait_until(10s, [&] { return status_of(worker, "/readyz") == 200; }));
  broker->offer({offer_of(1, "work")});
  EXPECT_TRUE(wait_until(10s, [&] { return worker.stats().slots_used == 1; }));
  worker.stop();
  EXPECT_TRUE(wait_until(10s, [&] { return status_of(worker, "/readyz") == 503; }));
  const auto reply = http_get(worker.http_endpoint() + "/readyz");
  EXPECT_NE(reply->body.find("\"status\":\"draining\""), std::string::npos) << reply->body;
  gate.set_value();
  EXPECT_EQ(worker.wait(), 0);
}

TEST(WorkerStats, AliveIsTheLoopAndNotTheOneThatAnswers) {
  FakeBroker broker;
  std::promise<void> gate;
  const auto opened = gate.get_future().share();
  auto options = options_for(broker.endpoint());
  // Called on the worker's own thread: it stands still in there.
  options.on_log = [&](std::string_view line) {
    if (line.find("welcomed") != line.npos) opened.wait();
  };
  Worker worker(options);
  worker.on("work", [](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  EXPECT_EQ(status_of(worker, "/livez"), 200);
  EXPECT_TRUE(wait_until(20s, [&] { return status_of(worker, "/livez") == 503; }));
  EXPECT_EQ(status_of(worker, "/readyz"), 503);
  gate.set_value();
  EXPECT_TRUE(wait_until(10s, [&] { return status_of(worker, "/livez") == 200; }));
}

TEST(WorkerStats, AreNotServedUnlessAskedForNorToOthers) {
  Worker quiet;
  quiet.on("work", [](Task&) { return succeeded(); });
  ASSERT_TRUE(quiet.start());
  EXPECT_EQ(quiet.http_endpoint(), "");
  const auto refused = [](const std::string& where) {
    auto options = options_for("127.0.0.1:1");
    options.listen_http = where;
    Worker worker(options);
    worker.on("work", [](Task&) { return succeeded(); });
    const auto started = worker.start();
    return started ? std::string() : started.error().message;
  };
  EXPECT_EQ(refused("0.0.0.0:0"),
            "refusing to serve HTTP on 0.0.0.0:0 without encryption: listen on 127.0.0.1, or give "
            "--open-http (ORDO_OPEN_HTTP=1) where whoever reaches it may read metrics and health");
  EXPECT_NE(refused("nowhere").find("listen_http (--listen-http, ORDO_LISTEN_HTTP): "),
            std::string::npos);
  auto options = options_for("127.0.0.1:1");
  options.listen_http = "0.0.0.0:0";
  options.open_http = true;
  Worker open(options);
  open.on("work", [](Task&) { return succeeded(); });
  EXPECT_TRUE(open.start());
}

}  // namespace
}  // namespace ordo
