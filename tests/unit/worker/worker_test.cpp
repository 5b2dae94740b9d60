// The SDK as a whole, over real sockets, against a broker played by the test.
#include "ordo/worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <stdexcept>

#include "base/bounded_queue.hpp"
#include "tests/unit/worker/fake_broker.hpp"
#include "worker/app/options_check.hpp"

namespace ordo {
namespace {

using std::chrono::milliseconds;
using worker::FakeBroker;

wire::Offer offer_of(std::uint64_t number, const std::string& handler = "work") {
  wire::Offer offer;
  offer.key.order = OrderId::make(1'700'000'000'000, 0, number);
  offer.fence = {1, 1, 1};
  offer.pipeline = "test";
  offer.step = offer.handler = offer.queue = handler;
  offer.timeout_ms = 30'000;
  return offer;
}

WorkerOptions options_for(const FakeBroker& broker, std::uint32_t slots = 2) {
  WorkerOptions options;
  options.brokers = {broker.endpoint()};
  options.name = "tester";
  options.slots = slots;
  options.drain_timeout = milliseconds(5'000);
  return options;
}

const wire::TaskResult* result_of(const FakeBroker::Seen& seen, const wire::Offer& offer) {
  const auto found = std::find_if(seen.results.begin(), seen.results.end(),
                                  [&](const auto& result) { return result.key == offer.key; });
  return found == seen.results.end() ? nullptr : &*found;
}

TEST(Worker, RunsWhatItIsOfferedAndDrains) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  worker.on("work", [](Task& task) { return succeeded("got " + std::string(task.payload())); });
  ASSERT_TRUE(worker.start());
  wire::Offer offer = offer_of(1);
  offer.payload = "this";
  broker.offer({offer});
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return !seen.results.empty(); }));
  EXPECT_EQ(broker.seen().results[0].result, "got this");
  ASSERT_EQ(broker.seen().hellos.size(), 1U);
  EXPECT_EQ(broker.seen().hellos[0].queues, std::vector<std::string>{"work"});
  EXPECT_EQ(broker.seen().hellos[0].slots, 2U) << "nothing is taken ahead unless it is asked for";
  worker.stop();
  EXPECT_EQ(worker.wait(), 0);
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return seen.goodbyes.size() == 1; }));
  EXPECT_EQ(worker.stats().succeeded, 1U);
  EXPECT_EQ(worker.stats().recorded, 1U);
}

TEST(Worker, LogsFailedAttemptsAndWhatHandlersSay) {
  FakeBroker broker;
  WorkerOptions options = options_for(broker);
  BoundedQueue<std::string> lines{1000};
  options.log_format = LogFormat::kJson;
  options.log_level = LogLevel::kWarn;
  options.on_log = [&](std::string_view line) { EXPECT_TRUE(lines.push(std::string(line))); };
  Worker worker(options);
  worker.on("work", [](Task& task) {
    task.log(LogLevel::kInfo, "below the level");
    if (task.payload() == "good") return succeeded();
    task.log(LogLevel::kError, "the bank says \"no\"");
    return permanent("refused\n{}", "card");
  });
  ASSERT_TRUE(worker.start());
  std::vector<wire::Offer> offers;
  for (std::uint64_t number = 1; number <= 30; ++number) {
    offers.push_back(offer_of(number));
    offers.back().payload = number == 1 ? "good" : "bad";
    offers.back().traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  }
  for (const auto& offer : offers) {
    broker.offer({offer});
    ASSERT_TRUE(
        broker.wait_for([&](const auto& seen) { return result_of(seen, offer) != nullptr; }));
  }
  worker.stop();
  EXPECT_EQ(worker.wait(), 0);
  int said = 0, failed = 0;
  for (const std::string& line : lines.take_all(std::chrono::microseconds{0})) {
    said += line.find(R"("level":"error","message":"the bank says \"no\"","order":")") != line.npos;
    if (line.find(R"("message":"attempt failed")") == line.npos) continue;
    ++failed;
    EXPECT_NE(line.find(R"("pipeline":"test","step":"work","attempt":1,"trace_id":"4bf9)"),
              line.npos);
    EXPECT_NE(line.find(R"("outcome":"permanent","reason":"card","error":"refused\n{}")"),
              line.npos);
    EXPECT_NE(line.find(R"("worker":"tester"})"), line.npos) << line;
  }
  EXPECT_EQ(said, 29) << "a handler's own words are its own business";
  EXPECT_GE(failed, 10);
  EXPECT_LT(failed, 29) << "ten a second of a kind";
}

TEST(Worker, ReachesABrokerOnIpv6) {
  std::optional<FakeBroker> broker;
  try {
    broker.emplace("tcp://[::1]:*");
  } catch (const zmq::error_t& error) {
    GTEST_SKIP() << "this machine has no ::1: " << error.what();
  }
  Worker worker(options_for(*broker));
  worker.on("work", [](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  EXPECT_TRUE(broker->wait_for([](const auto& seen) { return seen.hellos.size() == 1; }));
}

TEST(Worker, GivesHandlersEverythingAboutTheirTask) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  std::promise<void> checked;
  worker.on(
      "charge",
      [&](Task& task) {
        EXPECT_EQ(task.order(), offer_of(1).key.order);
        EXPECT_EQ(task.pipeline(), "digital");
        EXPECT_EQ(task.step(), "payment");
        EXPECT_EQ(task.attempt(), 3U);
        EXPECT_TRUE(task.is_maybe());
        EXPECT_FALSE(task.is_compensation());
        EXPECT_EQ(task.effect_key(), task.order().to_string() + "/payment/2/forward");
        EXPECT_EQ(task.payload_as<int>([](std::string_view text) { return text.size(); }), 5);
        EXPECT_EQ(task.context_string("who"), "J\"o\n");
        EXPECT_EQ(task.context_number("sum"), 12.5);
        EXPECT_EQ(task.context_bool("paid"), false);
        EXPECT_EQ(task.context_json("list"), "[1,2]");
        EXPECT_FALSE(task.context_number("who"));
        EXPECT_FALSE(task.context_string("absent"));
        EXPECT_EQ(task.result("reserve"), "code 7");
        EXPECT_FALSE(task.result("reserve", 1));
        EXPECT_GT(task.time_left(), milliseconds(20'000));
        EXPECT_LE(task.order_time_left().value(), milliseconds(60'000));
        EXPECT_FALSE(task.is_cancelled());
        checked.set_value();
        return succeeded("", R"({"paid":true})");
      },
      "money");
  ASSERT_TRUE(worker.start());
  wire::Offer offer = offer_of(1, "charge");
  offer.pipeline = "digital";
  offer.step = "payment";
  offer.queue = "money";
  offer.key.branch = 2;
  offer.fence.attempt = 3;
  offer.maybe = true;
  offer.deadline_ms = 60'000;
  offer.payload = "hello";
  offer.context = R"({"who":"J\"o\n","sum":12.5,"paid":false,"list":[1,2]})";
  offer.results.push_back({"reserve", 0, "code 7"});
  broker.offer({offer});
  ASSERT_EQ(checked.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return !seen.results.empty(); }));
  EXPECT_EQ(broker.seen().results[0].context, R"({"paid":true})");
  EXPECT_EQ(broker.seen().hellos[0].queues, std::vector<std::string>{"money"});
}

TEST(Worker, TurnsEveryWayToEndIntoAnOutcome) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  worker.on("throws", [](Task&) -> TaskOutcome { throw std::runtime_error("no ink"); });
  worker.on("throws_int", [](Task&) -> TaskOutcome { throw 7; });
  worker.on("waits", [](Task&) { return transient("later", milliseconds(70)); });
  worker.on("never", [](Task&) { return permanent("declined", "card_declined"); });
  worker.on("sleeps", [](Task&) { return snooze(milliseconds(5'000)); });
  worker.on("wonders", [](Task&) { return unknown("cut off", milliseconds(90)); });
  worker.on("boasts", [](Task&) { return succeeded(std::string(limits::kResultBytes + 1, 'x')); });
  worker.on("babbles", [](Task&) { return succeeded("", "not json"); });
  ASSERT_TRUE(worker.start());
  const std::vector<std::string> names{"throws",  "throws_int", "waits",   "never",  "sleeps",
                                       "wonders", "boasts",     "babbles", "missing"};
  std::vector<wire::Offer> offers;
  for (std::size_t i = 0; i < names.size(); ++i) offers.push_back(offer_of(i, names[i]));
  broker.offer(offers);
  ASSERT_TRUE(
      broker.wait_for([&](const auto& seen) { return seen.results.size() == names.size(); }));
  const auto seen = broker.seen();
  const auto at = [&](std::size_t i) { return *result_of(seen, offers[i]); };
  constexpr auto kTransient = static_cast<std::uint8_t>(Outcome::kTransient);
  EXPECT_EQ(at(0).outcome, kTransient);
  EXPECT_EQ(at(0).error, "no ink");
  EXPECT_EQ(at(1).outcome, kTransient);
  EXPECT_EQ(at(2).delay_ms, 70U);
  EXPECT_EQ(at(3).outcome, static_cast<std::uint8_t>(Outcome::kPermanent));
  EXPECT_EQ(at(3).reason, "card_declined");
  EXPECT_EQ(at(4).outcome, static_cast<std::uint8_t>(Outcome::kSnooze));
  EXPECT_EQ(at(4).delay_ms, 5'000U);
  EXPECT_EQ(at(5).outcome, static_cast<std::uint8_t>(Outcome::kUnknown));
  EXPECT_EQ(at(5).error, "cut off");
  EXPECT_EQ(at(5).delay_ms, 90U);
  for (std::size_t i = 6; i < names.size(); ++i) EXPECT_EQ(at(i).outcome, kTransient) << names[i];
}

TEST(Worker, CallsHooksAroundEveryHandler) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  std::atomic<int> before{0};
  std::atomic<int> failed{0};
  worker.before([&](Task&) { ++before; });
  worker.after([&](const Task& task, const TaskOutcome& outcome) {
    if (!outcome.is_success() && task.step() == "throws") ++failed;
  });
  worker.on("work", [](Task&) { return succeeded(); });
  worker.on("throws", [](Task&) -> TaskOutcome { throw std::runtime_error("no"); });
  ASSERT_TRUE(worker.start());
  broker.offer({offer_of(1), offer_of(2, "throws")});
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() == 2; }));
  EXPECT_EQ(before, 2);
  EXPECT_EQ(failed, 1);
}

TEST(Worker, NeverRunsMoreThanItsSlots) {
  FakeBroker broker;
  WorkerOptions options = options_for(broker, 3);
  options.take_ahead = 500;
  Worker worker(options);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  worker.on("work", [&](Task& task) {
    const int now = ++running;
    int before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    if (task.priority() == 0) static_cast<void>(task.cancellation().wait_for(milliseconds(1)));
    --running;
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  std::vector<wire::Offer> offers;
  for (std::uint64_t i = 0; i < 500; ++i) {
    offers.push_back(offer_of(i));
    offers.back().priority = static_cast<std::uint8_t>(i % 10);
  }
  broker.offer(offers);
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() == 500; }));
  EXPECT_LE(most, 3);
}

TEST(Worker, TellsTheHandlerThatItsTaskWasRevoked) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  std::promise<std::string> reason;
  std::promise<void> begun;
  worker.on("work", [&](Task& task) {
    begun.set_value();
    EXPECT_TRUE(task.cancellation().wait_for(milliseconds(10'000)));
    reason.set_value(task.cancellation().reason());
    return succeeded("late");
  });
  ASSERT_TRUE(worker.start());
  const wire::Offer offer = offer_of(1);
  broker.offer({offer});
  begun.get_future().wait();
  broker.send(wire::Revokes{{{offer.key, offer.fence, "cancelled"}}});
  EXPECT_EQ(reason.get_future().get(), "cancelled");
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() == 1; }))
      << "its late result is evidence";
}

TEST(Worker, TellsTheHandlerThatItsTimeIsUp) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  worker.on("work", [&](Task& task) {
    EXPECT_TRUE(task.cancellation().wait_for(milliseconds(10'000)));
    EXPECT_EQ(task.time_left(), milliseconds(0));
    return transient(task.cancellation().reason());
  });
  ASSERT_TRUE(worker.start());
  wire::Offer offer = offer_of(1);
  offer.timeout_ms = 20;
  broker.offer({offer});
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() == 1; }));
  EXPECT_EQ(broker.seen().results[0].error, "timeout");
}

TEST(Worker, ShowsTheLastProgressNote) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  std::promise<void> may_end;
  worker.on("work", [&, end = may_end.get_future().share()](Task& task) {
    task.progress("half way");
    end.wait();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  broker.offer({offer_of(1)});
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return !seen.progress.empty(); }));
  EXPECT_EQ(broker.seen().progress[0].note, "half way");
  may_end.set_value();
}

TEST(Worker, SendsResultsAgainToABrokerThatDiedAndCameBack) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  worker.on("work", [&](Task&) { return succeeded("kept"); });
  ASSERT_TRUE(worker.start());
  broker.set_records(false);
  broker.offer({offer_of(1)});
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() == 1; }));
  broker.stop();
  broker.restart();
  broker.set_records(true);
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.results.size() >= 2; }));
  const auto seen = broker.seen();
  ASSERT_GE(seen.hellos.size(), 2U);
  ASSERT_EQ(seen.hellos.back().held.size(), 1U) << "the inventory tells of it";
  EXPECT_TRUE(seen.hellos.back().held[0].has_result);
  EXPECT_EQ(seen.hellos.back().session, seen.hellos.front().session);
  EXPECT_EQ(seen.results.back().result, "kept");
  worker.stop();
  EXPECT_EQ(worker.wait(), 0);
}

TEST(Worker, FindsABrokerThatStartsAfterIt) {
  FakeBroker broker;
  broker.stop();
  Worker worker(options_for(broker));
  worker.on("work", [&](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  broker.restart();
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return !seen.hellos.empty(); }));
}

TEST(Worker, DialsAnewWhenTheBrokerFallsSilent) {
  FakeBroker broker;
  Worker worker(options_for(broker));
  worker.on("work", [&](Task&) { return succeeded(); });
  ASSERT_TRUE(worker.start());
  ASSERT_TRUE(broker.wait_for([](const auto& seen) { return seen.beats > 0; }));
  broker.set_beats(false);
  EXPECT_TRUE(broker.wait_for([](const auto& seen) { return seen.hellos.size() >= 2; }));
  EXPECT_GE(worker.stats().reconnects, 1U);
}

TEST(Worker, HandsBackWhatItHasNotBegunAndFinishesTheRest) {
  FakeBroker broker;
  WorkerOptions options = options_for(broker, 1);
  options.take_ahead = 10;
  Worker worker(options);
  std::promise<void> begun;
  std::promise<void> may_end;
  worker.on("work", [&, end = may_end.get_future().share()](Task&) {
    begun.set_value();
    end.wait();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  broker.offer({offer_of(1), offer_of(2), offer_of(3)});
  begun.get_future().wait();
  worker.stop();
  ASSERT_TRUE(broker.wait_for([](const auto& seen) {
    std::size_t back = 0;
    for (const auto& drain : seen.drains) back += drain.hand_back.size();
    return back == 2;
  }));
  EXPECT_TRUE(worker.is_running());
  may_end.set_value();
  EXPECT_EQ(worker.wait(), 0);
  EXPECT_EQ(broker.seen().results.size(), 1U);
  EXPECT_EQ(worker.stats().handed_back, 2U);
}

TEST(Worker, GivesUpOnHandlersThatOutlastTheDrain) {
  FakeBroker broker;
  WorkerOptions options = options_for(broker, 1);
  options.drain_timeout = milliseconds(200);
  const auto may_end = std::make_shared<std::promise<void>>();
  const auto begun = std::make_shared<std::promise<void>>();
  Worker worker(options);
  worker.on("work", [begun, may_end](Task&) {
    begun->set_value();
    may_end->get_future().wait();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  broker.offer({offer_of(1)});
  begun->get_future().wait();
  worker.stop();
  EXPECT_EQ(worker.wait(), 5);
  may_end->set_value();
}

TEST(Worker, LeavesWith70WhenEverySlotHangs) {
  FakeBroker broker;
  WorkerOptions options = options_for(broker, 2);
  options.hang_grace = milliseconds(50);
  options.take_ahead = 1;
  const auto gate = std::make_shared<std::promise<void>>();
  {
    Worker worker(options);
    worker.on("work", [end = gate->get_future().share()](Task&) {
      end.wait();
      return succeeded();
    });
    ASSERT_TRUE(worker.start());
    std::vector<wire::Offer> offers{offer_of(1), offer_of(2), offer_of(3)};
    offers[0].timeout_ms = offers[1].timeout_ms = 20;
    broker.offer(offers);
    EXPECT_EQ(worker.wait(), 70);
    EXPECT_EQ(worker.stats().hung, 2U);
    EXPECT_TRUE(broker.wait_for([](const auto& seen) { return seen.goodbyes.size() == 1; }));
  }
  gate->set_value();
}

TEST(Worker, SaysWhatIsWrongBeforeItStarts) {
  const auto reason_of = [](WorkerOptions options, const std::string& handler) {
    Worker worker(std::move(options));
    if (!handler.empty()) worker.on(handler, [](Task&) { return succeeded(); });
    const auto started = worker.start();
    return started ? std::string("none") : started.error().reason;
  };
  WorkerOptions no_slots;
  no_slots.slots = 0;
  WorkerOptions greedy;
  greedy.take_ahead = 9'000;
  WorkerOptions lonely;
  lonely.brokers.clear();
  EXPECT_EQ(reason_of({}, ""), "no_handler");
  EXPECT_EQ(reason_of({}, "Bad Name"), "bad_name");
  EXPECT_EQ(reason_of(no_slots, "a"), "slots");
  EXPECT_EQ(reason_of(greedy, "a"), "take_ahead");
  EXPECT_EQ(reason_of(lonely, "a"), "brokers");
  WorkerOptions nameless;
  nameless.name.assign(limits::kCustomerBytes + 1, 'n');
  EXPECT_EQ(reason_of(nameless, "a"), "bad_name");
  nameless.name = "\xff";
  EXPECT_EQ(reason_of(nameless, "a"), "bad_name");
  WorkerOptions patient;
  patient.drain_timeout = std::chrono::hours{25};
  EXPECT_EQ(reason_of(patient, "a"), "drain_timeout");
  WorkerOptions doubled;
  doubled.brokers = {"127.0.0.1:1", "tcp://127.0.0.1:1"};
  EXPECT_EQ(reason_of(doubled, "a"), "brokers");
}

TEST(Worker, DialsNothingThatIsNoEndpoint) {
  for (const char* const broker :
       {"foo", "", ":7701", "host:", "host:0", "host:65536", "host:77x", "::1:7701", "[::1:7701",
        "[]:1", "udp://host:1", "tcp://", "tcp://a b:1", "tcp://*:7701", "tcp://host:1;h:2"}) {
    WorkerOptions options;
    options.brokers = {broker};
    Worker worker(options);
    worker.on("a", [](Task&) { return succeeded(); });
    const auto started = worker.start();
    ASSERT_FALSE(started) << broker;
    EXPECT_EQ(started.error().reason, "bad_endpoint") << broker;
    EXPECT_NE(started.error().message.find("--broker"), std::string::npos);
  }
  for (const char* const broker : {"a.b-c_1:1", "tcp://[::1]:65535", "[fe80::1%eth0]:7701"}) {
    EXPECT_TRUE(worker::to_endpoint(broker)) << broker;
  }
}

}  // namespace
}  // namespace ordo
