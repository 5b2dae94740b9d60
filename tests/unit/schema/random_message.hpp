// Random messages for tests of the codec, and a text form of any struct of the wire to compare them
// by.
//
// Shapes:  fill() gives every field a value inside its bounds; dump() names every value, so that
//          two structs are equal where their dumps are.
// Threads: plain functions.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "schema/codec_fields.hpp"

namespace ordo::wire {

template <class T> void fill(Random& random, T& value);

template <class Owner, class T> void fill_field(Random& random, const Owner& owner, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = random.chance(0.5);
  } else if constexpr (std::is_same_v<T, std::string>) {
    // Mostly short, sometimes across the borders of msgpack's forms (31, 255, 65,535 bytes).
    const std::size_t size = random.chance(0.02) ? random.below(70'000) : random.below(40);
    value.resize(size);
    for (char& c : value) c = static_cast<char>(random.below(256));
  } else if constexpr (std::is_same_v<T, OrderId>) {
    value = OrderId::make(static_cast<std::int64_t>(random.below(1ULL << 48)),
                          static_cast<unsigned>(random.below(4096)), random.next());
  } else if constexpr (std::is_same_v<T, SessionId>) {
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random.below(256));
  } else if constexpr (std::is_same_v<T, TaskKind>) {
    value = static_cast<TaskKind>(random.below(4));
  } else if constexpr (std::is_unsigned_v<T>) {
    // All magnitudes, so that every width on the wire is met.
    const std::uint64_t any = random.next() >> random.below(64);
    const std::uint64_t max = max_of(owner, &value);
    value = static_cast<T>(max == ~0ULL ? any : any % (max + 1));
  } else if constexpr (std::is_signed_v<T>) {
    value = static_cast<std::int64_t>(random.next()) >> random.below(64);
  } else if constexpr (requires { value.clear(); }) {
    value.resize(random.below(4));
    for (auto& item : value) fill_field(random, owner, item);
  } else {
    fill(random, value);
  }
}

template <class T> void fill(Random& random, T& value) {
  visit_fields(value, [&](auto&... field) { (fill_field(random, value, field), ...); });
}

template <class T> void dump(std::ostream& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    out << value.size() << '"' << value << '"';
  } else if constexpr (std::is_same_v<T, OrderId>) {
    out << value.to_string();
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    out << +static_cast<std::int64_t>(value);
  } else if constexpr (std::is_same_v<T, SessionId> || requires { value.empty(); }) {
    for (const auto& item : value) dump(out << '[', item), out << ']';
  } else {
    out << '(';
    visit_fields(value, [&](const auto&... field) { ((dump(out, field), out << ' '), ...); });
    out << ')';
  }
}

template <class T> std::string dump(const T& value) {
  std::ostringstream out;
  dump(out, value);
  return out.str();
}

inline std::string dump(const Message& message) {
  return std::visit([](const auto& body) { return dump(body); }, message);
}

/// A random message of each type, by its number.
template <std::size_t... Type>
std::vector<Message> random_messages(Random& random, std::index_sequence<Type...>) {
  std::vector<Message> all(sizeof...(Type));
  (fill(random, all[Type].emplace<Type>()), ...);
  return all;
}
inline std::vector<Message> random_messages(Random& random) {
  return random_messages(random, std::make_index_sequence<std::variant_size_v<Message>>{});
}

}  // namespace ordo::wire
