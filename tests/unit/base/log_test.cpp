#include "base/log.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/line_budget.hpp"

namespace ordo::log {
namespace {

TEST(Log, WritesTextForPeople) {
  EXPECT_EQ(line(Form::kText, Level::kInfo, "T", "shard opened", {{"shard", 3}, {"owner", "a b"}}),
            R"(T info  shard opened shard=3 owner="a b")");
}

TEST(Log, WritesJsonForMachines) {
  EXPECT_EQ(line(Form::kJson, Level::kWarn, "T", "odd",
                 {{"n", -1}, {"u", 7u}, {"d", 0.5}, {"b", true}, {"s", std::string("x")}}),
            R"({"time":"T","level":"warn","message":"odd","n":-1,"u":7,"d":0.5,"b":true,"s":"x"})");
}

TEST(Log, LetsNobodyForgeALine) {
  const std::string evil = "a\"\n{\"level\":\"error\"}\r\x1b[31m\x7f";
  for (const Form form : {Form::kText, Form::kJson}) {
    const std::string out = line(form, Level::kInfo, "T", evil, {{"name", evil}});
    for (const char c : out) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << out;
  }
}

TEST(Log, MakesTextOfWhatIsNone) {
  const auto json = [](std::string_view text) {
    return line(Form::kJson, Level::kInfo, "T", "m", {{"s", text}}).substr(41);
  };
  EXPECT_EQ(json("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"s\":\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"}");
  // Cut off, overlong, a surrogate, past the last one, a continuation alone.
  for (const char* bad :
       {"\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8", "\x80"}) {
    EXPECT_EQ(json(bad).find_first_of(bad), std::string::npos);
    EXPECT_NE(json(bad).find("\xEF\xBF\xBD"), std::string::npos);
  }
  EXPECT_EQ(json("\xc2\x9b"
                 "31m"),
            R"("s":"\u009b31m"})");  // a terminal's other escape
  EXPECT_EQ(json(std::string_view("\0", 1)), R"("s":"\u0000"})");
}

TEST(Log, CutsLongTextsBetweenCharacters) {
  const std::string fits(kTextBytes, 'x');
  EXPECT_EQ(line(Form::kText, Level::kInfo, "T", "m", {{"s", fits}}), "T info  m s=" + fits);
  const std::string two = fits.substr(1) + "\xc3\xa4";
  EXPECT_EQ(line(Form::kText, Level::kInfo, "T", "m", {{"s", two}}),
            "T info  m s=\"" + fits.substr(1) + "\xE2\x80\xA6\"");
}

TEST(Log, SaysTheTimeInUtc) {
  const std::string now = now_text();
  ASSERT_EQ(now.size(), 24u) << now;
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now.substr(19, 1), ".");
  EXPECT_EQ(now.back(), 'Z');
}

TEST(LineBudget, LetsTenThroughASecondAndCountsTheRest) {
  const Steady start{Seconds{100}};
  LineBudget budget;
  for (int i = 0; i < LineBudget::kLines; ++i) EXPECT_EQ(budget.spend(start), 0u);
  EXPECT_EQ(budget.spend(start + Millis{999}), std::nullopt);
  EXPECT_EQ(budget.spend(start + Millis{999}), std::nullopt);
  EXPECT_EQ(budget.overdue(start + Millis{999}), 0u) << "its second is not over";
  EXPECT_EQ(budget.spend(start + Seconds{1}), 2u) << "told in the next line";
  EXPECT_EQ(budget.spend(start + Seconds{1}), 0u);
  EXPECT_EQ(budget.overdue(start + Seconds{2}), 0u) << "told once";
  for (int i = 0; i < LineBudget::kLines; ++i) budget.spend(start + Seconds{3});
  EXPECT_EQ(budget.spend(start + Seconds{3}), std::nullopt);
  EXPECT_EQ(budget.overdue(start + Seconds{4}), 1u);
}

TEST(Log, IsSilentBelowItsLevel) {
  setup(Level::kWarn, Form::kText);
  EXPECT_FALSE(is_on(Level::kInfo));
  EXPECT_TRUE(is_on(Level::kError));
  setup(Level::kInfo, Form::kText);
  EXPECT_EQ(level_of("debug"), Level::kDebug);
  EXPECT_EQ(level_of("nonsense"), Level::kInfo);
}

}  // namespace
}  // namespace ordo::log
