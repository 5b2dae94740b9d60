// Bytes that nobody should send: each gives an error that says what is wrong, at a cost that the
// bytes pay for.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "schema/codec.hpp"
#include "tests/unit/schema/random_message.hpp"

namespace ordo::wire {
namespace {

using namespace std::string_literals;

struct Case {
  const char* name;
  std::string frame;
  const char* reason;
  const char* message;
};

std::string repeat(std::string_view bytes, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += bytes;
  return all;
}

/// Frames that are no array of ours at all. [P-9] [P-10] [P-11]
std::vector<Case> broken_frames() {
  const std::string too_long(limits::kFrameBytes + 1, '\0');
  const std::string too_many_values = "\xdd\x00\x04\x00\x00"s + repeat("\xc0"s, 262144);
  return {
      {"empty", "", "not_msgpack", "the frame is empty"},
      {"reserved byte", "\xc1"s, "not_msgpack",
       "the frame holds a byte that starts no msgpack value"},
      {"array of 4 G", "\xdd\xff\xff\xff\xff"s, "too_many",
       "an array announces more elements than the frame has bytes"},
      {"map of 4 G", "\xdf\xff\xff\xff\xff"s, "too_many",
       "an array announces more elements than the frame has bytes"},
      {"chained arrays", repeat("\xdc\xff\xff"s, 1000), "too_many",
       "an array announces more elements than the frame has bytes"},
      {"chained arrays with room", repeat("\xdc\x00\xff"s, 1000), "too_deep",
       "arrays nest deeper than 8"},
      {"10,000 arrays of one", repeat("\x91"s, 10'000), "too_deep", "arrays nest deeper than 8"},
      {"10,000 maps", repeat("\x81\xc0"s, 10'000), "too_deep", "arrays nest deeper than 8"},
      {"string of 4 GiB", "\xdb\xff\xff\xff\xff"s, "not_msgpack",
       "the frame ends in the middle of a value"},
      {"bin of 4 GiB", "\xc6\xff\xff\xff\xff"s, "not_msgpack",
       "the frame ends in the middle of a value"},
      {"ext of 4 GiB", "\xc9\xff\xff\xff\xff\x01"s, "not_msgpack",
       "the frame ends in the middle of a value"},
      {"longer than a frame", too_long, "too_large",
       "the frame has 4194305 bytes; at most 4194304 are allowed"},
      {"more values than a frame may hold", too_many_values, "too_many",
       "the frame holds more than 262144 values"},
      {"bytes after the end", "\x93\x01\x07\x05\x00"s, "not_msgpack",
       "1 bytes follow the end of the frame's array"},
      {"no array", "\xa2hi"s, "bad_envelope",
       "a frame is an array that starts with the protocol and the type"},
      {"empty array", "\x90"s, "bad_envelope",
       "a frame is an array that starts with the protocol and the type"},
      {"array of one", "\x91\x01"s, "bad_envelope",
       "a frame is an array that starts with the protocol and the type"},
      {"map for an array", "\x81\x01\x05"s, "bad_envelope",
       "a frame is an array that starts with the protocol and the type"},
      {"protocol that is a word", "\x93\xa1x\x07\x05"s, "bad_envelope",
       "the frame's first field, the protocol, is a number"},
      {"protocol below zero", "\x93\xff\x07\x05"s, "bad_envelope",
       "the frame's first field, the protocol, is a number"},
      {"another protocol", "\x93\x02\x07\x05"s, "wrong_protocol",
       "the frame speaks protocol 2; this side speaks 1"},
      {"type that is nil", "\x93\x01\xc0\x05"s, "bad_envelope",
       "the frame's second field, the type, is a number"},
      {"unknown type", "\x93\x01\x1e\x05"s, "unknown_type",
       "the frame is of type 30; known are 0 to 29"},
      {"far unknown type", "\x93\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x05"s, "unknown_type",
       "the frame is of type 18446744073709551615; known are 0 to 29"},
  };
}

/// Frames of a known type whose fields are not what the type has. [P-12]
std::vector<Case> wrong_fields() {
  return {
      {"word for a number", "\x93\x01\x07\xa1x"s, "bad_field",
       "Unwait, field 1: expected a number from 0 to 18446744073709551615, found a string of 1 "
       "bytes"},
      {"number below zero", "\x93\x01\x07\xd0\x85"s, "bad_field",
       "Unwait, field 1: expected a number from 0 to 18446744073709551615, found -123"},
      {"nil for a string", "\x93\x01\x01\xc0"s, "bad_field",
       "SayHello, field 1: expected a string, found nil"},
      {"number for a list", "\x93\x01\x05\x05"s, "bad_field",
       "Submit, field 1: expected a list, found 5"},
      {"item that is no array", "\x93\x01\x05\x92\x90\xc3"s, "bad_field",
       "Submit, field 1, item 2: expected an array of fields, found a boolean"},
      {"short id",
       "\x93\x01\x05\x91\x92\x01\xc4\x03"
       "abc"s,
       "bad_field",
       "Submit, field 1, item 1, field 2: expected 16 bytes, found a string of 3 bytes"},
      {"priority that does not fit",
       "\x93\x01\x05\x91\x94\x01\xc4\x10"s + std::string(16, 'x') + "\xa0\xcd\x01\x00"s,
       "bad_field", "Submit, field 1, item 1, field 4: expected a number from 0 to 255, found 256"},
      {"outcome that is none", "\x93\x01\x15\x91\x93\x90\x90\x05"s, "bad_field",
       "Results, field 1, item 1, field 3: expected a number from 0 to 4, found 5"},
      {"kind that is none",
       "\x93\x01\x15\x91\x91\x94\xc4\x10"s + std::string(16, 'x') + "\x00\x00\x04"s, "bad_field",
       "Results, field 1, item 1, field 1, field 4: expected a number from 0 to 3, found 4"},
      {"verb that is none", "\x94\x01\x0c\x01\x04"s, "bad_field",
       "Operate, field 2: expected a number from 0 to 3, found 4"},
      {"list of nothing known", "\x95\x01\x0a\x01\x00\x04"s, "bad_field",
       "List, field 3: expected a number from 0 to 3, found 4"},
      {"code that is none", "\x93\x01\x13\x91\x92\x01\x0b"s, "bad_field",
       "Answers, field 1, item 1, field 2: expected a number from 0 to 10, found 11"},
      {"number for a boolean", "\x95\x01\x11\x01\xa1q\x01"s, "bad_field",
       "SetQueue, field 3: expected true or false, found 1"},
      {"number past the signed ones",
       "\x95\x01\x08\x01\xc4\x10"s + std::string(16, 'x') + "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s,
       "bad_field",
       "Watch, field 3: expected a signed number of 64 bits, found 18446744073709551615"},
      {"float", "\x93\x01\x07\xca\x3f\x80\x00\x00"s, "bad_field",
       "Unwait, field 1: expected a number from 0 to 18446744073709551615, found a value of a type "
       "that the protocol does not use"},
      {"1,025 empty orders", "\x93\x01\x05\xdc\x04\x01"s + repeat("\x90"s, 1025), "too_many",
       "Submit, field 1: 1025 items; at most 1024 are allowed"},
      {"65 empty offers", "\x93\x01\x18\xdc\x00\x41"s + repeat("\x90"s, 65), "too_many",
       "Offers, field 1: 65 items; at most 64 are allowed"},
  };
}

std::vector<Case> cases() {
  std::vector<Case> all = broken_frames();
  for (Case& c : wrong_fields()) all.push_back(std::move(c));
  return all;
}

TEST(CodecOnHostileBytes, SaysWhatIsWrongAndWhere) {
  for (const Case& c : cases()) {
    const auto got = decode(c.frame);
    ASSERT_FALSE(got.has_value()) << c.name;
    EXPECT_EQ(got.error().code, Code::kMalformed) << c.name;
    EXPECT_EQ(got.error().reason, c.reason) << c.name;
    EXPECT_EQ(got.error().message, c.message) << c.name;
  }
}

TEST(CodecOnHostileBytes, GoesOnAfterEachOfThem) {
  const std::string good = encode(Unwait{7});
  for (const Case& c : cases()) {
    EXPECT_FALSE(decode(c.frame).has_value()) << c.name;
    EXPECT_TRUE(decode(good).has_value()) << c.name;
  }
}

RC_GTEST_PROP(CodecOnHostileBytes, RefusesAFrameCutAtAnyByte, (std::uint64_t seed)) {
  Random random(seed);
  for (const Message& message : random_messages(random)) {
    const std::string frame = encode(message);
    const std::size_t step = frame.size() > 2000 ? frame.size() / 500 : 1;
    for (std::size_t size = 0; size < frame.size(); size += step) {
      const auto got = decode(std::string_view(frame).substr(0, size));
      RC_ASSERT(!got.has_value());
      RC_ASSERT(got.error().reason == "not_msgpack" || got.error().reason == "too_many");
    }
  }
}

RC_GTEST_PROP(CodecOnHostileBytes, SurvivesAnyFlippedByte, (std::uint64_t seed)) {
  Random random(seed);
  for (const Message& message : random_messages(random)) {
    std::string frame = encode(message);
    for (int i = 0; i < 50; ++i) {
      frame[random.below(frame.size())] = static_cast<char>(random.below(256));
      const auto got = decode(frame);
      if (got) RC_ASSERT(decode(encode(*got)).has_value());
    }
  }
}

TEST(CodecOnHostileBytes, RefusesBodiesInTheSameWay) {
  const auto no_array = decode_body<OrderSummary>("\x05");
  ASSERT_FALSE(no_array.has_value());
  EXPECT_EQ(no_array.error().reason, "bad_envelope");
  const auto bad = decode_body<PipelineList>("\x91\x91\x91\x05");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message,
            "answer body, field 1, item 1, field 1: expected a string, found 5");
}

}  // namespace
}  // namespace ordo::wire
