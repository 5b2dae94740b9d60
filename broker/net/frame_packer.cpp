#include "broker/net/frame_packer.hpp"

#include <utility>

#include "schema/codec.hpp"
#include "schema/limits.hpp"

namespace ordo {
namespace {

// What the fixed fields of an answer or an offer take on the wire, about: names and payloads are
// counted exactly.
constexpr std::size_t kAnswerBytes = 16;
constexpr std::size_t kOfferBytes = 80;

std::size_t size_of(const wire::Answer& answer) {
  return kAnswerBytes + answer.reason.size() + answer.message.size() + answer.body.size();
}

std::size_t size_of(const wire::Offer& offer) {
  std::size_t size = kOfferBytes + offer.pipeline.size() + offer.step.size() +
                     offer.handler.size() + offer.queue.size() + offer.payload.size() +
                     offer.context.size();
  for (const auto& result : offer.results) size += result.step.size() + result.result.size() + 8;
  return size;
}

/// A frame of the items, which are gone then; nothing where there are none.
template <class Envelope, class Item>
void send_all(std::vector<Item>& items, FramePacker::Frames& out) {
  if (items.empty()) return;
  const std::size_t count = items.size();
  wire::Message message(std::in_place_type<Envelope>);
  std::get<Envelope>(message).items = std::move(items);
  out.push_back(wire::encode(message));
  // The vector's memory comes back for the next frame.
  items = std::move(std::get<Envelope>(message).items);
  items.clear();
  if (count > limits::kFrameItems) items.shrink_to_fit();
}

}  // namespace

void FramePacker::flush(Frames& out) {
  send_all<wire::Answers>(answers_, out);
  send_all<wire::RecordedItems>(recorded_, out);
  send_all<wire::Offers>(offers_, out);
  send_all<wire::Regrants>(regrants_, out);
  send_all<wire::Revokes>(revokes_, out);
  gathering_ = Gathering::kNothing;
  bytes_ = 0;
}

void FramePacker::gather(Gathering kind, Frames& out) {
  if (gathering_ != kind) flush(out);
  gathering_ = kind;
}

void FramePacker::add_one(wire::Answer&& item, Frames& out) {
  gather(Gathering::kAnswers, out);
  const std::size_t size = size_of(item);
  if (bytes_ != 0 && bytes_ + size > limits::kFrameTargetBytes) {
    flush(out);
    gathering_ = Gathering::kAnswers;
  }
  bytes_ += size;
  answers_.push_back(std::move(item));
  if (answers_.size() >= limits::kFrameItems) flush(out);
}

void FramePacker::add_one(wire::Offer&& item, Frames& out) {
  gather(Gathering::kWork, out);
  const std::size_t size = size_of(item);
  if (bytes_ != 0 && bytes_ + size > limits::kFrameTargetBytes) {
    flush(out);
    gathering_ = Gathering::kWork;
  }
  bytes_ += size;
  offers_.push_back(std::move(item));
  if (offers_.size() >= limits::kFrameOffers) flush(out);
}

void FramePacker::add_one(wire::Recorded&& item, Frames& out) {
  gather(Gathering::kWork, out);
  recorded_.push_back(std::move(item));
  if (recorded_.size() >= limits::kFrameItems) send_all<wire::RecordedItems>(recorded_, out);
}

void FramePacker::add_one(wire::Regrant&& item, Frames& out) {
  gather(Gathering::kRegrants, out);
  regrants_.push_back(std::move(item));
  if (regrants_.size() >= limits::kFrameItems) flush(out);
}

void FramePacker::add_one(wire::Revoked&& item, Frames& out) {
  gather(Gathering::kRevokes, out);
  revokes_.push_back(std::move(item));
  if (revokes_.size() >= limits::kFrameItems) flush(out);
}

template <class Single> void FramePacker::add_one(Single&& item, Frames& out) {
  flush(out);
  out.push_back(wire::encode(wire::Message(std::forward<Single>(item))));
}

void FramePacker::add(Send::Item&& item, Frames& out) {
  std::visit([this, &out](auto&& one) { add_one(std::move(one), out); }, std::move(item));
}

}  // namespace ordo
