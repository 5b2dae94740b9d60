#include "schema/codec.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <msgpack.hpp>
#include <utility>

#include "base/check.hpp"
#include "schema/codec_fields.hpp"
#include "schema/codec_tape.hpp"

namespace ordo::wire {
namespace {

template <class T> inline constexpr bool kIsList = false;
template <class T> inline constexpr bool kIsList<std::vector<T>> = true;

// ---- encoding ----------------------------------------------------------------------------------

/// Bytes that grow; one a thread, used again for every frame.
class FrameBuffer {
 public:
  void write(const char* data, std::size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      grow(size);
    std::memcpy(bytes_.get() + size_, data, size);
    size_ += size;
  }
  /// The bytes written since the last take().
  std::string take() {
    std::string frame(bytes_.get(), size_);
    size_ = 0;
    if (capacity_ > kKept) {
      bytes_.reset();
      capacity_ = 0;
    }
    return frame;
  }

 private:
  /// Above it, memory goes back after use: frames are cut at 256 KiB, only a rare one is larger.
  static constexpr std::size_t kKept = 1u << 20;

  void grow(std::size_t more) {
    const std::size_t wanted = std::max(size_ + more, std::max<std::size_t>(capacity_ * 2, 4096));
    auto bytes = std::make_unique_for_overwrite<char[]>(wanted);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = wanted;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

using Packer = msgpack::packer<FrameBuffer>;

void pack_bin(Packer& packer, const void* data, std::size_t size) {
  packer.pack_bin(static_cast<std::uint32_t>(size));
  packer.pack_bin_body(static_cast<const char*>(data), static_cast<std::uint32_t>(size));
}

void pack_text(Packer& packer, std::string_view text) {
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

template <class T> void pack_fields(Packer& packer, const T& value);

/// `owner` is the struct that holds the field.
template <class Owner, class T>
void pack_value(Packer& packer, const Owner& owner, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value ? packer.pack_true() : packer.pack_false();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (is_opaque(owner, &value)) return pack_bin(packer, value.data(), value.size());
    pack_text(packer, value);
  } else if constexpr (std::is_same_v<T, OrderId>) {
    pack_bin(packer, value.bytes().data(), value.bytes().size());
  } else if constexpr (std::is_same_v<T, SessionId>) {
    pack_bin(packer, value.data(), value.size());
  } else if constexpr (std::is_enum_v<T>) {
    packer.pack_uint64(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_unsigned_v<T>) {
    packer.pack_uint64(value);
  } else if constexpr (std::is_signed_v<T>) {
    packer.pack_int64(value);
  } else if constexpr (kIsList<T>) {
    packer.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& item : value) pack_value(packer, owner, item);
  } else {
    visit_fields(value, [&](const auto&... field) {
      packer.pack_array(sizeof...(field));
      (pack_value(packer, value, field), ...);
    });
  }
}

FrameBuffer& frame_buffer() {
  thread_local FrameBuffer buffer;
  return buffer;
}

// ---- decoding ----------------------------------------------------------------------------------

/// Where a fault lies, from the inside out: a field (from 1) or an item of a list (from 1).
struct Place {
  bool is_item = false;
  std::size_t number = 0;
};

/// Builds structs from a tape. A false answer means that fault() says what is wrong.
class Reader {
 public:
  explicit Reader(const Tape& tape) : at_(tape.begin()) {}

  [[nodiscard]] const Token& token() const { return *at_; }
  void next() { ++at_; }

  /// Fields in order; fewer than the struct has leave defaults, more are skipped.
  template <class T> bool read_fields(T& value, std::size_t count) {
    std::size_t index = 0;
    bool is_good = true;
    visit_fields(value, [&](auto&... field) {
      ((index < count && (is_good = read_value(value, field)) && ++index < count) && ...);
    });
    if (!is_good) {
      places_.push_back({false, index + 1});
      return false;
    }
    for (; index < count; ++index) at_ = Tape::skip(at_);
    return true;
  }

  /// "Submit, field 1, item 3, field 2: expected …".
  [[nodiscard]] Error fault(std::string_view type) const {
    std::string where(type);
    for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
      where += place->is_item ? ", item " : ", field ";
      where += std::to_string(place->number);
    }
    return {Code::kMalformed, reason_, where + ": " + problem_, {}};
  }

 private:
  template <class Owner, class T> bool read_value(const Owner& owner, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return read_bool(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (at_->kind != Token::Kind::kString) return expected("a string");
      value.assign(at_->data, at_->size);
      ++at_;
      return true;
    } else if constexpr (std::is_same_v<T, OrderId>) {
      OrderId::Bytes bytes;
      if (!read_16(bytes)) return false;
      value = OrderId(bytes);
      return true;
    } else if constexpr (std::is_same_v<T, SessionId>) {
      return read_16(value);
    } else if constexpr (std::is_same_v<T, TaskKind>) {
      std::uint64_t number = 0;
      if (!read_unsigned(number, static_cast<std::uint64_t>(TaskKind::kFallback))) return false;
      value = static_cast<TaskKind>(number);
      return true;
    } else if constexpr (std::is_unsigned_v<T>) {
      std::uint64_t number = 0;
      if (!read_unsigned(number, max_of(owner, &value))) return false;
      value = static_cast<T>(number);
      return true;
    } else if constexpr (std::is_signed_v<T>) {
      static_assert(std::is_same_v<T, std::int64_t>);
      return read_signed(value);
    } else if constexpr (kIsList<T>) {
      return read_list(owner, value);
    } else {
      if (at_->kind != Token::Kind::kArray) return expected("an array of fields");
      const std::size_t count = at_->size;
      ++at_;
      return read_fields(value, count);
    }
  }

  template <class Owner, class T> bool read_list(const Owner& owner, std::vector<T>& list) {
    if (at_->kind != Token::Kind::kArray) return expected("a list");
    const std::size_t count = at_->size;
    if (count > max_items<T>()) {
      reason_ = "too_many";
      problem_ = std::to_string(count) + " items; at most " + std::to_string(max_items<T>()) +
                 " are allowed";
      return false;
    }
    ++at_;
    list.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (read_value(owner, list[i])) continue;
      places_.push_back({true, i + 1});
      return false;
    }
    return true;
  }

  bool read_bool(bool& value) {
    if (at_->kind != Token::Kind::kBool) return expected("true or false");
    value = at_->number != 0;
    ++at_;
    return true;
  }
  bool read_unsigned(std::uint64_t& value, std::uint64_t max) {
    if (at_->kind != Token::Kind::kUnsigned || at_->number > max) {
      return expected("a number from 0 to " + std::to_string(max));
    }
    value = at_->number;
    ++at_;
    return true;
  }
  bool read_signed(std::int64_t& value) {
    const bool is_large = at_->kind == Token::Kind::kUnsigned && (at_->number >> 63) != 0;
    const bool is_number =
        at_->kind == Token::Kind::kUnsigned || at_->kind == Token::Kind::kNegative;
    if (!is_number || is_large) return expected("a signed number of 64 bits");
    value = static_cast<std::int64_t>(at_->number);
    ++at_;
    return true;
  }
  bool read_16(std::array<std::uint8_t, 16>& value) {
    if (at_->kind != Token::Kind::kString || at_->size != value.size()) {
      return expected("16 bytes");
    }
    std::memcpy(value.data(), at_->data, value.size());
    ++at_;
    return true;
  }

  /// Notes what was wanted and what stands there instead.
  bool expected(std::string_view wanted) {
    reason_ = "bad_field";
    problem_ = "expected " + std::string(wanted) + ", found " + found();
    return false;
  }
  [[nodiscard]] std::string found() const {
    switch (at_->kind) {
      case Token::Kind::kNil: return "nil";
      case Token::Kind::kBool: return "a boolean";
      case Token::Kind::kUnsigned: return std::to_string(at_->number);
      case Token::Kind::kNegative: return std::to_string(static_cast<std::int64_t>(at_->number));
      case Token::Kind::kString: return "a string of " + std::to_string(at_->size) + " bytes";
      case Token::Kind::kArray: return "an array of " + std::to_string(at_->size);
      case Token::Kind::kMap: return "a map";
      case Token::Kind::kOther: break;
    }
    return "a value of a type that the protocol does not use";
  }

  const Token* at_;
  std::vector<Place> places_;
  std::string reason_;
  std::string problem_;
};

using ReadMessage = bool (*)(Reader&, std::size_t, Message&);

template <std::size_t... Type> constexpr auto readers(std::index_sequence<Type...>) {
  return std::array<ReadMessage, sizeof...(Type)>{
      [](Reader& reader, std::size_t count, Message& message) {
        return reader.read_fields(message.emplace<Type>(), count);
      }...};
}
constexpr auto kReaders = readers(std::make_index_sequence<std::variant_size_v<Message>>{});

/// A tape for this thread; what it holds is valid until the next use.
Tape& thread_tape() {
  thread_local Tape tape;
  return tape;
}

Result<Message> read_message(const Tape& tape) {
  Reader reader(tape);
  const Token envelope = reader.token();
  if (envelope.kind != Token::Kind::kArray || envelope.size < 2) {
    return fail(Code::kMalformed, "bad_envelope",
                "a frame is an array that starts with the protocol and the type");
  }
  reader.next();
  const Token protocol = reader.token();
  if (protocol.kind != Token::Kind::kUnsigned) {
    return fail(Code::kMalformed, "bad_envelope",
                "the frame's first field, the protocol, is a number");
  }
  if (protocol.number != kProtocol) {
    return fail(Code::kMalformed, "wrong_protocol",
                "the frame speaks protocol " + std::to_string(protocol.number) +
                    "; this side speaks " + std::to_string(kProtocol));
  }
  reader.next();
  const Token type = reader.token();
  if (type.kind != Token::Kind::kUnsigned) {
    return fail(Code::kMalformed, "bad_envelope",
                "the frame's second field, the type, is a number");
  }
  if (type.number >= kReaders.size()) {
    return fail(Code::kMalformed, "unknown_type",
                "the frame is of type " + std::to_string(type.number) + "; known are 0 to " +
                    std::to_string(kReaders.size() - 1));
  }
  reader.next();
  Result<Message> message{tl::in_place};
  if (!kReaders[type.number](reader, envelope.size - 2, *message)) {
    return tl::unexpected(reader.fault(kTypeNames[type.number]));
  }
  return message;
}

}  // namespace

std::string encode(const Message& message) {
  FrameBuffer& buffer = frame_buffer();
  Packer packer(buffer);
  std::visit(
      [&](const auto& body) {
        visit_fields(body, [&](const auto&... field) {
          packer.pack_array(2 + sizeof...(field));
          packer.pack_uint32(kProtocol);
          packer.pack_uint64(message.index());
          (pack_value(packer, body, field), ...);
        });
      },
      message);
  return buffer.take();
}

Result<Message> decode(std::string_view frame) {
  Tape& tape = thread_tape();
  const auto parsed = tape.parse(frame);
  if (!parsed) return tl::unexpected(parsed.error());
  Result<Message> message = read_message(tape);
  tape.trim();
  return message;
}

std::string_view type_name(const Message& message) { return kTypeNames[message.index()]; }

template <class Body> std::string encode_body(const Body& body) {
  FrameBuffer& buffer = frame_buffer();
  Packer packer(buffer);
  pack_value(packer, body, body);
  return buffer.take();
}

template <class Body> Result<Body> decode_body(std::string_view bytes) {
  Tape& tape = thread_tape();
  const auto parsed = tape.parse(bytes);
  if (!parsed) return tl::unexpected(parsed.error());
  Reader reader(tape);
  const Token head = reader.token();
  if (head.kind != Token::Kind::kArray) {
    return fail(Code::kMalformed, "bad_envelope", "the body of an answer is an array of fields");
  }
  reader.next();
  Result<Body> body{tl::in_place};
  if (!reader.read_fields(*body, head.size)) return tl::unexpected(reader.fault("answer body"));
  tape.trim();
  return body;
}

#define ORDO_BODY(Body)                                \
  template std::string encode_body<Body>(const Body&); \
  template Result<Body> decode_body<Body>(std::string_view);
ORDO_BODY(OrderSummary)
ORDO_BODY(OrderView)
ORDO_BODY(OrderPage)
ORDO_BODY(EventPage)
ORDO_BODY(Explanation)
ORDO_BODY(PipelineView)
ORDO_BODY(PipelineList)
ORDO_BODY(QueueList)
ORDO_BODY(WorkerList)
ORDO_BODY(SignalList)
#undef ORDO_BODY

Answer to_answer(std::uint64_t request, const Error& error) {
  Answer answer;
  answer.request = request;
  answer.code = static_cast<std::uint8_t>(error.code);
  answer.reason = error.reason;
  answer.message = error.message;
  answer.retry_after_ms =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, error.retry_after.count()));
  return answer;
}

Error to_error(const Answer& answer) {
  ORDO_CHECK(answer.code != 0, answer.request);
  // 2^53 ms is past every wait there is; it keeps a hostile value from overflowing arithmetic on
  // durations.
  const std::uint64_t wait = std::min<std::uint64_t>(answer.retry_after_ms, 1ULL << 53);
  return {static_cast<Code>(answer.code), answer.reason, answer.message,
          std::chrono::milliseconds(static_cast<std::int64_t>(wait))};
}

}  // namespace ordo::wire
