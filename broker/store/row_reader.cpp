#include "broker/store/row_reader.hpp"

#include <charconv>

#include "base/check.hpp"

namespace ordo {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string from_hex(std::string_view text) {
  ORDO_CHECK(text.starts_with("\\x"), text.substr(0, 8));
  text.remove_prefix(2);
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
  }
  return bytes;
}

/// The digits at `text[from, from + count)`; -1 where they are none.
int digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = -1;
  if (from + count > text.size()) return -1;
  const char* end = text.data() + from + count;
  const auto [stop, error] = std::from_chars(text.data() + from, end, value);
  return error == std::errc{} && stop == end ? value : -1;
}

}  // namespace

std::optional<Wall> parse_moment(std::string_view text) {
  if (!text.ends_with("+00")) return std::nullopt;
  text.remove_suffix(3);
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  std::int64_t scale = 100'000;
  for (std::size_t i = 20; i < text.size(); ++i, scale /= 10) micros += (text[i] - '0') * scale;
  const auto date = std::chrono::year(year) / month / day;
  return Wall{std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
              std::chrono::minutes(minute) + Seconds(second) + Micros(micros)};
}

std::string_view RowReader::raw() {
  const pqxx::field one = field();
  return {one.c_str(), one.size()};
}

OrderId RowReader::id() {
  const auto text = raw();
  const auto parsed = OrderId::parse(text);
  ORDO_CHECK(parsed, text);
  return *parsed;
}

std::int64_t RowReader::number() {
  const auto text = raw();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  ORDO_CHECK(error == std::errc{} && stop == text.data() + text.size(), text);
  return value;
}

bool RowReader::boolean() { return raw() == "t"; }

std::string RowReader::text() { return std::string(raw()); }

Bytes RowReader::bytes() {
  const pqxx::field one = field();
  if (one.is_null()) return nullptr;
  return make_bytes(from_hex({one.c_str(), one.size()}));
}

std::optional<Wall> RowReader::moment() {
  const auto text = raw();
  if (text.empty()) return std::nullopt;
  const auto parsed = parse_moment(text);
  ORDO_CHECK(parsed, text);
  return parsed;
}

std::optional<std::int64_t> RowReader::number_or_null() {
  if (row_[next_].is_null()) {
    ++next_;
    return std::nullopt;
  }
  return number();
}

OrderStatus RowReader::status() {
  const auto word = raw();
  if (word.empty()) return OrderStatus::kRunning;
  const auto found = from_word<OrderStatus, kOrderStatuses>(word);
  ORDO_CHECK(found, word);
  return *found;
}

SignalRow RowReader::signal() {
  SignalRow row;
  row.order = id();
  row.name = text();
  row.seq = number();
  row.at = moment().value_or(Wall{});
  row.dedup = text();
  row.payload = bytes();
  row.note = text();
  row.checks = static_cast<std::uint16_t>(number());
  row.next_at = moment();
  return row;
}

OrderRow RowReader::order() {
  OrderRow row;
  row.id = id();
  row.pipeline = number();
  row.priority = static_cast<std::uint8_t>(number());
  row.key = text();
  row.customer = text();
  row.labels = text();
  row.context = text();
  row.payload = bytes();
  row.submit_hash = static_cast<std::uint64_t>(number());
  row.deadline = moment();
  row.accepted = moment().value_or(Wall{});
  return row;
}

TaskRow RowReader::task() {
  TaskRow row;
  row.key.order = id();
  row.key.step = static_cast<StepIndex>(number());
  row.key.branch = static_cast<BranchIndex>(number());
  row.key.kind = static_cast<TaskKind>(number());
  row.queue = text();
  row.priority = static_cast<std::uint8_t>(number());
  row.seq = number();
  row.attempt = static_cast<std::uint32_t>(number());
  row.failures = static_cast<std::uint16_t>(number());
  row.losses = static_cast<std::uint8_t>(number());
  row.maybe = boolean();
  return row;
}

DeferredRow RowReader::deferred() {
  DeferredRow row;
  row.task = task();
  const auto word = raw();
  const auto state = from_word<TaskState, kTaskStates>(word);
  ORDO_CHECK(state, word);
  row.state = *state;
  row.run_at = moment();
  row.reason = text();
  return row;
}

EventRow RowReader::event() {
  EventRow row;
  row.order = id();
  row.seq = number();
  row.at = moment().value_or(Wall{});
  const auto word = raw();
  const auto kind = from_word<EventKind, kEventKinds>(word);
  ORDO_CHECK(kind, word);
  row.kind = *kind;
  if (row_[next_].is_null()) {
    ++next_;
  } else {
    row.status = status();
  }
  if (const auto step = number_or_null()) row.step = static_cast<StepIndex>(*step);
  row.branch = static_cast<BranchIndex>(number());
  row.task_kind = static_cast<TaskKind>(number());
  row.attempt = static_cast<std::uint32_t>(number());
  row.worker = text();
  row.ms = static_cast<std::uint32_t>(number());
  row.detail = bytes();
  row.note = text();
  return row;
}

}  // namespace ordo
