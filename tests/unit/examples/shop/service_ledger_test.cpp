// What every service promises: the first answer again, a mark that stops what comes too late, and
// the same state after a kill.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/unit/examples/shop/shop_street.hpp"

namespace ordo::shop {
namespace {

TEST_F(ShopStreet, GivesTheSameKeyTheFirstAnswerAndCountsIt) {
  const Reply first = call("stock/reserve", "a/r/0/forward", R"({"quantity":3})");
  const Reply again = call("stock/reserve", "a/r/0/forward", R"({"quantity":5})");
  EXPECT_FALSE(first.is_repeat);
  EXPECT_TRUE(again.is_repeat);
  EXPECT_EQ(again.entry.quantity, 3);
  EXPECT_EQ(again.entry.result, first.entry.result);
  EXPECT_EQ(sums("stock")["held"], 3);
  EXPECT_EQ(counts("stock")["repeats"], 1);
  EXPECT_EQ(counts("stock")["done"], 1);
}

TEST_F(ShopStreet, GivesTheSameKeyTheFirstRefusalToo) {
  EXPECT_EQ(call("stock/reserve", "a/r/0/forward", "{}", "closed").entry.reason, "closed");
  EXPECT_EQ(call("stock/reserve", "a/r/0/forward").entry.reason, "closed");
  EXPECT_EQ(sums("stock")["held"], 0);
}

TEST_F(ShopStreet, RefusesAKeyThatWasUsedForSomethingElse) {
  EXPECT_TRUE(is_done("stock/reserve", "a/r/0/forward"));
  EXPECT_EQ(call("stock/confirm", "a/r/0/forward").what, Reply::What::kConflict);
  EXPECT_EQ(sums("stock")["confirmed"], 0);
}

TEST_F(ShopStreet, RefusesForGoodWhatWasUndoneBeforeItCame) {
  for (const char* const pair : {"stock/reserve stock/release", "supplier/issue supplier/void",
                                 "ledger/post ledger/reverse", "counters/add counters/subtract"}) {
    const std::string both = pair;
    const std::string act = both.substr(0, both.find(' '));
    const std::string undo = both.substr(both.find(' ') + 1);
    const std::string service = act.substr(0, act.find('/'));
    EXPECT_TRUE(is_done(undo, "a/x/0/compensate"));
    const Json before = sums(service);
    EXPECT_EQ(reason(act, "a/x/0/forward", R"({"amount":1})"), "undone") << pair;
    open();
    EXPECT_EQ(reason(act, "a/x/0/forward", R"({"amount":1})"), "undone") << pair;
    EXPECT_EQ(sums(service), before) << pair;
    EXPECT_EQ(counts(service)["early_undos"], 1) << pair;
    EXPECT_EQ(counts(service)["fenced"], 1) << pair;
  }
}

TEST_F(ShopStreet, UndoesOnceThoughToldUnderTwoKeys) {
  EXPECT_TRUE(is_done("supplier/issue", "a/x/0/forward"));
  EXPECT_TRUE(is_done("supplier/void", "a/x/0/compensate"));
  EXPECT_TRUE(is_done("supplier/void", "clerk-1", R"({"order":"a","undoes":"a/x/0/forward"})"));
  EXPECT_EQ(sums("supplier")["undone"], 1);
  EXPECT_EQ(reason("supplier/void", "clerk-2", R"({"order":"a"})"), "undoes_nothing");
}

TEST_F(ShopStreet, KnowsEverythingAfterAKill) {
  call("stock/open", "opening", R"({"order":"clerk","sku":"phone","quantity":5})");
  call("stock/reserve", "a/r/0/forward", R"({"sku":"phone","quantity":2})");
  call("stock/reserve", "b/r/0/forward", R"({"sku":"phone","quantity":9})");
  call("stock/confirm", "a/c/0/forward");
  call("payments/pay", "a/pay/0/customer", R"({"amount":3,"attach":{"customer":"ä\"x\""}})");
  call("payments/settle", "a+paid", R"({"order":"a","payment":"a/pay/0/customer"})");
  call("ledger/post", "a/post/0/forward", R"({"amount":3})");
  call("warehouse/dispatch", "a/d/0/forward");
  call("warehouse/recall", "a/d/0/compensate");
  const Json before = services_->sums();
  open(1'000);  // the quantities are those of the ledger, not of the setting
  EXPECT_EQ(services_->sums(), before);
  EXPECT_TRUE(call("stock/reserve", "a/r/0/forward").is_repeat);
  EXPECT_EQ(reason("stock/reserve", "b/r/0/forward"), "sold_out");
  EXPECT_EQ(services_->find("payments")->entries("pay").at(0).result["attach"]["customer"],
            "ä\"x\"");
}

TEST_F(ShopStreet, ForgetsALineThatWasNotWrittenWhole) {
  call("stock/reserve", "a/r/0/forward");
  services_.reset();
  std::ofstream(ledger("stock"), std::ios::app) << R"({"at":2,"key":"b/r/0/forward","op":"res)";
  open();
  EXPECT_EQ(sums("stock")["held"], 1);
  EXPECT_FALSE(call("stock/reserve", "b/r/0/forward").is_repeat);
  open();
  EXPECT_EQ(sums("stock")["held"], 2) << "the next line does not continue half of one";
}

TEST_F(ShopStreet, RefusesALedgerThatItDidNotWrite) {
  for (const char* const bad :
       {"rubbish", R"({"key":"a/r/0/forward","op":"confirm","did":"done","ref":"a/0","n":1})",
        R"({"key":"a/r/0/forward","op":"reserve","did":"done","ref":"a/0","item":"x","n":1})"}) {
    services_.reset();
    std::ofstream(ledger("stock"), std::ios::trunc) << bad << '\n';
    const auto opened = Services::open(folder_, 10);
    ASSERT_FALSE(opened) << bad;
    EXPECT_THAT(opened.error().message, ::testing::HasSubstr("stock.ledger:1: "));
  }
}

TEST(EffectKeys, AreTakenApart) {
  const auto name = split_key("o/pay/3/compensate");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->order + name->step + name->branch + name->kind, "opay3compensate");
  for (const char* const other : {"", "a", "a/b/c", "a/b/c/d/e", "a//0/forward", "a/b/0/"}) {
    EXPECT_FALSE(split_key(other)) << other;
  }
}

TEST(Calls, WithoutAKeyAnOrderOrAnObjectAreRefused) {
  const std::string key = "o/pay/0/forward";
  EXPECT_TRUE(Call::parse(key, "pay", ""));
  EXPECT_EQ(Call::parse(key, "pay", "[1]").error().reason, "body");
  EXPECT_EQ(Call::parse(key, "pay", "{").error().reason, "body");
  EXPECT_EQ(Call::parse("", "pay", "{}").error().reason, "idempotency_key");
  EXPECT_EQ(Call::parse("a b", "pay", "{}").error().reason, "idempotency_key");
  EXPECT_EQ(Call::parse(std::string(257, 'k'), "pay", "{}").error().reason, "idempotency_key");
  EXPECT_EQ(Call::parse("mine", "pay", "{}").error().reason, "order");
  EXPECT_TRUE(Call::parse("mine", "pay", R"({"order":"o"})"));
}

}  // namespace
}  // namespace ordo::shop
