// The context of an order: a small JSON object that the engine may read and that steps add fields
// to. Labels obey the same rules with a smaller bound.
//
// Shapes:  text of a JSON object (RFC 8259); empty text is the empty object. Results are compact,
//          keys sorted.
// Errors:  code malformed; reason too_large, bad_context (not a JSON object, a key twice, a NUL, a
//          number out of range) or too_deep; the message names the field (`what`) and the place.
// Threads: pure functions.
// Costs:   one parse a call; bounded by the text's size, which is checked first.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordo/result.hpp"

namespace ordo {

/// Depth of nesting that a context may have; the object itself is 1.
inline constexpr std::size_t kContextDepth = 8;

/// Whether `text` is a JSON object of at most `max_bytes`. `what` names it in errors ("labels").
Result<void> check_context(std::string_view text, std::size_t max_bytes, std::string_view what);

/// The same for labels, which besides may have no field `traceparent` or `tracestate`: an order's
/// trace is kept under these names (trace.hpp). Error: reason `trace`.
Result<void> check_labels(std::string_view text);

/// `context` with the fields of `delta` set: a field of delta replaces the whole field of the same
/// name, null removes it. At most limits::kContextBytes, and delta at most
/// limits::kStepContextBytes.
Result<std::string> merge_context(std::string_view context, std::string_view delta);

/// A field's value as JSON text ("\"paid\"", "3", "[1,2]"). `field` may name a field of a nested
/// object with dots ("customer.level"). Error: code not_found, reason no_field.
Result<std::string> get_context(std::string_view context, std::string_view field);

/// The same where the value is a string, as the text that it stands for.
std::optional<std::string> get_text(std::string_view context, std::string_view field);

/// A field's value as far as it can be compared. Lists and objects are kOther: equal to nothing.
struct FieldValue {
  enum class Kind : unsigned char { kMissing, kNull, kFlag, kNumber, kText, kOther };
  Kind kind = Kind::kMissing;
  bool flag = false;
  double number = 0;  ///< whole numbers are exact up to 2^53
  std::string text{};

  friend bool operator==(const FieldValue& a, const FieldValue& b) {
    return a.kind == b.kind && a.kind != Kind::kOther && a.flag == b.flag && a.number == b.number &&
           a.text == b.text;
  }
};

/// A context to be looked at more than once: parsed at the first look.
class ContextFields {
 public:
  explicit ContextFields(std::string_view context);
  ~ContextFields();
  ContextFields(const ContextFields&) = delete;
  ContextFields& operator=(const ContextFields&) = delete;

  [[nodiscard]] FieldValue value(std::string_view field);
  /// The elements of a field that is a list, each as JSON text; nullopt where it is none.
  [[nodiscard]] std::optional<std::vector<std::string>> list(std::string_view field);

 private:
  struct Parsed;
  Parsed& parsed();

  std::string_view text_;
  std::unique_ptr<Parsed> parsed_;
};

/// Elements as the text of a JSON list, and back.
std::string list_text(const std::vector<std::string>& elements);
std::vector<std::string> list_elements(std::string_view text);

/// A JSON object of texts, escaped; fields whose text is empty are left out. For the notes of
/// events.
std::string text_object(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

}  // namespace ordo
