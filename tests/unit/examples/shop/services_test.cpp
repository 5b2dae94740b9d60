// What each service of the shop keeps true: quantities, money, numbers.
#include <gmock/gmock.h>

#include "examples/shop/matching.hpp"
#include "tests/unit/examples/shop/shop_street.hpp"

namespace ordo::shop {
namespace {

TEST_F(ShopStreet, ReservesUntilNothingIsLeftAndNeverBeyond) {
  EXPECT_TRUE(is_done("stock/reserve", "a/r/0/forward", R"({"sku":"phone","quantity":7})"));
  EXPECT_EQ(reason("stock/reserve", "b/r/0/forward", R"({"sku":"phone","quantity":4})"),
            "sold_out");
  EXPECT_TRUE(is_done("stock/reserve", "c/r/0/forward", R"({"sku":"phone","quantity":3})"));
  EXPECT_EQ(reason("stock/reserve", "d/r/0/forward", R"({"sku":"phone"})"), "sold_out");
  EXPECT_TRUE(is_done("stock/reserve", "e/r/0/forward", R"({"sku":"case"})"));
  EXPECT_EQ(sums("stock"), (Json{{"items", 2},
                                 {"opened", 20},
                                 {"available", 9},
                                 {"reserved", 11},
                                 {"held", 11},
                                 {"confirmed", 0},
                                 {"released", 0}}));
}

TEST_F(ShopStreet, TakesQuantitiesThatAreWholeAndPositive) {
  for (const char* const bad : {"0", "-1", "1.5", "1e9"}) {
    const std::string body = std::string(R"({"quantity":)") + bad + '}';
    EXPECT_EQ(reason("stock/reserve", std::string("o") + bad + "/r/0/forward", body),
              "bad_quantity");
  }
}

TEST_F(ShopStreet, ConfirmsWhatIsHeldAndGivesBackWhatIsHeldOrConfirmed) {
  for (const char* const order : {"a", "b", "c"}) {
    EXPECT_TRUE(is_done("stock/reserve", std::string(order) + "/r/0/forward"));
  }
  EXPECT_TRUE(is_done("stock/confirm", "a/c/0/forward"));
  EXPECT_TRUE(is_done("stock/confirm", "b/c/0/forward"));
  EXPECT_EQ(reason("stock/confirm", "z/c/0/forward"), "not_reserved");
  // Undone in reverse: the confirmation gives the goods back, the reservation has nothing left.
  EXPECT_TRUE(is_done("stock/restock", "b/c/0/compensate"));
  EXPECT_TRUE(is_done("stock/release", "b/r/0/compensate"));
  EXPECT_TRUE(is_done("stock/release", "c/r/0/compensate"));
  EXPECT_EQ(sums("stock")["confirmed"], 1);
  EXPECT_EQ(sums("stock")["released"], 2);
  EXPECT_EQ(sums("stock")["held"], 0);
  EXPECT_EQ(sums("stock")["available"], 9);
  EXPECT_EQ(reason("stock/confirm", "c/c/0/forward"), "released");
}

TEST_F(ShopStreet, ReservesEachBranchOfAnOrderForItself) {
  EXPECT_TRUE(is_done("stock/reserve", "a/r/0/forward"));
  EXPECT_TRUE(is_done("stock/reserve", "a/r/1/forward"));
  EXPECT_TRUE(is_done("stock/release", "a/r/1/compensate"));
  EXPECT_TRUE(is_done("stock/confirm", "a/c/0/forward"));
  EXPECT_EQ(reason("stock/confirm", "a/c/1/forward"), "released");
}

TEST_F(ShopStreet, FindsFieldsInTheElementTheContextAndThePayload) {
  const char* const body = R"({"element":{"sku":"book-1"},"context":{"quantity":2},
                               "payload":"{\"sku\":\"book-2\",\"quantity\":5}"})";
  EXPECT_EQ(call("stock/reserve", "a/r/0/forward", body).entry.item, "book-1");
  EXPECT_EQ(call("stock/left", "a/q/0/forward", R"({"sku":"book-1"})").entry.result["left"], 8);
}

TEST_F(ShopStreet, PaysBackNoMoreThanWasPaid) {
  EXPECT_EQ(reason("payments/refund", "r/refund/0/forward", R"({"of":"a"})"), "not_paid");
  EXPECT_TRUE(is_done("payments/charge", "a/pay/0/forward", R"({"amount":20})"));
  EXPECT_EQ(reason("payments/charge", "b/pay/0/forward"), "no_amount");
  EXPECT_TRUE(is_done("payments/partial_refund", "a/pick/1/compensate", R"({"amount":5.5})"));
  EXPECT_EQ(reason("payments/partial_refund", "a/pick/2/compensate", R"({"amount":14.51})"),
            "more_than_paid");
  const Reply rest =
      call("payments/refund", "r/channel/0/forward", R"({"context":{"order":"a"},"amount":20})");
  EXPECT_EQ(rest.entry.cents, 1450);
  // Another way to the same refund ends in nothing.
  EXPECT_EQ(call("payments/refund", "s/channel/0/forward", R"({"of":"a"})").entry.cents, 0);
  EXPECT_EQ(sums("payments")["net"], 0);
  EXPECT_EQ(call("payments/query", "q/q/0/forward", R"({"of":"a"})").entry.result["is_refunded"],
            true);
}

TEST_F(ShopStreet, SettlesAPaymentOnceThoughToldTwice) {
  EXPECT_TRUE(is_done("payments/pay", "a/pay/0/customer", R"({"amount":9.99})"));
  EXPECT_EQ(sums("payments")["paid"], 0);
  const char* const settlement = R"({"order":"a","payment":"a/pay/0/customer"})";
  EXPECT_TRUE(is_done("payments/settle", "a/pay/0/customer+paid", settlement));
  EXPECT_TRUE(is_done("payments/settle", "a/pay/0/customer+paid", settlement));
  EXPECT_EQ(reason("payments/settle", "x+paid", R"({"order":"x","payment":"x"})"),
            "no_such_payment");
  EXPECT_EQ(sums("payments")["paid"], 999);
}

TEST_F(ShopStreet, KeepsItsBooksInBalance) {
  EXPECT_TRUE(is_done("ledger/post", "a/post/0/forward", R"({"amount":10})"));
  EXPECT_TRUE(is_done("ledger/post", "b/post/0/forward", R"({"amount":7})"));
  EXPECT_EQ(reason("ledger/post", "c/post/0/forward", R"({"amount":-1})"), "no_amount");
  EXPECT_TRUE(is_done("ledger/reverse", "a/post/0/compensate"));
  // The refund of the same order finds nothing left to reverse.
  EXPECT_EQ(call("ledger/reverse_order", "r/rev/0/forward", R"({"of":"a"})").entry.cents, 0);
  EXPECT_EQ(call("ledger/reverse_order", "s/rev/0/forward", R"({"of":"b"})").entry.cents, 700);
  EXPECT_EQ(
      sums("ledger"),
      (Json{{"posted", 1700}, {"reversed", 1700}, {"cash", 0}, {"sales", 0}, {"balance", 0}}));
}

TEST_F(ShopStreet, GivesOutEachNumberOnce) {
  const auto number = [&](const char* key) {
    return call("supplier/issue", key).entry.result["number"];
  };
  EXPECT_EQ(number("a/issue/0/forward"), "issue-1");
  EXPECT_EQ(number("b/issue/0/forward"), "issue-2");
  EXPECT_EQ(number("a/issue/0/forward"), "issue-1");
  EXPECT_EQ(call("supplier/void", "a/issue/0/compensate").entry.result["undone"], "issue-1");
  EXPECT_EQ(number("c/issue/0/forward"), "issue-3");
  EXPECT_EQ(sums("supplier"), (Json{{"made", {{"issue", 3}}}, {"undone", 1}, {"open", 2}}));
}

TEST_F(ShopStreet, LetsSmallAmountsPassWithoutTheRiskCheck) {
  EXPECT_TRUE(is_done("risk/accept_small", "a/risk/0/fallback", R"({"amount":49.99})"));
  EXPECT_EQ(reason("risk/accept_small", "b/risk/0/fallback", R"({"amount":50})"), "risk");
  EXPECT_EQ(reason("risk/accept_small", "c/risk/0/fallback"), "risk");
}

TEST_F(ShopStreet, TakesAPartOfAnOrderOutOfTheBooks) {
  EXPECT_TRUE(is_done("ledger/post", "a/post/0/forward", R"({"cents":300})"));
  EXPECT_TRUE(is_done("ledger/reverse_part", "a/pick/0/compensate", R"({"of":"a","cents":100})"));
  EXPECT_EQ(reason("ledger/reverse_part", "a/pick/1/compensate", R"({"of":"a"})"), "no_amount");
  EXPECT_EQ(sums("ledger")["cash"], 200);
  // Never more than stands there, and the whole order's reversal takes what is left.
  EXPECT_TRUE(is_done("ledger/reverse_part", "a/pick/2/compensate", R"({"of":"a","cents":150})"));
  EXPECT_TRUE(is_done("ledger/reverse_part", "a/pick/3/compensate", R"({"of":"a","cents":150})"));
  EXPECT_EQ(sums("ledger")["cash"], 0);
}

TEST_F(ShopStreet, FindsMoneyThatIsNeitherPostedNorPaidBack) {
  for (const char* const order : {"a", "b", "c"}) {
    EXPECT_TRUE(is_done("payments/charge", std::string(order) + "/p/0/forward", R"({"cents":50})"));
  }
  EXPECT_TRUE(is_done("ledger/post", "a/post/0/forward", R"({"cents":50})"));
  EXPECT_TRUE(is_done("payments/refund", "r/refund/0/forward", R"({"of":"b"})"));
  EXPECT_EQ(unmatched(*services_, now_)["orders"], (Json{{{"order", "c"}, {"cents", 50}}}));
  EXPECT_TRUE(unmatched(*services_, 2)["orders"].empty()) << "they are too young";
  // Undone: the money is the customer's again.
  EXPECT_TRUE(is_done("ledger/reverse", "a/post/0/compensate"));
  EXPECT_EQ(unmatched(*services_, now_)["orders"].size(), 2U);
}

}  // namespace
}  // namespace ordo::shop
