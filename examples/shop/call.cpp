#include "examples/shop/call.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace ordo::shop {
namespace {

constexpr double kAmountMax = 1e9;
constexpr double kQuantityMax = 1e6;
constexpr std::string_view kUndoing = "compensate";
constexpr std::string_view kForward = "forward";

/// Which objects of a body are looked into, nearest first.
constexpr std::array<const char*, 3> kInner{"element", "context", "payload"};

bool is_plain(std::string_view key) {
  for (const char c : key) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return !key.empty() && key.size() <= kKeyBytes;
}

/// Payloads may come as the text of an object.
void unfold(Json& body) {
  for (const char* name : kInner) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_string()) continue;
    Json inner = Json::parse(found->get_ref<const std::string&>(), nullptr, false);
    if (inner.is_object()) *found = std::move(inner);
  }
}

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

std::optional<EffectName> split_key(std::string_view key) {
  std::array<std::string, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto slash = key.find('/');
    if ((slash == std::string_view::npos) != (i + 1 == parts.size())) return std::nullopt;
    parts[i] = key.substr(0, slash);
    if (parts[i].empty()) return std::nullopt;
    key.remove_prefix(slash == std::string_view::npos ? key.size() : slash + 1);
  }
  return EffectName{parts[0], parts[1], parts[2], parts[3]};
}

Result<Call> Call::parse(std::string key, std::string operation, std::string_view body) {
  Call call;
  call.body_ = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  if (!call.body_.is_object()) {
    return fail(Code::kMalformed, "body", "the body is no JSON object: send {\"amount\":1.5, …}");
  }
  if (!is_plain(key)) {
    return fail(Code::kMalformed, "idempotency_key",
                "the header Idempotency-Key is missing or is not 1 to 256 printable characters: "
                "send the effect key of the task");
  }
  unfold(call.body_);
  call.operation_ = std::move(operation);
  call.undoes_ = text_at(call.body_, "undoes");
  if (auto name = split_key(key)) {
    if (call.undoes_.empty() && name->kind == kUndoing) {
      call.undoes_ = key.substr(0, key.size() - kUndoing.size()) + std::string(kForward);
    }
    call.order_ = std::move(name->order);
    call.step_ = std::move(name->step);
    call.branch_ = std::move(name->branch);
  } else {
    call.order_ = text_at(call.body_, "order");
    call.branch_ = "0";
  }
  if (!is_plain(call.order_)) {
    return fail(Code::kMalformed, "order",
                "neither the key nor the field `order` names an order: the key is "
                "ORDER/step/branch/kind");
  }
  call.key_ = std::move(key);
  return call;
}

const Json* Call::find(std::string_view field) const {
  const std::string name(field);
  if (const auto found = body_.find(name); found != body_.end()) return &*found;
  for (const char* inner : kInner) {
    const auto object = body_.find(inner);
    if (object == body_.end() || !object->is_object()) continue;
    if (const auto found = object->find(name); found != object->end()) return &*found;
  }
  return nullptr;
}

std::string Call::text(std::string_view field, std::string_view otherwise) const {
  const Json* const found = find(field);
  return found != nullptr && found->is_string() ? found->get<std::string>()
                                                : std::string(otherwise);
}

std::optional<double> Call::number(std::string_view field) const {
  const Json* const found = find(field);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<std::int64_t> Call::cents() const {
  const auto exact = number("cents");
  const auto amount = exact ? std::optional(*exact / 100) : number("amount");
  if (!amount || !(*amount >= 0) || *amount > kAmountMax) return std::nullopt;
  return std::llround(*amount * 100);
}

std::int64_t Call::quantity() const {
  const auto given = number("quantity");
  if (!given) return 1;
  const bool is_whole = *given >= 1 && *given <= kQuantityMax && std::floor(*given) == *given;
  return is_whole ? std::llround(*given) : 0;
}

std::string Call::reference() const {
  const std::string given = text_at(body_, "reference");
  return given.empty() ? order_ + '/' + branch_ : given;
}

std::uint32_t Call::attempt() const {
  const auto given = number("attempt");
  return given && *given >= 1 && *given < 1e9 ? static_cast<std::uint32_t>(*given) : 1;
}

std::string Call::original() const {
  if (std::string of = text("of"); !of.empty()) return of;
  const auto context = body_.find("context");
  const bool has_one = context != body_.end() && context->is_object();
  const std::string of = has_one ? text_at(*context, "order") : "";
  return of.empty() ? order_ : of;
}

std::string line_of(const Entry& entry) {
  Json json{{"at", entry.at_ms},
            {"key", entry.key},
            {"op", entry.operation},
            {"did", entry.is_done ? "done" : "refused"},
            {"order", entry.order}};
  const auto set = [&](const char* name, const auto& value) {
    if (value != std::decay_t<decltype(value)>{}) json[name] = value;
  };
  set("reason", entry.reason);
  set("ref", entry.reference);
  set("item", entry.item);
  set("undoes", entry.undoes);
  set("n", entry.quantity);
  set("cents", entry.cents);
  set("opened", entry.opened);
  if (!entry.result.empty()) json["result"] = entry.result;
  // What came from outside need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Entry> entry_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  const std::string did = json.is_object() ? text_at(json, "did") : "";
  Entry entry;
  if (did == "done" || did == "refused") {
    entry = {.at_ms = number_at(json, "at"),
             .key = text_at(json, "key"),
             .operation = text_at(json, "op"),
             .is_done = did == "done",
             .reason = text_at(json, "reason"),
             .order = text_at(json, "order"),
             .reference = text_at(json, "ref"),
             .item = text_at(json, "item"),
             .undoes = text_at(json, "undoes"),
             .quantity = number_at(json, "n"),
             .cents = number_at(json, "cents"),
             .opened = number_at(json, "opened"),
             .result = json.value("result", Json::object())};
  }
  if (entry.key.empty() || entry.operation.empty()) {
    return fail(Code::kMalformed, "ledger", "not a line of a ledger: " + std::string(line));
  }
  return entry;
}

void refuse(Entry& entry, std::string_view reason) {
  entry.is_done = false;
  entry.reason = reason;
  entry.quantity = entry.cents = entry.opened = 0;
  entry.result = Json::object();
}

}  // namespace ordo::shop
