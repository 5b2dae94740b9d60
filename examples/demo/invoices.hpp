// Real invoices as orders: a CSV of invoice lines (InvoiceNo, StockCode, Description, Quantity,
// InvoiceDate, UnitPrice, CustomerID, Country), one order an InvoiceNo.
//
// Shapes:  RFC 4180: fields in quotes may hold commas, line ends and doubled quotes; both kinds of
//          line ends. Columns are found by the names in the first line, whatever their order. Text
//          that is not UTF-8 is read as Windows-1252, which is what spreadsheets write. Lines of
//          one invoice need not stand together.
// Errors:  kMalformed with file and line: a column is missing, a line has another number of fields,
//          a quote does not end.
// Costs:   everything in memory, about 100 bytes a line beside the file.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordo/client.hpp"
#include "ordo/result.hpp"

namespace ordo::demo {

struct InvoiceLine {
  std::string stock_code, description, quantity, unit_price;
};

struct Invoice {
  std::string number, date, customer, country;  ///< of its first line
  std::vector<InvoiceLine> lines;
};

/// Invoices in the order in which their numbers first appear.
Result<std::vector<Invoice>> read_invoices(const std::string& path);
Result<std::vector<Invoice>> parse_invoices(std::string_view text, const std::string& file);

/// The order of an invoice: its lines and their sum as JSON payload, its customer, its number as
/// business key.
client::Order order_of(const Invoice& invoice, const std::string& pipeline);

/// `bytes` of Windows-1252 as UTF-8; the five that mean nothing there become U+FFFD.
std::string from_windows_1252(std::string_view bytes);

}  // namespace ordo::demo
