#include "broker/store/migrate.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "broker/store/postgres_store.hpp"
#include "schema/vocabulary.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

TEST(Migrate, AppliesEveryMigrationOnce) {
  ShardDatabase database(0);
  const auto first = migrate({.dsn = database.dsn(), .first = 0, .shards = 2});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->applied.size(), 2 * embedded_migrations().size());
  const auto second = migrate({.dsn = database.dsn(), .first = 0, .shards = 2});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->applied.empty());
}

TEST(Migrate, AddsShardsToADatabaseThatHasSome) {
  ShardDatabase database(1);
  const auto more = migrate({.dsn = database.dsn(), .first = 0, .shards = 3});
  ASSERT_TRUE(more) << more.error().message;
  EXPECT_EQ(more->applied.size(), 2 * embedded_migrations().size());
  EXPECT_EQ(database.value("select count(*) from pg_namespace where nspname ~ '^ordo_[0-9]+$'"),
            "3");
}

TEST(Migrate, DoesNotCollideWithOthersThatMigrate) {
  ShardDatabase database(0);
  std::vector<std::string> problems(4);
  std::vector<std::size_t> applied(problems.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto done = migrate({.dsn = database.dsn(), .first = 0, .shards = 2});
      if (!done) {
        problems[i] = done.error().message;
      } else {
        applied[i] = done->applied.size();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::size_t sum = 0;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_EQ(problems[i], "");
    sum += applied[i];
  }
  EXPECT_EQ(sum, 2 * embedded_migrations().size());
}

TEST(Migrate, ADryRunChangesNothing) {
  ShardDatabase database(0);
  const auto dry = migrate({.dsn = database.dsn(), .first = 0, .shards = 1, .is_dry_run = true});
  ASSERT_TRUE(dry);
  EXPECT_EQ(dry->applied.size(), embedded_migrations().size());
  EXPECT_EQ(database.value("select count(*) from pg_namespace where nspname like 'ordo%'"), "0");
}

TEST(Migrate, RefusesTablesThatAreNewerOrDiffer) {
  ShardDatabase database(1);
  database.run("update ordo_migration set fingerprint = 'x' where number = 1");
  EXPECT_EQ(migrate({.dsn = database.dsn(), .first = 0, .shards = 1}).error().reason,
            "schema_differs");
  database.run("insert into ordo_migration values (99, 'future', '')");
  EXPECT_EQ(migrate({.dsn = database.dsn(), .first = 0, .shards = 1}).error().reason, "schema_new");
}

TEST(Migrate, TellsADatabaseThatCannotBeReached) {
  EXPECT_EQ(migrate({.dsn = "host=127.0.0.1 port=1 dbname=x"}).error().code, Code::kUnavailable);
}

TEST(Migrate, NumbersAscendFromOne) {
  int number = 0;
  for (const auto& migration : embedded_migrations()) EXPECT_EQ(migration.number, ++number);
  EXPECT_GE(number, 4);
}

/// Whether the definition of a constraint names exactly `words` in quotes.
template <class Enum> std::string words_of(std::size_t from, std::size_t to) {
  std::string all;
  for (std::size_t i = from; i < to; ++i) all += std::string(to_string(static_cast<Enum>(i))) + " ";
  return all;
}

std::string words_in(ShardDatabase& database, const std::string& table, const std::string& name) {
  // The constants of the check, in the order they are written.
  return database.value(
      "select string_agg(m[1], ' ') || ' ' from (select regexp_matches(pg_get_constraintdef(oid), "
      "'''([a-z_]+)''', 'g') m from pg_constraint where conname = '" +
      name + "' and conrelid = '" + table + "'::regclass) w");
}

TEST(Schema, SpeaksTheWordsOfTheVocabulary) {
  ShardDatabase database(1);
  EXPECT_EQ(words_in(database, "event", "event_kind_check"), words_of<EventKind>(0, kEventKinds));
  EXPECT_EQ(words_in(database, "event", "event_order_status_check"),
            words_of<OrderStatus>(0, kOrderStatuses));
  EXPECT_EQ(words_in(database, "deferred", "deferred_state_check"), words_of<TaskState>(2, 7));
  // The checker itself: another list of words is another text.
  EXPECT_NE(words_in(database, "deferred", "deferred_state_check"), words_of<TaskState>(2, 6));
}

}  // namespace
}  // namespace ordo::testing
