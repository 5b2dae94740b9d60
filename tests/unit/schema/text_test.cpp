#include "schema/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ordo {
namespace {

using namespace std::string_literals;

TEST(Text, TakesWellFormedUtf8) {
  for (const auto& good :
       {""s, "plain"s, "tab\tand\nline"s, "\xc2\x80"s, "caf\xc3\xa9 \xe2\x82\xac"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_TRUE(is_text(good)) << good;
  }
}

TEST(Text, RefusesNulSurrogatesOverlongAndCutCharacters) {
  for (const auto& bad :
       {"\0"s, "a\0b"s, "12345678\0"s, "1234567\0"s, "\x80"s, "\xc0\xaf"s, "\xc1\xbf"s,
        "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xff"s, "\xc3"s, "\xe2\x82"s, "ok\xf0\x90\x80"s}) {
    EXPECT_FALSE(is_text(bad));
  }
}

TEST(Text, SaysWhereItStopsBeingText) {
  EXPECT_EQ(text_prefix("123456789\xff"), 9u);
  EXPECT_EQ(text_prefix("12345678\xc3\xa9\xc3"), 10u);
}

TEST(Text, TakesNamesOfTheirAlphabetAndLength) {
  EXPECT_TRUE(is_name("a"));
  EXPECT_TRUE(is_name("team.area-1_x"));
  EXPECT_TRUE(is_name(std::string(64, 'a')));
  for (const auto& bad : {""s, std::string(65, 'a'), "A"s, "a b"s, "a/b"s, "\xc3\xa9"s, "a\0"s}) {
    EXPECT_FALSE(is_name(bad)) << bad;
  }
}

TEST(Text, RepairsWhatMustBeKept) {
  EXPECT_EQ(clean_text("fine", 10), "fine");
  EXPECT_EQ(clean_text("a\0b\xff"s, 100),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(clean_text("ab\xe2\x82\xac", 4), "ab");
  EXPECT_EQ(clean_text("abcdef", 3), "abc");
}

RC_GTEST_PROP(Text, IsTextOnceCleaned, (const std::string& bytes, std::uint8_t limit)) {
  const std::string text = clean_text(bytes, limit);
  RC_ASSERT(is_text(text));
  RC_ASSERT(text.size() <= limit);
  if (is_text(bytes) && bytes.size() <= limit) RC_ASSERT(text == bytes);
}

}  // namespace
}  // namespace ordo
