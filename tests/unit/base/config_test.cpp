#include "base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace ordo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Sample {
  std::uint32_t window = 16'000;
  Millis beat{1000};
  std::uint64_t room = 64u << 20;
  double rate = 0;
  bool plaintext = false;
  std::string level = "info";
  std::string database;
  std::vector<std::string> hosts;
  Config config;

  Sample() {
    config.whole<std::uint32_t>("window-tasks", window, {2, 1'000'000}, "Tasks in hand.");
    config.duration("beat", beat, {Millis{100}, Millis{10'000}}, "Between heartbeats.");
    config.bytes("window-bytes", room, {4u << 20, 1u << 30}, "Bytes in hand.");
    config.number("rate", rate, {0, 1e6}, "Orders a second.");
    config.flag("plaintext", plaintext, "No encryption.");
    config.choice("log-level", level, {"debug", "info"}, "What is logged.");
    config.secret("database", database, "Where the shards are.");
    config.list("hosts", hosts, "Names.");
  }

  Result<void> load(std::map<std::string, std::string> flags,
                    std::map<std::string, std::string> environment = {}, std::string file = {}) {
    return config.load({std::move(flags), std::move(file), [environment](const std::string& name) {
                          const auto at = environment.find(name);
                          return at == environment.end() ? std::nullopt
                                                         : std::optional<std::string>(at->second);
                        }});
  }
};

/// A file that goes with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(::testing::TempDir() + "config_test." + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Config, TakesEveryTypeFromFlags) {
  Sample s;
  ASSERT_TRUE(s.load({{"window-tasks", "500"},
                      {"beat", "2s"},
                      {"window-bytes", "8MiB"},
                      {"rate", "1.5"},
                      {"plaintext", "true"},
                      {"log-level", "debug"},
                      {"database", "dbname=x"},
                      {"hosts", "a, b,,c"}}));
  EXPECT_EQ(s.window, 500u);
  EXPECT_EQ(s.beat, Millis{2000});
  EXPECT_EQ(s.room, 8u << 20);
  EXPECT_EQ(s.rate, 1.5);
  EXPECT_TRUE(s.plaintext);
  EXPECT_EQ(s.level, "debug");
  EXPECT_EQ(s.database, "dbname=x");
  EXPECT_THAT(s.hosts, ::testing::ElementsAre("a", "b", "c"));
}

TEST(Config, PrefersFlagToEnvironmentToFile) {
  const TemporaryFile file("# a comment\n\nwindow-tasks = 10\nbeat = 200ms\nrate=3\n");
  Sample s;
  ASSERT_TRUE(s.load({{"window-tasks", "30"}},
                     {{"ORDO_WINDOW_TASKS", "20"}, {"ORDO_BEAT", "300ms"}}, file.path()));
  EXPECT_EQ(s.window, 30u);
  EXPECT_EQ(s.beat, Millis{300});
  EXPECT_EQ(s.rate, 3);
  const std::string printed = s.config.print();
  EXPECT_THAT(printed, HasSubstr("# from --window-tasks\nwindow-tasks = 30\n"));
  EXPECT_THAT(printed, HasSubstr("# from ORDO_BEAT\nbeat = 300ms\n"));
  EXPECT_THAT(printed, HasSubstr("# from " + file.path() + ":5\nrate = 3\n"));
  EXPECT_THAT(printed, HasSubstr("# from default\nlog-level = info\n"));
}

TEST(Config, NamesKeyValueRangeAndOriginOfWhatItRefuses) {
  struct Case {
    std::string key, value, message;
  };
  const std::vector<Case> cases{
      {"window-tasks", "1",
       "window-tasks = 1 (from --window-tasks): out of range; allowed: 2 to 1000000"},
      {"window-tasks", "-4", "not a whole number"},
      {"window-tasks", "12x", "not a whole number"},
      {"window-tasks", "99999999999999999999999", "not a whole number"},
      {"beat", "1000", "not a duration (write 300ms"},
      {"beat", "11s", "out of range; allowed: 100ms to 10s"},
      {"beat", "18446744073709551615d", "not a duration"},
      {"window-bytes", "1KiB", "allowed: 4MiB to 1GiB"},
      {"window-bytes", "1KB", "not a size"},
      {"rate", "nan", "out of range"},
      {"plaintext", "maybe", "neither true nor false; allowed: true, false"},
      {"log-level", "loud", "none of the words; allowed: debug, info"}};
  for (const auto& c : cases) {
    Sample s;
    const auto loaded = s.load({{c.key, c.value}});
    ASSERT_FALSE(loaded) << c.key << " " << c.value;
    EXPECT_EQ(loaded.error().code, Code::kMalformed);
    EXPECT_THAT(loaded.error().message, HasSubstr(c.message));
  }
}

TEST(Config, ExplainsWhatIsWrongInAFile) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"window-taks = 5\n", ":1: unknown key `window-taks`, did you mean `window-tasks`?"},
      {"\nwindow-tasks\n", ":2: expected `key = value`"},
      {"beat = 1s\nbeat = 2s\n", ":2: beat stands in line 1 already"},
      {"beat = 1\n", "beat = 1 (from "}};
  for (const auto& [text, message] : cases) {
    const TemporaryFile file(text);
    Sample s;
    const auto loaded = s.load({}, {}, file.path());
    ASSERT_FALSE(loaded) << text;
    EXPECT_THAT(loaded.error().message, HasSubstr(message));
  }
  Sample s;
  EXPECT_THAT(s.load({}, {}, "/no/such/file").error().message, HasSubstr("cannot be read"));
}

TEST(Config, NeverPrintsAPassword) {
  for (const std::string text :
       {"host=db password=hunter2 dbname=x", "password = 'hun ter2' host=db",
        "postgresql://me:hunter2@db/x?sslmode=require", "postgresql://db/x?password=hunter2&a=b"}) {
    Sample s;
    ASSERT_TRUE(s.load({{"database", text}}));
    EXPECT_THAT(s.config.print(), Not(HasSubstr("ter2"))) << text;
    EXPECT_THAT(s.config.print(), HasSubstr("***"));
    EXPECT_THAT(s.config.print(), HasSubstr("db"));
    EXPECT_EQ(s.database, text);
  }
}

TEST(Config, PrintsWhatItCanReadAgain) {
  Sample s;
  ASSERT_TRUE(s.load({{"beat", "9s"}, {"hosts", "a,b"}}));
  const TemporaryFile file(s.config.print());
  Sample again;
  ASSERT_TRUE(again.load({}, {}, file.path()));
  EXPECT_EQ(again.beat, Millis{9000});
  EXPECT_EQ(again.hosts, s.hosts);
}

TEST(Config, WritesDurationsAndSizesInTheirShortestForm) {
  EXPECT_EQ(duration_text(Millis{90'000}), "90s");
  EXPECT_EQ(duration_text(Millis{86'400'000}), "1d");
  EXPECT_EQ(duration_text(Millis{0}), "0ms");
  EXPECT_EQ(bytes_text(64u << 20), "64MiB");
  EXPECT_EQ(bytes_text(1000), "1000");
  for (const Millis value : {Millis{1}, Millis{1500}, Millis{60'000}, Millis{7'200'000}}) {
    EXPECT_EQ(parse_duration(duration_text(value)), value);
  }
  EXPECT_FALSE(parse_duration("")) << "empty";
  EXPECT_FALSE(parse_duration("-1s"));
  EXPECT_FALSE(parse_duration("1.5s"));
}

}  // namespace
}  // namespace ordo
