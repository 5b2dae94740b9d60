#include "schema/context.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "schema/limits.hpp"

namespace ordo {
namespace {

using namespace std::string_literals;

struct Bad {
  std::string text;
  const char* reason;
  const char* message;
};

TEST(Context, RefusesWhatIsNoSmallJsonObject) {
  const std::string deep = R"({"a":)"s + std::string(8, '[') + std::string(8, ']') + "}";
  for (const auto& bad : std::vector<Bad>{
           {"[]", "bad_context", "labels is not a JSON object"},
           {"3", "bad_context", "labels is not a JSON object"},
           {"\"{\"", "bad_context", "labels is not a JSON object"},
           {" ", "bad_context", "labels is not JSON at byte 2"},
           {"{", "bad_context", "labels is not JSON at byte 2"},
           {"{} {}", "bad_context", "labels is not JSON at byte 4"},
           {R"({"a":1,"a":2})", "bad_context", "labels has the field `a` twice"},
           {R"({"a":{"b":1,"b":1}})", "bad_context", "labels has the field `b` twice"},
           {R"({"a":"\u0000"})", "bad_context",
            "labels holds a NUL character, which a table cannot"},
           {R"({"\u0000":1})", "bad_context", "labels holds a NUL character, which a table cannot"},
           {R"({"a":"\ud800"})", "bad_context", "labels is not JSON at byte 13"},
           {"{\"a\":\"\xff\"}", "bad_context", "labels is not UTF-8 at byte 7"},
           {R"({"a":1e999})", "bad_context", "labels is not JSON at byte 10"},
           {R"({"a":NaN})", "bad_context", "labels is not JSON at byte 6"},
           {deep, "too_deep", "labels nests deeper than 8"},
           {std::string(40'000, '['), "too_large",
            "labels has 40000 bytes; at most 4096 are allowed"}}) {
    const auto got = check_context(bad.text, limits::kLabelsBytes, "labels");
    ASSERT_FALSE(got.has_value()) << bad.text;
    EXPECT_EQ(got.error().code, Code::kMalformed);
    EXPECT_EQ(got.error().reason, bad.reason) << bad.text;
    EXPECT_EQ(got.error().message, bad.message) << bad.text;
  }
}

TEST(Context, TakesObjectsAndNothing) {
  const std::string deep = R"({"a":)"s + std::string(7, '[') + std::string(7, ']') + "}";
  for (const auto& good : {""s, "{}"s, " {\"a\": [1, 2.5, null, \"\\ud83d\\ude00\"]} "s, deep}) {
    EXPECT_TRUE(check_context(good, limits::kLabelsBytes, "labels").has_value()) << good;
  }
}

TEST(Context, MergesFieldByField) {
  EXPECT_EQ(merge_context("", "").value(), "");
  EXPECT_EQ(merge_context("", R"({"b":1})").value(), R"({"b":1})");
  EXPECT_EQ(merge_context(R"({"a":1,"b":{"x":1}})", R"({"b":{"y":2},"c":[3]})").value(),
            R"({"a":1,"b":{"y":2},"c":[3]})");
  EXPECT_EQ(merge_context(R"({"a":1,"b":2})", R"({"a":null})").value(), R"({"b":2})");
  EXPECT_EQ(merge_context(R"({"a":1})", R"({"a":null})").value(), "{}");
}

TEST(Context, RefusesToGrowPastItsBound) {
  std::string context = R"({"a":")" + std::string(limits::kContextBytes - 100, 'x') + "\"}";
  const auto large = merge_context(context, R"({"b":")" + std::string(200, 'x') + "\"}");
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().reason, "too_large");
  const auto step =
      merge_context("", R"({"b":")" + std::string(limits::kStepContextBytes, 'x') + "\"}");
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().message, "context of the step has 4104 bytes; at most 4096 are allowed");
}

TEST(Context, FindsFieldsByPath) {
  const std::string context = R"({"a":"x","n":{"m":[1,2]},"z":null})";
  EXPECT_EQ(get_context(context, "a").value(), "\"x\"");
  EXPECT_EQ(get_context(context, "n.m").value(), "[1,2]");
  EXPECT_EQ(get_context(context, "z").value(), "null");
  for (const auto* missing : {"b", "a.b", "n.m.o", "", "n."}) {
    const auto got = get_context(context, missing);
    ASSERT_FALSE(got.has_value()) << missing;
    EXPECT_EQ(got.error().reason, "no_field");
  }
}

RC_GTEST_PROP(Context, GivesAnAnswerForAnyBytes, (const std::string& text)) {
  const auto got = check_context(text, limits::kContextBytes, "context");
  if (got && !text.empty()) RC_ASSERT(nlohmann::json::parse(text).is_object());
  const auto wrapped = check_context("{\"k\":" + text + "}", limits::kContextBytes, "context");
  if (wrapped) RC_ASSERT(get_context("{\"k\":" + text + "}", "k").has_value());
}

}  // namespace
}  // namespace ordo
