#include "schema/context.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "schema/limits.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

using nlohmann::json;

tl::unexpected<Error> malformed(std::string_view reason, std::string_view what,
                                std::string_view message) {
  return fail(Code::kMalformed, reason, std::string(what) + " " + std::string(message));
}

/// Listens to the parser and stops it at the first thing that a context may not hold, so that depth
/// is bounded before a tree is built. Strings come unescaped.
class Guard : public nlohmann::json_sax<json> {
 public:
  explicit Guard(bool keeps_trace_names) : keeps_trace_names_(keeps_trace_names) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& value) override { return is_storable(value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return open();
  }
  bool key(string_t& name) override {
    if (!is_storable(name)) return false;
    if (keeps_trace_names_ && keys_.size() == 1 &&
        (name == "traceparent" || name == "tracestate")) {
      return stop("trace", "may not have a field `" + name + "`: it is a field of the order");
    }
    if (keys_.back().insert(name).second) return true;
    return stop("bad_context", "has the field `" + name + "` twice");
  }
  bool end_object() override {
    keys_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return stop("bad_context", "is not a JSON object");
    return open();
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    return stop("bad_context", "is not JSON at byte " + std::to_string(position));
  }

  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  bool open() {
    if (++depth_ <= kContextDepth) return true;
    return stop("too_deep", "nests deeper than " + std::to_string(kContextDepth));
  }
  /// The text was UTF-8, so an escape is the only way to a NUL.
  bool is_storable(const std::string& value) {
    return value.find('\0') == std::string::npos ||
           stop("bad_context", "holds a NUL character, which a table cannot");
  }
  bool stop(std::string_view reason, std::string message) {
    if (reason_.empty()) {
      reason_ = reason;
      message_ = std::move(message);
    }
    return false;
  }

  bool keeps_trace_names_;
  std::size_t depth_ = 0;
  std::vector<std::set<std::string>> keys_;
  std::string reason_;
  std::string message_;
};

Result<void> check_object(std::string_view text, std::size_t max_bytes, std::string_view what,
                          Guard guard) {
  if (text.empty()) return {};
  if (text.size() > max_bytes) {
    return malformed("too_large", what,
                     "has " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(max_bytes) + " are allowed");
  }
  if (const std::size_t good = text_prefix(text); good != text.size()) {
    return malformed("bad_context", what, "is not UTF-8 at byte " + std::to_string(good + 1));
  }
  const bool is_json = json::sax_parse(text, &guard);
  if (!guard.reason().empty()) return malformed(guard.reason(), what, guard.message());
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (!is_json || text[start] != '{') return malformed("bad_context", what, "is not a JSON object");
  return {};
}

/// The object in `text`, or what is wrong with it.
Result<json> parse(std::string_view text, std::size_t max_bytes, std::string_view what) {
  if (text.empty()) return json::object();
  if (auto good = check_context(text, max_bytes, what); !good) {
    return tl::unexpected(good.error());
  }
  return json::parse(text);
}

/// The value of a field, by its path of names with dots between; null where there is none.
const json* find(const json& object, std::string_view field) {
  const json* at = &object;
  for (;;) {
    const std::size_t dot = field.find('.');
    const auto found = at->is_object() ? at->find(field.substr(0, dot)) : at->end();
    if (found == at->end()) return nullptr;
    at = &*found;
    if (dot == std::string_view::npos) return at;
    field.remove_prefix(dot + 1);
  }
}

}  // namespace

Result<void> check_context(std::string_view text, std::size_t max_bytes, std::string_view what) {
  return check_object(text, max_bytes, what, Guard(false));
}

Result<void> check_labels(std::string_view text) {
  return check_object(text, limits::kLabelsBytes, "labels", Guard(true));
}

Result<std::string> merge_context(std::string_view context, std::string_view delta) {
  auto merged = parse(context, limits::kContextBytes, "context");
  if (!merged) return tl::unexpected(merged.error());
  const auto fields = parse(delta, limits::kStepContextBytes, "context of the step");
  if (!fields) return tl::unexpected(fields.error());
  for (const auto& [name, value] : fields->items()) {
    if (value.is_null()) {
      merged->erase(name);
    } else {
      (*merged)[name] = value;
    }
  }
  // Nothing stays nothing; but an object that lost its last field is not the same as no change.
  if (merged->empty()) return context.empty() ? std::string() : std::string("{}");
  std::string text = merged->dump();
  if (text.size() > limits::kContextBytes) {
    return malformed("too_large", "context",
                     "would have " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(limits::kContextBytes) + " are allowed");
  }
  return text;
}

Result<std::string> get_context(std::string_view context, std::string_view field) {
  const auto parsed = parse(context, limits::kContextBytes, "context");
  if (!parsed) return tl::unexpected(parsed.error());
  if (const json* at = find(*parsed, field)) return at->dump();
  return fail(Code::kNotFound, "no_field", "the context has no field `" + std::string(field) + "`");
}

std::optional<std::string> get_text(std::string_view context, std::string_view field) {
  const auto parsed = parse(context, limits::kContextBytes, "context");
  const json* at = parsed ? find(*parsed, field) : nullptr;
  if (at == nullptr || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

struct ContextFields::Parsed {
  json object;
};

ContextFields::ContextFields(std::string_view context) : text_(context) {}
ContextFields::~ContextFields() = default;

ContextFields::Parsed& ContextFields::parsed() {
  if (parsed_ == nullptr) {
    auto object = parse(text_, limits::kContextBytes, "context");
    parsed_ = std::make_unique<Parsed>(Parsed{object ? std::move(*object) : json::object()});
  }
  return *parsed_;
}

FieldValue ContextFields::value(std::string_view field) {
  using Kind = FieldValue::Kind;
  const json* at = find(parsed().object, field);
  if (at == nullptr) return {};
  if (at->is_null()) return {.kind = Kind::kNull};
  if (at->is_boolean()) return {.kind = Kind::kFlag, .flag = at->get<bool>()};
  if (at->is_number()) return {.kind = Kind::kNumber, .number = at->get<double>()};
  if (at->is_string()) return {.kind = Kind::kText, .text = at->get<std::string>()};
  return {.kind = Kind::kOther};
}

std::optional<std::vector<std::string>> ContextFields::list(std::string_view field) {
  const json* at = find(parsed().object, field);
  if (at == nullptr || !at->is_array()) return std::nullopt;
  std::vector<std::string> elements;
  for (const auto& element : *at) elements.push_back(element.dump());
  return elements;
}

std::string list_text(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const auto& element : elements) text += (text.size() > 1 ? "," : "") + element;
  return text + "]";
}

std::vector<std::string> list_elements(std::string_view text) {
  const json list = json::parse(text, nullptr, false);
  std::vector<std::string> elements;
  if (!list.is_array()) return elements;
  for (const auto& element : list) elements.push_back(element.dump());
  return elements;
}

std::string text_object(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  auto object = nlohmann::json::object();
  for (const auto& [name, text] : fields) {
    if (!text.empty()) object[std::string(name)] = text;
  }
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ordo
