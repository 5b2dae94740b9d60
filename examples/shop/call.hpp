// What is asked of a service of the shop, and what its ledger keeps of it.
//
// Shapes:  an effect key is ORDER/step/branch/kind, the same on every attempt of a task; a key of
//          another form must come with the field `order`. A field is looked for in the body itself,
//          then in its objects `element`, `context` and `payload`, so that what a worker sends
//          along of an order need not be picked apart. An Entry is one line: a JSON object.
// Units:   cents; milliseconds of wall time.
// Errors:  parse() kMalformed with what is missing; entry_of() kMalformed.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ordo/result.hpp"

namespace ordo::shop {

using Json = nlohmann::json;

/// Longest key that is taken: an id, a step's name (64), a branch, a kind, and room for suffixes.
inline constexpr std::size_t kKeyBytes = 256;

struct EffectName {
  std::string order, step, branch, kind;
};
/// The parts of an effect key; nullopt for a key of another form.
std::optional<EffectName> split_key(std::string_view key);

class Call {
 public:
  /// `body` is the text of a request, `key` its Idempotency-Key.
  static Result<Call> parse(std::string key, std::string operation, std::string_view body);

  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::string& operation() const { return operation_; }
  [[nodiscard]] const std::string& order() const { return order_; }
  /// The step's name where the key has one.
  [[nodiscard]] const std::string& step() const { return step_; }
  /// ORDER/branch, or the field `reference`: what a confirmation finds its reservation by.
  [[nodiscard]] std::string reference() const;
  /// The key of the effect that this call is to undo; empty: none.
  [[nodiscard]] const std::string& undoes() const { return undoes_; }
  [[nodiscard]] std::uint32_t attempt() const;

  [[nodiscard]] std::string text(std::string_view field, std::string_view otherwise = {}) const;
  [[nodiscard]] std::optional<double> number(std::string_view field) const;
  /// `cents`, or `amount` times a hundred; nullopt where there is none or it is negative.
  [[nodiscard]] std::optional<std::int64_t> cents() const;
  /// `quantity`; 1 where there is none; 0 where it is no whole number from 1 to 1,000,000.
  [[nodiscard]] std::int64_t quantity() const;
  /// The order that money is paid back for: of the body's `of`, the context's `order`, or its own.
  [[nodiscard]] std::string original() const;
  [[nodiscard]] const Json& body() const { return body_; }

 private:
  [[nodiscard]] const Json* find(std::string_view field) const;

  std::string key_, operation_, order_, step_, branch_, undoes_;
  Json body_;
};

/// One effect, or the refusal of one, as it stands in a ledger.
struct Entry {
  std::int64_t at_ms = 0;
  std::string key;
  std::string operation;
  bool is_done = true;  ///< else refused for good, for `reason`
  std::string reason{};
  std::string order{};
  std::string reference{};
  std::string item{};
  std::string undoes{};       ///< a key: what was there is undone, what comes later is refused
  std::int64_t quantity = 0;  ///< that were moved
  std::int64_t cents = 0;
  std::int64_t opened = 0;  ///< of an item that was not known before: so many were put on the shelf
  Json result = Json::object();
};

std::string line_of(const Entry& entry);
Result<Entry> entry_of(std::string_view line);

/// Makes `entry` a refusal.
void refuse(Entry& entry, std::string_view reason);

}  // namespace ordo::shop
