#include "monitoring/probe/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ordo {
namespace {

using ::testing::HasSubstr;

const std::string kPipeline = "shop";
const std::string kStep = "pay";
const std::string kQueue = "pay_queue";

Fact fact(FactKind kind, std::string text = {}) {
  Fact made;
  made.kind = kind;
  made.pipeline = &kPipeline;
  made.step = &kStep;
  made.queue = &kQueue;
  made.took = Micros{2000};
  made.text = std::move(text);
  return made;
}

TEST(Probe, CountsAnOrdersLife) {
  MetricBook book;
  Probe probe(book);
  probe.observe(fact(FactKind::kOrderAccepted));
  auto ended = fact(FactKind::kOrderEnded);
  ended.status = OrderStatus::kCancelled;
  probe.observe(ended);
  probe.observe(fact(FactKind::kOrderRefused, "id_time"));
  probe.observe(fact(FactKind::kBusy, "inbox_full"));
  const std::string text = book.text();
  EXPECT_THAT(text, HasSubstr("ordo_orders_accepted_total{pipeline=\"shop\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("ordo_orders_ended_total{pipeline=\"shop\",status=\"cancelled\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("ordo_orders_ended_total{pipeline=\"shop\",status=\"succeeded\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("ordo_orders_refused_total{reason=\"id_time\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ordo_orders_busy_total{reason=\"inbox_full\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ordo_submit_seconds_bucket{le=\"0.0025\"} 1\n"));
}

TEST(Probe, CountsEveryWayAnAttemptEndsOnce) {
  MetricBook book;
  Probe probe(book);
  for (const char* word :
       {"succeeded", "transient", "permanent", "snooze", "unknown", "nonsense"}) {
    probe.observe(fact(FactKind::kTaskEnded, word));
  }
  for (const auto kind : {FactKind::kTaskTimedOut, FactKind::kLeaseLost, FactKind::kHandedBack,
                          FactKind::kTaskCancelled}) {
    probe.observe(fact(kind));
  }
  const std::string text = book.text();
  const std::string series = "ordo_tasks_ended_total{pipeline=\"shop\",step=\"pay\",outcome=\"";
  for (const char* word : {"succeeded", "transient", "permanent", "snooze", "timeout", "lost",
                           "handed_back", "cancelled"}) {
    EXPECT_THAT(text, HasSubstr(series + word + "\"} 1\n"));
  }
  EXPECT_THAT(text, HasSubstr(series + "unknown\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ordo_leases_lost_total 1\n"));
  EXPECT_THAT(text, HasSubstr("ordo_task_run_seconds_count{pipeline=\"shop\",step=\"pay\"} 6\n"));
}

TEST(Probe, MeasuresTheWaitOfAQueue) {
  MetricBook book;
  Probe probe(book);
  probe.observe(fact(FactKind::kTaskDispatched));
  auto paged = fact(FactKind::kPagedIn);
  paged.count = 500;
  probe.observe(paged);
  const std::string text = book.text();
  EXPECT_THAT(text, HasSubstr("ordo_task_wait_seconds_count{queue=\"pay_queue\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ordo_queue_paged_in_total{queue=\"pay_queue\"} 500\n"));
}

TEST(Probe, ShowsAShardThatWasLostAsClosed) {
  MetricBook book;
  Probe probe(book);
  Fact opened;
  opened.kind = FactKind::kShardOpened;
  opened.shard = 3;
  opened.count = 9;
  probe.observe(opened);
  EXPECT_THAT(book.text(), HasSubstr("ordo_shard_open{shard=\"3\"} 1\n"));
  EXPECT_THAT(book.text(), HasSubstr("ordo_shard_epoch{shard=\"3\"} 9\n"));
  opened.kind = FactKind::kShardLost;
  probe.observe(opened);
  EXPECT_THAT(book.text(), HasSubstr("ordo_shard_open{shard=\"3\"} 0\n"));
  EXPECT_THAT(book.text(), HasSubstr("ordo_shard_lost_total{shard=\"3\"} 1\n"));
}

TEST(Probe, ShowsZeroForAQueueThatIsGone) {
  MetricBook book;
  Probe probe(book);
  wire::QueueView view;
  view.queue = "q";
  view.ready = 5;
  view.oldest_ms = 1500;
  probe.queues({view});
  EXPECT_THAT(book.text(), HasSubstr("ordo_queue_ready{queue=\"q\"} 5\n"));
  EXPECT_THAT(book.text(), HasSubstr("ordo_queue_oldest_age_seconds{queue=\"q\"} 1.5\n"));
  probe.queues({});
  EXPECT_THAT(book.text(), HasSubstr("ordo_queue_ready{queue=\"q\"} 0\n"));
}

TEST(Probe, TakesEveryKindOfFact) {
  MetricBook book;
  Probe probe(book);
  for (std::size_t i = 0; i < kFactWords.size(); ++i) {
    Fact bare;
    bare.kind = static_cast<FactKind>(i);
    probe.observe(bare);
  }
}

TEST(Probe, ShowsZeroForWhatMayCome) {
  MetricBook book;
  Probe probe(book);
  probe.expect({0, 7});
  probe.observe(fact(FactKind::kPipelineKnown));
  const std::string text = book.text();
  for (const char* line :
       {"ordo_shard_open{shard=\"7\"} 0\n", "ordo_shard_lost_total{shard=\"7\"} 0\n",
        "ordo_orders_refused_total{reason=\"id_time\"} 0\n",
        "ordo_orders_busy_total{reason=\"inbox_full\"} 0\n",
        "ordo_orders_accepted_total{pipeline=\"shop\"} 0\n",
        "ordo_tasks_ended_total{pipeline=\"shop\",step=\"pay\",outcome=\"succeeded\"} 0\n",
        "ordo_tasks_parked_total{pipeline=\"shop\",step=\"pay\",reason=\"exhausted\"} 0\n",
        "ordo_waits_given_up_total 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  probe.observe(fact(FactKind::kWaitGivenUp));
  EXPECT_THAT(book.text(), HasSubstr("ordo_waits_given_up_total 1\n"));
}

}  // namespace
}  // namespace ordo
