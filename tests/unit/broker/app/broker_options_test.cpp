#include "broker/app/broker_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ordo {
namespace {

using ::testing::HasSubstr;

Result<void> complete(BrokerOptions& options, std::map<std::string, std::string> flags) {
  Config config;
  options.declare(config);
  auto loaded = config.load({std::move(flags), {}, {}});
  if (!loaded) return loaded;
  return options.complete(config);
}

TEST(BrokerOptions, DefaultsAreComplete) {
  BrokerOptions options;
  ASSERT_TRUE(complete(options, {}));
  EXPECT_EQ(options.engine.shards, (std::vector<ShardNumber>{0, 1}));
  EXPECT_EQ(options.clients, (Address{"127.0.0.1", 7700}));
  EXPECT_EQ(options.http.port, 7780);
  EXPECT_FALSE(options.engine.broker_name.empty());
}

TEST(BrokerOptions, EachShardHasADatabase) {
  BrokerOptions options;
  ASSERT_TRUE(complete(options, {{"shards", "3"},
                                 {"first-shard", "5"},
                                 {"database", "host=a,b dbname=x"},
                                 {"shard-databases", "6=host=c,d dbname=y; "}}));
  EXPECT_EQ(options.dsns.at(5), "host=a,b dbname=x");
  EXPECT_EQ(options.dsns.at(6), "host=c,d dbname=y");
  EXPECT_EQ(options.dsns.at(7), "host=a,b dbname=x");
}

TEST(BrokerOptions, TwoRunsHaveDifferentNames) {
  BrokerOptions first;
  BrokerOptions second;
  ASSERT_TRUE(complete(first, {{"name", "eu"}}));
  ASSERT_TRUE(complete(second, {{"name", "eu"}}));
  EXPECT_TRUE(first.engine.broker_name.starts_with("eu-"));
  EXPECT_NE(first.engine.broker_name, second.engine.broker_name);
}

TEST(BrokerOptions, IdsMayBeAsOldAsWhatIsKept) {
  BrokerOptions options;
  EXPECT_TRUE(complete(options, {{"retention-days", "2"}, {"id-past", "2d"}}));
}

TEST(BrokerOptions, ExplainWhatIsWrongTogether) {
  const std::vector<std::pair<std::map<std::string, std::string>, std::string>> cases{
      {{{"listen-http", "nowhere"}}, "listen-http: `nowhere` has no port"},
      {{{"listen-clients", "db.example:1"}}, "names no numeric address"},
      {{{"first-shard", "4095"}}, "there are shards 0 to 4095"},
      {{{"shard-databases", "9=host=x password=p"}}, "`9=host=x password=***` is not SHARD=DSN"},
      {{{"shard-databases", "host=x"}}, "is not SHARD=DSN"},
      {{{"silence", "1s"}, {"beat", "900ms"}},
       "silence = 1s (from --silence) with beat = 900ms (from --beat): a peer is given up after at "
       "least 3 beats; allowed: 2700ms to 1m"},
      {{{"beat", "2s"}}, "silence = 3s (from default) with beat = 2s (from --beat)"},
      {{{"retention-days", "2"}, {"id-past", "30d"}},
       "id-past = 30d (from --id-past) with retention-days = 2 (from --retention-days)"}};
  for (const auto& [flags, message] : cases) {
    BrokerOptions options;
    const auto completed = complete(options, flags);
    ASSERT_FALSE(completed) << message;
    EXPECT_THAT(completed.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace ordo
