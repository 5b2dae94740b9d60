#include "monitoring/monitor/tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/clock.hpp"
#include "monitoring/monitor/door.hpp"

namespace ordo::monitor {
namespace {

using ::testing::HasSubstr;

const std::string kAnn(43, 'a');
const std::string kBob(43, 'b');

class TokenFiles : public ::testing::Test {
 protected:
  TokenFiles() {
    std::string folder = std::filesystem::temp_directory_path() / "ordo-tokens-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
  }
  ~TokenFiles() override { std::filesystem::remove_all(folder_); }
  std::string file() const { return folder_ / "tokens"; }
  /// Replaced as a whole, as careful hands do.
  void write(const std::string& text, mode_t mode = 0600) const {
    const std::string part = file() + ".part";
    std::ofstream(part) << text;
    ::chmod(part.c_str(), mode);
    std::filesystem::rename(part, file());
  }
  std::filesystem::path folder_;
};

std::string problem_of(const std::string& text) {
  const auto tokens = Tokens::parse(text, "F");
  return tokens ? std::string() : tokens.error().message;
}

TEST(Tokens, ALineIsNameRoleToken) {
  const auto tokens =
      Tokens::parse("# people\nann operator " + kAnn + "\n\n  bob\tobserver " + kBob + "\r\n", "F");
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->find(kAnn), (Person{"ann", Role::kOperator}));
  EXPECT_EQ(tokens->find(kBob), (Person{"bob", Role::kObserver}));
  EXPECT_FALSE(tokens->find(""));
  EXPECT_FALSE(tokens->find(kAnn.substr(1)));
  EXPECT_FALSE(tokens->find(kAnn + "a"));
  EXPECT_FALSE(tokens->find(std::string(43, 'c')));
}

TEST(Tokens, ABadLineIsNamedAndNeverShown) {
  EXPECT_THAT(problem_of("ann\n"), HasSubstr("F, line 1"));
  EXPECT_THAT(problem_of("\nann client " + kAnn), HasSubstr("line 2: the role"));
  EXPECT_THAT(problem_of("ann operator short"), HasSubstr("32 to 256"));
  EXPECT_THAT(problem_of("ann operator " + kAnn + " more"), HasSubstr("last word"));
  EXPECT_THAT(problem_of("a/b operator " + kAnn), HasSubstr("a name is"));
  EXPECT_THAT(problem_of("ann operator " + kAnn + "\nann observer " + kBob), HasSubstr("line 2"));
  const std::string twice = problem_of("ann operator " + kAnn + "\nbob observer " + kAnn);
  EXPECT_THAT(twice, HasSubstr("line 2"));
  EXPECT_THAT(twice, ::testing::Not(HasSubstr(kAnn)));
}

TEST(Tokens, DrawnOnesAreLongAndDiffer) {
  const std::string one = draw_token();
  EXPECT_EQ(one.size(), 43u);
  EXPECT_NE(one, draw_token());
  EXPECT_EQ(problem_of("ann operator " + one), "");
}

TEST_F(TokenFiles, AnAddedTokenOpensAndItsFileIsItsAccountsAlone) {
  ASSERT_TRUE(add_token(file(), {"ann", Role::kOperator}, kAnn));
  ASSERT_TRUE(add_token(file(), {"bob", Role::kObserver}, kBob));
  const auto taken = add_token(file(), {"ann", Role::kObserver}, draw_token());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kConflict);
  struct stat about {};
  ASSERT_EQ(::stat(file().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const auto open = TokenFile::open(file());
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_EQ((*open)->find(kBob, steady_now()), (Person{"bob", Role::kObserver}));
}

TEST_F(TokenFiles, AFileThatOthersCanReadIsRefused) {
  write("ann operator " + kAnn + "\n", 0644);
  const auto open = TokenFile::open(file());
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().message, HasSubstr("chmod 600"));
  EXPECT_FALSE(TokenFile::open(file() + ".none"));
}

TEST_F(TokenFiles, AChangedFileCountsAndAWrongOneDoesNot) {
  write("ann operator " + kAnn + "\n");
  const auto open = TokenFile::open(file());
  ASSERT_TRUE(open) << open.error().message;
  Steady now = steady_now();
  EXPECT_TRUE((*open)->find(kAnn, now));
  write("bob observer " + kBob + "\n");
  now += Seconds{1};
  EXPECT_FALSE((*open)->find(kAnn, now));
  EXPECT_TRUE((*open)->find(kBob, now));
  write("rubbish\n");
  now += Seconds{1};
  EXPECT_TRUE((*open)->find(kBob, now));
  write("ann operator " + kAnn + "\n", 0644);
  now += Seconds{1};
  EXPECT_TRUE((*open)->find(kBob, now));
  EXPECT_FALSE((*open)->find(kAnn, now));
  write("ann operator " + kAnn + "\n");
  now += Seconds{1};
  EXPECT_TRUE((*open)->find(kAnn, now));
}

TEST(Guesses, AreSlowedDownForAMoment) {
  Guesses guesses;
  Steady now = steady_now();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(guesses.is_too_many(now)) << i;
  EXPECT_TRUE(guesses.is_too_many(now));
  EXPECT_TRUE(guesses.is_too_many(now + Seconds{9}));
  EXPECT_FALSE(guesses.is_too_many(now + Seconds{11}));
}

TEST(Hosts, AreReadWithoutTheirPort) {
  EXPECT_EQ(host_of("Example.com:7790"), "example.com");
  EXPECT_EQ(host_of("[::1]:7790"), "::1");
  EXPECT_EQ(host_of("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(host_of("[::1"), "::1");
  EXPECT_EQ(host_of(""), "");
}

}  // namespace
}  // namespace ordo::monitor
