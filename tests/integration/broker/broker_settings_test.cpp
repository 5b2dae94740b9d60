// What a broker says when it cannot do what it was told: one sentence, the right exit code, before
// anything is served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/integration/broker/broker_process.hpp"
#include "tests/integration/store/renaming_proxy.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kFreePorts{"--plaintext",      "--listen-clients", "127.0.0.1:0",
                                          "--listen-workers", "127.0.0.1:0",      "--listen-http",
                                          "127.0.0.1:0"};

EndedBroker run_with(std::vector<std::string> flags) {
  flags.insert(flags.begin(), kFreePorts.begin(), kFreePorts.end());
  return run_broker(flags);
}

TEST(BrokerSettings, OutOfRangeIsRefusedWithKeyValueRangeAndOrigin) {
  const auto flag = run_broker({"--window-tasks", "1"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(
      flag.output,
      HasSubstr("window-tasks = 1 (from --window-tasks): out of range; allowed: 2 to 1000000"));
  const auto variable = run_broker({}, {{"ORDO_BEAT", "1h"}});
  EXPECT_EQ(variable.code, 2);
  EXPECT_THAT(variable.output,
              HasSubstr("beat = 1h (from ORDO_BEAT): out of range; allowed: 100ms to 10s"));
  const auto together = run_broker({"--beat", "10s", "--silence", "1s"});
  EXPECT_EQ(together.code, 2);
  EXPECT_THAT(together.output, HasSubstr("silence = 1s (from --silence) with beat = 10s"));
  EXPECT_EQ(run_broker({"--no-such-flag"}).code, 2);
}

TEST(BrokerSettings, EverySettingIsShownWithItsOriginAndNoPassword) {
  const auto shown = run_broker({"--print-config", "--database", "host=db password=hunter2"},
                                {{"ORDO_WINDOW_TASKS", "77"}});
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.output, HasSubstr("# from ORDO_WINDOW_TASKS\nwindow-tasks = 77"));
  EXPECT_THAT(shown.output, HasSubstr("database = host=db password=***"));
  EXPECT_THAT(shown.output, ::testing::Not(HasSubstr("hunter2")));
}

TEST(BrokerSettings, TheDocumentListsExactlyTheSettingsThereAre) {
  const auto table = run_broker({"--document-config"});
  ASSERT_EQ(table.code, 0);
  std::ifstream file("docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(table.output))
      << "put the output of `ordo-broker --document-config` into docs/configuration.md";
}

TEST(BrokerSettings, PlainTextIsForLoopbackAndForWhoAsksForIt) {
  for (const std::string flag : {"--listen-clients", "--listen-workers"}) {
    const auto ended = run_with({"--store", "memory", flag, "0.0.0.0:0"});
    EXPECT_EQ(ended.code, 2) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("refusing to listen on 0.0.0.0:0 without keys"));
  }
  const auto unasked = run_broker({"--store", "memory"});
  EXPECT_EQ(unasked.code, 2) << unasked.output;
  EXPECT_THAT(unasked.output, HasSubstr("refusing to listen without keys"));
}

TEST(BrokerSettings, HttpOffLoopbackNeedsToBeAllowed) {
  const auto ended = run_with({"--store", "memory", "--listen-http", "0.0.0.0:0"});
  EXPECT_EQ(ended.code, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("open-http"));
}

TEST(BrokerSettings, ATakenPortIsTheSystemsRefusal) {
  BrokerProcess first("", {"--store", "memory"});
  const std::string taken = first.endpoints().clients.substr(6);
  const auto ended = run_with({"--store", "memory", "--listen-clients", taken});
  EXPECT_EQ(ended.code, 71);
  EXPECT_THAT(ended.output, HasSubstr("cannot listen on " + taken));
}

TEST(BrokerSettings, AProxyThatPoolsSessionsIsRefused) {
  ShardDatabase database(1);
  RenamingProxy proxy(PostgresServer::shared().port());
  const auto ended = run_with({"--shards", "1", "--database",
                               database.dsn() + " sslmode=disable gssencmode=disable port=" +
                                   std::to_string(proxy.port())});
  EXPECT_EQ(ended.code, 69) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("pool"));
}

TEST(BrokerSettings, ADatabaseWithoutTablesIsRefused) {
  ShardDatabase database(0);
  const auto ended = run_with({"--database", database.dsn()});
  EXPECT_EQ(ended.code, 69) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("migrate"));
}

TEST(BrokerSettings, ADatabaseThatIsAwayIsWaitedFor) {
  BrokerProcess broker("host=127.0.0.1 port=1 dbname=x", {"--reopen", "50ms"});
  int status = 0;
  EXPECT_THAT(broker.get("/readyz", &status), HasSubstr("no shard"));
  EXPECT_EQ(status, 503);
  EXPECT_THAT(broker.get("/standbyz", &status), HasSubstr("no shard"));
  EXPECT_EQ(status, 503) << "who cannot see the database cannot stand by";
  EXPECT_EQ(broker.process().stop(), 0);
}

TEST(BrokerSettings, ASecondBrokerStandsByAndTakesOver) {
  ShardDatabase database(2);
  BrokerProcess owner(database.dsn());
  ASSERT_TRUE(owner.wait_until_ready());
  BrokerProcess second(database.dsn(), {"--reopen", "50ms"});
  int status = 0;
  EXPECT_TRUE(wait_until(Seconds{10}, [&] {
    return second.get("/standbyz", &status).find("elsewhere\":2") != std::string::npos;
  })) << second.log();
  EXPECT_EQ(status, 200);
  (void)second.get("/readyz", &status);
  EXPECT_EQ(status, 503);
  EXPECT_EQ(owner.process().stop(), 0);
  EXPECT_TRUE(second.wait_until_ready());
  EXPECT_THAT(second.get("/standbyz", &status), HasSubstr("elsewhere\":0"));
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace ordo::testing
