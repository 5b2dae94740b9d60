#include "broker/net/frame_packer.hpp"

#include <gtest/gtest.h>

#include "schema/codec.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

using Frames = FramePacker::Frames;

std::vector<std::string> types(const Frames& frames) {
  std::vector<std::string> out;
  for (const auto& frame : frames) out.emplace_back(wire::type_name(*wire::decode(frame)));
  return out;
}

wire::Answer answer(std::uint64_t request, std::size_t body = 0) {
  wire::Answer made;
  made.request = request;
  made.body.assign(body, 'x');
  return made;
}

TEST(FramePacker, PutsItemsOfAKindIntoOneFrame) {
  FramePacker packer;
  Frames frames;
  for (std::uint64_t i = 0; i < 100; ++i) packer.add(answer(i), frames);
  EXPECT_TRUE(frames.empty());
  packer.flush(frames);
  ASSERT_EQ(frames.size(), 1u);
  const auto message = wire::decode(frames[0]);
  const auto& items = std::get<wire::Answers>(*message).items;
  ASSERT_EQ(items.size(), 100u);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(items[i].request, i);
  packer.flush(frames);
  EXPECT_EQ(frames.size(), 1u);
}

TEST(FramePacker, CutsByCount) {
  FramePacker packer;
  Frames frames;
  for (std::uint64_t i = 0; i < 2 * limits::kFrameItems + 1; ++i) packer.add(answer(i), frames);
  packer.flush(frames);
  EXPECT_EQ(frames.size(), 3u);
  frames.clear();
  for (std::size_t i = 0; i < limits::kFrameOffers + 1; ++i) packer.add(wire::Offer{}, frames);
  packer.flush(frames);
  EXPECT_EQ(frames.size(), 2u);
}

TEST(FramePacker, CutsBeforeAFrameGrowsTooLarge) {
  FramePacker packer;
  Frames frames;
  for (std::uint64_t i = 0; i < 10; ++i)
    packer.add(answer(i, limits::kFrameTargetBytes / 2), frames);
  packer.flush(frames);
  EXPECT_GE(frames.size(), 5u);
  for (const auto& frame : frames) EXPECT_LE(frame.size(), 2 * limits::kFrameTargetBytes);
  // One item that is larger than the target still goes, alone.
  frames.clear();
  wire::Offer large;
  large.payload.assign(limits::kPayloadBytes, 'x');
  packer.add(wire::Offer{}, frames);
  packer.add(std::move(large), frames);
  packer.flush(frames);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_LT(frames[1].size(), limits::kFrameBytes);
}

TEST(FramePacker, KeepsTheOrderOfKinds) {
  FramePacker packer;
  Frames frames;
  packer.add(wire::Offer{}, frames);
  packer.add(wire::Beat{}, frames);
  packer.add(wire::Regrant{}, frames);
  packer.add(wire::Regrant{}, frames);
  packer.add(wire::Revoked{}, frames);
  packer.add(wire::Offer{}, frames);
  packer.flush(frames);
  EXPECT_EQ(types(frames),
            (std::vector<std::string>{"Offers", "Beat", "Regrants", "Revokes", "Offers"}));
}

TEST(FramePacker, SaysWhatIsRecordedBeforeItOffersMore) {
  FramePacker packer;
  Frames frames;
  for (int i = 0; i < 10; ++i) {
    packer.add(wire::Offer{}, frames);
    packer.add(wire::Recorded{}, frames);
  }
  packer.flush(frames);
  EXPECT_EQ(types(frames), (std::vector<std::string>{"RecordedItems", "Offers"}));
  frames.clear();
  packer.add(wire::Recorded{}, frames);
  for (std::size_t i = 0; i < limits::kFrameOffers; ++i) packer.add(wire::Offer{}, frames);
  EXPECT_EQ(types(frames), (std::vector<std::string>{"RecordedItems", "Offers"}));
}

}  // namespace
}  // namespace ordo
