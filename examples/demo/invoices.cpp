#include "examples/demo/invoices.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "schema/text.hpp"

namespace ordo::demo {
namespace {

// 0x80 to 0x9f of Windows-1252 (Unicode's CP1252.TXT); below and above they are the code points
// themselves.
constexpr std::array<char32_t, 32> kCodePoints{
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

void append_utf8(std::string& text, char32_t point) {
  const auto put = [&](char32_t byte) {
    text += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | (point >> 6));
  } else {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

enum Column {
  kNumber,
  kStock,
  kDescription,
  kQuantity,
  kDate,
  kPrice,
  kCustomer,
  kCountry,
  kColumns
};
constexpr std::array<std::string_view, kColumns> kNames{"InvoiceNo",  "StockCode",   "Description",
                                                        "Quantity",   "InvoiceDate", "UnitPrice",
                                                        "CustomerID", "Country"};

/// Walks a CSV record by record.
class Records {
 public:
  explicit Records(std::string_view text) : text_(text) {}

  [[nodiscard]] std::size_t line() const { return first_line_; }
  [[nodiscard]] bool is_broken() const { return is_broken_; }

  /// The next record; false at the end. Empty lines are no records.
  bool next(std::vector<std::string>& fields) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) skip_line_end();
    if (at_ >= text_.size()) return false;
    first_line_ = line_;
    fields.clear();
    do {
      fields.push_back(field());
    } while (take(','));
    skip_line_end();
    return true;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_line_end() {
    take('\r');
    if (take('\n')) ++line_;
  }

  std::string field() {
    if (take('"')) return quoted();
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string found(text_.substr(at_, end - at_));
    at_ = end;
    return found;
  }

  /// A quote within is doubled; what follows the closing one up to the comma belongs to the field
  /// too.
  std::string quoted() {
    std::string found;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        found += c;
      } else if (take('"')) {
        found += '"';
      } else {
        return found + field_rest();
      }
    }
    is_broken_ = true;
    return found;
  }

  std::string field_rest() {
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string found(text_.substr(at_, end - at_));
    at_ = end;
    return found;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t first_line_ = 1;
  bool is_broken_ = false;
};

std::string place_of(const std::string& file, std::size_t line) {
  return file + ":" + std::to_string(line) + ": ";
}

/// Where each column stands; an error names the first that is missing.
Result<std::array<std::size_t, kColumns>> find_columns(const std::vector<std::string>& header,
                                                       const std::string& file) {
  std::array<std::size_t, kColumns> places{};
  for (std::size_t i = 0; i < kColumns; ++i) {
    const auto found = std::find(header.begin(), header.end(), kNames[i]);
    if (found == header.end()) {
      return fail(Code::kMalformed, "csv",
                  place_of(file, 1) + "there is no column " + std::string(kNames[i]));
    }
    places[i] = static_cast<std::size_t>(found - header.begin());
  }
  return places;
}

/// A JSON number where the text is one, else the text.
nlohmann::json number_or_text(const std::string& text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return text;
  if (text.find('.') == std::string::npos) return static_cast<std::int64_t>(number);
  return number;
}

/// What the customer pays; nothing where more was sent back than bought.
std::int64_t cents_of(const Invoice& invoice) {
  double sum = 0;
  for (const InvoiceLine& line : invoice.lines) {
    sum +=
        std::strtod(line.quantity.c_str(), nullptr) * std::strtod(line.unit_price.c_str(), nullptr);
  }
  return std::max<std::int64_t>(std::llround(sum * 100), 0);
}

}  // namespace

std::string from_windows_1252(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_own = byte >= 0x80 && byte < 0xA0;
    append_utf8(text, is_own ? kCodePoints[byte - 0x80U] : char32_t{byte});
  }
  return text;
}

Result<std::vector<Invoice>> parse_invoices(std::string_view bytes, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  const std::string text = is_text(bytes) ? std::string(bytes) : from_windows_1252(bytes);
  Records records(text);
  std::vector<std::string> fields;
  if (!records.next(fields)) return fail(Code::kMalformed, "csv", file + " is empty");
  const std::size_t width = fields.size();
  const auto places = find_columns(fields, file);
  if (!places) return tl::unexpected(places.error());

  std::vector<Invoice> invoices;
  std::unordered_map<std::string, std::size_t> known;
  while (records.next(fields)) {
    if (records.is_broken() || fields.size() != width) {
      return fail(Code::kMalformed, "csv",
                  place_of(file, records.line()) +
                      (records.is_broken() ? "a quote does not end"
                                           : std::to_string(fields.size()) + " fields instead of " +
                                                 std::to_string(width)));
    }
    const auto field = [&](Column column) { return fields[(*places)[column]]; };
    const auto [place, is_new] = known.emplace(field(kNumber), invoices.size());
    if (is_new) {
      invoices.push_back({field(kNumber), field(kDate), field(kCustomer), field(kCountry), {}});
    }
    invoices[place->second].lines.push_back(
        {field(kStock), field(kDescription), field(kQuantity), field(kPrice)});
  }
  return invoices;
}

Result<std::vector<Invoice>> read_invoices(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "csv", "cannot read " + path);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  return parse_invoices(bytes, path);
}

client::Order order_of(const Invoice& invoice, const std::string& pipeline) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const InvoiceLine& line : invoice.lines) {
    lines.push_back({{"stock_code", line.stock_code},
                     {"description", line.description},
                     {"quantity", number_or_text(line.quantity)},
                     {"unit_price", number_or_text(line.unit_price)}});
  }
  const std::string sku = invoice.lines.empty() ? "" : invoice.lines.front().stock_code;
  const nlohmann::ordered_json payload{
      {"invoice", invoice.number},  {"date", invoice.date}, {"customer", invoice.customer},
      {"country", invoice.country}, {"sku", sku},           {"cents", cents_of(invoice)},
      {"lines", std::move(lines)}};
  client::Order order;
  order.pipeline = pipeline;
  order.payload = payload.dump();
  order.key = "invoice-" + invoice.number;
  order.customer = invoice.customer;
  order.labels = nlohmann::json{{"country", invoice.country}}.dump();
  order.context = nlohmann::json{{"sku", sku}}.dump();
  return order;
}

}  // namespace ordo::demo
