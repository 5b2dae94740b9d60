// Conditions against contexts: what holds, what does not, what a fault comes to.
#include "schema/pipeline_condition.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace ordo::pipeline {
namespace {

constexpr std::string_view kContext =
    R"({"amount":120.5,"count":3,"level":"gold","is_gift":true,"note":null,)"
    R"("customer":{"level":"silver"},"parcels":[1,2]})";

bool judge(std::string_view condition, std::string_view context = kContext) {
  EXPECT_FALSE(check_condition(condition)) << condition;
  ContextFields fields(context);
  return holds(condition, [&](std::string_view field) { return fields.value(field); });
}

TEST(Conditions, CompareNumbersTextsFlagsAndNull) {
  for (const char* condition :
       {"amount > 100", "amount >= 120.5", "count == 3", "count == 3.0", "count != 4", "count < 4",
        "count <= 3", "level == 'gold'", "level == \"gold\"", "level != 'silver'", "level > 'go'",
        "is_gift == true", "is_gift != false", "note == null", "level != null",
        "customer.level == 'silver'", "amount > -1e3"}) {
    EXPECT_TRUE(judge(condition)) << condition;
  }
  for (const char* condition :
       {"amount > 120.5", "count == 4", "count < 3", "level == 'Gold'", "level < 'gold'",
        "is_gift == false", "note != null", "customer.level == 'gold'"}) {
    EXPECT_FALSE(judge(condition)) << condition;
  }
}

TEST(Conditions, AFieldThatIsNotThereMakesAComparisonFalse) {
  for (const char* op : {"==", "!=", "<", "<=", ">", ">="}) {
    EXPECT_FALSE(judge(std::string("other ") + op + " 1"));
    EXPECT_TRUE(judge(std::string("not (other ") + op + " 1)"));
    EXPECT_FALSE(judge(std::string("level.deep ") + op + " 1"));
  }
  EXPECT_FALSE(judge("other == null"));
  EXPECT_FALSE(judge("amount > 1", ""));
}

TEST(Conditions, ValuesOfTwoTypesAreNeverEqualAndHaveNoOrder) {
  EXPECT_FALSE(judge("count == '3'"));
  EXPECT_TRUE(judge("count != '3'"));
  EXPECT_FALSE(judge("count < '9'"));
  EXPECT_FALSE(judge("level > 1"));
  EXPECT_FALSE(judge("parcels == null"));
  EXPECT_TRUE(judge("parcels != 1"));
  EXPECT_FALSE(judge("is_gift >= 0"));
}

TEST(Conditions, AndBindsTighterThanOr) {
  EXPECT_TRUE(judge("count == 3 or count == 4 and level == 'none'"));
  EXPECT_FALSE(judge("(count == 3 or count == 4) and level == 'none'"));
  EXPECT_TRUE(judge("level == 'none' and count == 4 or count == 3"));
  EXPECT_TRUE(judge("not level == 'none' and count == 3"));
  EXPECT_FALSE(judge("not (level == 'gold' and count == 3)"));
  EXPECT_TRUE(judge("not not count == 3"));
}

TEST(Conditions, OneWithAFaultNeverHolds) {
  ContextFields fields(kContext);
  const auto lookup = [&](std::string_view field) { return fields.value(field); };
  for (const char* condition :
       {"", "count == 3 x", "count == ", "count = 3", "not", "(count == 3"}) {
    EXPECT_FALSE(holds(condition, lookup)) << condition;
  }
}

/// A condition as text, with what it comes to reckoned beside it.
struct Drawn {
  std::string text;
  bool holds = false;
};
Drawn draw(int depth) {
  const int kind = *rc::gen::inRange(0, depth == 0 ? 1 : 4);
  if (kind == 0) {
    const int value = *rc::gen::inRange(0, 7);
    const bool is_less = *rc::gen::arbitrary<bool>();
    return {std::string("count ") + (is_less ? "<" : "!=") + " " + std::to_string(value),
            is_less ? 3 < value : 3 != value};
  }
  const Drawn a = draw(depth - 1);
  if (kind == 1) return {"not (" + a.text + ")", !a.holds};
  const Drawn b = draw(depth - 1);
  if (kind == 2) return {"(" + a.text + ") and (" + b.text + ")", a.holds && b.holds};
  return {"(" + a.text + ") or (" + b.text + ")", a.holds || b.holds};
}

RC_GTEST_PROP(Conditions, ComeToWhatTheirPartsComeTo, ()) {
  const Drawn drawn = draw(3);
  RC_ASSERT(judge(drawn.text) == drawn.holds);
}

TEST(ContextFields, GiveTheElementsOfALists) {
  ContextFields fields(R"({"a":[1,"x",{"b":[2]}],"c":{"d":[]},"e":3})");
  const auto list = fields.list("a");
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, (std::vector<std::string>{"1", "\"x\"", R"({"b":[2]})"}));
  EXPECT_EQ(list_elements(list_text(*list)), *list);
  EXPECT_EQ(fields.list("c.d"), std::vector<std::string>{});
  EXPECT_EQ(list_text({}), "[]");
  EXPECT_FALSE(fields.list("e"));
  EXPECT_FALSE(fields.list("none"));
}

}  // namespace
}  // namespace ordo::pipeline
