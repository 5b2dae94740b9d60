// Packs what a core sends to one peer into frames: many items of a kind in one, cut before it grows
// too large.
//
// Order:   as given, with one exception: while both gather, what was recorded goes before new
//          offers. (An offer never precedes the word about an earlier task that it depends on, and
//          the two kinds alternate all the time.)
// Bounds:  kFrameItems or kFrameOffers items, and no further item once about kFrameTargetBytes are
//          in.
// Threads: one owner.
// Costs:   one move an item, one encoding a frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/effects.hpp"

namespace ordo {

class FramePacker {
 public:
  using Frames = std::vector<std::string>;

  /// Takes the item; frames that are complete by it are appended.
  void add(Send::Item&& item, Frames& out);
  /// What is left becomes frames.
  void flush(Frames& out);
  [[nodiscard]] bool is_empty() const { return gathering_ == Gathering::kNothing; }

 private:
  /// What waits. Only the two kinds of kWork wait together.
  enum class Gathering : std::uint8_t { kNothing, kAnswers, kWork, kRegrants, kRevokes };

  void gather(Gathering kind, Frames& out);
  void add_one(wire::Answer&& item, Frames& out);
  void add_one(wire::Offer&& item, Frames& out);
  void add_one(wire::Recorded&& item, Frames& out);
  void add_one(wire::Regrant&& item, Frames& out);
  void add_one(wire::Revoked&& item, Frames& out);
  template <class Single> void add_one(Single&& item, Frames& out);

  Gathering gathering_ = Gathering::kNothing;
  std::size_t bytes_ = 0;  ///< of answers or offers, about
  std::vector<wire::Answer> answers_;
  std::vector<wire::Offer> offers_;
  std::vector<wire::Recorded> recorded_;
  std::vector<wire::Regrant> regrants_;
  std::vector<wire::Revoked> revokes_;
};

}  // namespace ordo
