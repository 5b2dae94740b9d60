#include "examples/demo/invoices.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schema/text.hpp"

namespace ordo::demo {
namespace {

const std::string kHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

TEST(Invoices, GroupsLinesByInvoiceInOrderOfAppearance) {
  const auto invoices =
      parse_invoices(kHeader +
                         "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
                         "536366,22633,WARMER,6,12/1/2010 8:28,1.85,17850,United Kingdom\n"
                         "536365,71053,HEART,8,12/1/2010 8:26,3.39,17850,United Kingdom\n",
                     "f.csv");
  ASSERT_TRUE(invoices);
  ASSERT_EQ(invoices->size(), 2U);
  EXPECT_EQ((*invoices)[0].number, "536365");
  ASSERT_EQ((*invoices)[0].lines.size(), 2U);
  EXPECT_EQ((*invoices)[0].lines[1].stock_code, "71053");
  EXPECT_EQ((*invoices)[1].lines.size(), 1U);
}

TEST(Invoices, BecomeOrdersWithTheirLinesAsJson) {
  const auto invoices = parse_invoices(
      kHeader + "C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,United Kingdom\n", "f.csv");
  ASSERT_TRUE(invoices);
  const client::Order order = order_of(invoices->front(), "3c");
  EXPECT_EQ(order.pipeline, "3c");
  EXPECT_EQ(order.customer, "14527");
  EXPECT_EQ(order.key, "invoice-C536379");
  const auto payload = nlohmann::json::parse(order.payload);
  EXPECT_EQ(payload["invoice"], "C536379");
  EXPECT_EQ(payload["lines"][0]["quantity"], -1);
  EXPECT_EQ(payload["lines"][0]["unit_price"], 27.5);
  EXPECT_EQ(nlohmann::json::parse(order.labels)["country"], "United Kingdom");
}

TEST(Invoices, ReadQuotesCommasLineEndsAndCarriageReturns) {
  const auto invoices = parse_invoices(
      "Country,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\r\n"
      "\"EIRE\",1,A,\"SET OF 3, \"\"BIG\"\"\r\nRED\",1,d,1,\r\n"
      "\r\n"
      "France,2,B,PLAIN,2,d,x,9\r\n",
      "f.csv");
  ASSERT_TRUE(invoices) << invoices.error().message;
  ASSERT_EQ(invoices->size(), 2U);
  EXPECT_EQ((*invoices)[0].lines[0].description, "SET OF 3, \"BIG\"\r\nRED");
  EXPECT_EQ((*invoices)[0].customer, "");
  EXPECT_EQ((*invoices)[1].country, "France");
  // What is no number stays the text that it is.
  const auto payload = nlohmann::json::parse(order_of((*invoices)[1], "3c").payload);
  EXPECT_EQ(payload["lines"][0]["unit_price"], "x");
}

TEST(Invoices, ReadWindows1252AndUtf8) {
  const auto old = parse_invoices(kHeader + "1,A,\xA3 5 CAF\xC9 \x80,1,d,1,c,UK\n", "f.csv");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->front().lines[0].description, "£ 5 CAFÉ €");
  const auto modern =
      parse_invoices("\xEF\xBB\xBF" + kHeader + "1,A,£ 5 CAFÉ €,1,d,1,c,UK", "f.csv");
  ASSERT_TRUE(modern) << modern.error().message;
  EXPECT_EQ(modern->front().lines[0].description, "£ 5 CAFÉ €");
}

TEST(Invoices, TurnEveryByteOfWindows1252IntoText) {
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_TRUE(is_text(from_windows_1252(bytes)));
}

TEST(Invoices, SayWhereAFileIsWrong) {
  EXPECT_EQ(parse_invoices("", "f.csv").error().message, "f.csv is empty");
  EXPECT_EQ(parse_invoices("InvoiceNo,StockCode\n", "f.csv").error().message,
            "f.csv:1: there is no column Description");
  EXPECT_EQ(parse_invoices(kHeader + "1,A,B,1,d,1,c,UK\n1,A\n", "f.csv").error().message,
            "f.csv:3: 2 fields instead of 8");
  EXPECT_EQ(parse_invoices(kHeader + "1,A,\"B,1,d,1,c,UK\n", "f.csv").error().message,
            "f.csv:2: a quote does not end");
}

}  // namespace
}  // namespace ordo::demo
