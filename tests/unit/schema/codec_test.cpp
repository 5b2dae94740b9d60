// Messages that come back as they went, in a form that does not change by accident.
#include "schema/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/schema/random_message.hpp"

namespace ordo::wire {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

RC_GTEST_PROP(Codec, GivesBackEveryMessageAsItWent, (std::uint64_t seed)) {
  Random random(seed);
  for (const Message& sent : random_messages(random)) {
    const std::string frame = encode(sent);
    const auto got = decode(frame);
    RC_ASSERT(got.has_value());
    RC_ASSERT(got->index() == sent.index());
    RC_ASSERT(dump(*got) == dump(sent));
    RC_ASSERT(encode(*got) == frame);
  }
}

template <class Body> bool comes_back(Random& random) {
  Body sent;
  fill(random, sent);
  const auto got = decode_body<Body>(encode_body(sent));
  return got.has_value() && dump(*got) == dump(sent);
}

RC_GTEST_PROP(Codec, GivesBackEveryBodyAsItWent, (std::uint64_t seed)) {
  Random random(seed);
  RC_ASSERT(comes_back<OrderSummary>(random));
  RC_ASSERT(comes_back<OrderView>(random));
  RC_ASSERT(comes_back<OrderPage>(random));
  RC_ASSERT(comes_back<EventPage>(random));
  RC_ASSERT(comes_back<Explanation>(random));
  RC_ASSERT(comes_back<PipelineView>(random));
  RC_ASSERT(comes_back<PipelineList>(random));
  RC_ASSERT(comes_back<QueueList>(random));
  RC_ASSERT(comes_back<WorkerList>(random));
  RC_ASSERT(comes_back<SignalList>(random));
}

// [P-5] [P-6]
TEST(Codec, WritesTheBytesThatTheSpecificationShows) {
  Unwait unwait;
  unwait.request = 300;
  EXPECT_EQ(hex(encode(unwait)), "930107cd012c");

  Submit submit;
  OrderRequest order;
  order.request = 1;
  order.id = OrderId::make(0x0123456789ab, 5, 0);
  order.pipeline = "job";
  order.payload = "hi";
  submit.orders.push_back(order);
  EXPECT_EQ(hex(encode(submit)),
            "930105919d01c4100123456789ab70058000000000000000a36a6f6205c402686900"
            "00a0a0a0a0a0a0");
}

// [P-13]
TEST(Codec, TakesStringForBinAndBinForString) {
  // A SayHello whose reason, a text, comes as a bin; an Answer whose body, a bin, comes as a text.
  const auto got = decode(std::string("\x93\x01\x01\xc4\x02hi", 7));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(std::get<SayHello>(*got).reason, "hi");
  const auto answers = decode(std::string("\x93\x01\x13\x91\x96\x01\x00\xa0\xa0\x00\xa2hi", 13));
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  EXPECT_EQ(std::get<Answers>(*answers).items.at(0).body, "hi");
}

// [P-7]
TEST(Codec, IgnoresTrailingFieldsThatItDoesNotKnow) {
  // Unwait 7 with further fields: nil, a map of an array, a float, an ext, a string.
  const std::string frame(
      "\x98\x01\x07\x07\xc0\x81\xa1k\x92\x01\xa1x\xca\x00\x00\x00\x00"
      "\xd4\x05\x00\xa2ok",
      23);
  const auto got = decode(frame);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(std::get<Unwait>(*got).request, 7u);
}

// [P-7]
TEST(Codec, IgnoresTrailingFieldsInsideLists) {
  // Answers of two items, the first with a seventh field that nests.
  const std::string frame("\x93\x01\x13\x92\x97\x01\x00\xa0\xa0\x00\xa0\x92\x01\x02\x91\x09", 16);
  const auto got = decode(frame);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  const auto& items = std::get<Answers>(*got).items;
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].request, 1u);
  EXPECT_EQ(items[1].request, 9u);
}

// [P-7]
TEST(Codec, GivesMissingFieldsTheirDefaults) {
  const auto got = decode(std::string_view("\x92\x01\x02", 3));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  const auto& welcome = std::get<Welcome>(*got);
  EXPECT_EQ(welcome.beat_ms, 1000u);
  EXPECT_EQ(welcome.silence_ms, 3000u);
  EXPECT_TRUE(welcome.shards.empty());
}

TEST(Codec, NamesEveryType) {
  EXPECT_EQ(type_name(Message(Beat{})), "Beat");
  EXPECT_EQ(type_name(Message(Submit{})), "Submit");
  EXPECT_EQ(type_name(Message(Revokes{})), "Revokes");
  EXPECT_EQ(type_name(Message(Signal{})), "Signal");
}

TEST(Codec, CarriesAnErrorInAnAnswer) {
  const Error error{Code::kBusy, "inbox_full", "the inbox is full", std::chrono::milliseconds(40)};
  const Answer answer = to_answer(9, error);
  EXPECT_EQ(answer.request, 9u);
  EXPECT_EQ(to_error(answer), error);
}

TEST(Codec, BoundsTheWaitOfAnAnswer) {
  Answer answer;
  answer.code = static_cast<std::uint8_t>(Code::kBusy);
  answer.retry_after_ms = ~0ULL;
  EXPECT_EQ(to_error(answer).retry_after.count(), std::int64_t{1} << 53);
}

}  // namespace
}  // namespace ordo::wire
