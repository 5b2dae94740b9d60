// What an engine does, in words: one line for a fact, a row or a message.
//
// Shapes:  short names instead of ids (cast.hpp), times since the story's beginning, fences as
//          timeline.epoch.attempt; what is at its default is left out.
// Threads: reads the cast; one owner.
#pragma once

#include <string>

#include "broker/core/effects.hpp"
#include "tests/transcripts/cast.hpp"
#include "tests/transcripts/story.hpp"

namespace ordo::transcript {

class Wording {
 public:
  Wording(const Cast& cast, Wall beginning) : cast_(cast), beginning_(beginning) {}

  [[nodiscard]] std::string fact(const Fact& fact) const;
  /// The write's number and order, its rows, and what it will say once it is durable.
  [[nodiscard]] Lines write(const Write& write) const;
  [[nodiscard]] Lines send(const Send& send) const;
  [[nodiscard]] std::string page(const PageSpec& spec) const;

  [[nodiscard]] std::string order_row(const OrderRow& row) const;
  [[nodiscard]] std::string task_row(const TaskRow& row) const;
  [[nodiscard]] std::string deferred_row(const DeferredRow& row) const;
  [[nodiscard]] std::string signal_row(const SignalRow& row) const;
  [[nodiscard]] std::string event_row(const EventRow& row) const;

 private:
  [[nodiscard]] std::string change(const Change& change) const;
  [[nodiscard]] std::string offer(const wire::Offer& offer) const;
  [[nodiscard]] Lines answer(PeerId peer, const wire::Answer& answer) const;
  [[nodiscard]] Lines body(Asked asked, const std::string& bytes) const;
  [[nodiscard]] std::string moment(Wall at) const { return to_text(at - beginning_); }

  const Cast& cast_;
  Wall beginning_;
};

}  // namespace ordo::transcript
