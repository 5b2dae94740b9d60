#include "tests/sim/signal_book.hpp"

#include <algorithm>

#include "schema/context.hpp"
#include "tests/sim/context.hpp"

namespace ordo::sim {

void SignalBook::fail(const char* check, const OrderId& order, const std::string& what) {
  throw Violation(check, "order " + order.to_string() + " " + what);
}

std::string SignalBook::key_of(const wire::Signal& signal) {
  return signal.name + "/" + signal.dedup;
}

bool SignalBook::is_late(const EventRow& event) { return get_text(event.note, "reason") == kLate; }

bool SignalBook::deletes_any(const StoreWrite& write) {
  return std::any_of(write.changes.begin(), write.changes.end(), [](const Change& change) {
    return std::holds_alternative<DeleteSignal>(change);
  });
}

/// Rows that go. `gone` are the signals that an event of the same write must tell of.
void SignalBook::deletes(const StoreWrite& write, const Pipeline* pipeline, Story& story,
                         std::set<std::string>& gone) {
  for (const Change& change : write.changes) {
    if (const auto* row = std::get_if<DeleteDeferred>(&change)) {
      if (row->key.kind == TaskKind::kForward) {
        story.awaited.erase(pipeline->steps[row->key.step].wait);
      }
    } else if (const auto* signal = std::get_if<DeleteSignal>(&change)) {
      const auto kept = story.kept.find(signal->seq);
      if (kept == story.kept.end()) fail("tables and picture agree", write.order, "has no signal");
      gone.insert(kept->second.key);
      story.kept.erase(kept);
    }
  }
}

void SignalBook::tells(const EventRow& event, const Pipeline& pipeline, bool is_ending,
                       std::set<std::string>& gone) {
  Story& story = stories_[event.order];
  const auto name = get_text(event.note, "signal").value_or("");
  const auto key = name + "/" + get_text(event.note, "dedup").value_or("");
  gone.erase(key);
  if (!story.seen.insert(key).second) {
    fail("a signal counts once", event.order, "tells of signal " + key + " twice");
  }
  if (!is_late(event)) return;
  if (!is_ending && story.awaited.contains(name)) {
    fail("a signal in time is taken", event.order, "calls signal " + key + " late");
  }
  check_late(event, pipeline, name);
}

/// Where its step says so, a signal that is called late has started an order.
void SignalBook::check_late(const EventRow& event, const Pipeline& pipeline,
                            const std::string& name) const {
  if (get_text(event.note, "error")) return;  // nothing of the order waits for it
  std::string late;
  for (const Step& step : pipeline.steps) late = step.wait == name ? step.late : late;
  if (late.empty()) return;
  const auto id = OrderId::parse(get_text(event.note, "order").value_or(""));
  const auto started = started_.find({event.order.to_string(), std::string(view(event.detail))});
  if (!id || started == started_.end() || started->second != *id) {
    fail("a late signal starts its order", event.order, "has " + event.note);
  }
}

void SignalBook::check_started(const OrderRow& row) {
  const auto order = get_text(row.context, "order");
  if (!order) return;
  const auto [known, is_new] =
      started_.emplace(std::pair(*order, std::string(view(row.payload))), row.id);
  if (is_new || known->second == row.id) return;
  fail("a late signal starts one order", row.id, "is the second for a signal of " + *order);
}

bool SignalBook::has_kept(const OrderId& order) const {
  const auto story = stories_.find(order);
  return story != stories_.end() &&
         std::any_of(story->second.kept.begin(), story->second.kept.end(),
                     [](const auto& one) { return one.second.is_looked_at; });
}

void SignalBook::check(const StoreWrite& write, const Pipeline* pipeline, bool has_ended) {
  Story& story = stories_[write.order];
  const bool is_ending =
      has_ended ||
      std::any_of(write.changes.begin(), write.changes.end(), [](const Change& change) {
        const auto* e = std::get_if<AppendEvent>(&change);
        return e != nullptr && e->row.status;
      });
  std::set<std::string> gone;
  deletes(write, pipeline, story, gone);
  for (const Change& change : write.changes) {
    if (const auto* event = std::get_if<AppendEvent>(&change)) {
      if (event->row.kind != EventKind::kSignalled || pipeline == nullptr) continue;
      tells(event->row, *pipeline, is_ending, gone);
    } else if (const auto* signal = std::get_if<InsertSignal>(&change)) {
      const SignalRow& row = signal->row;
      const std::string key = row.name + "/" + row.dedup;
      const bool is_double = story.seen.contains(key) ||
                             std::any_of(story.kept.begin(), story.kept.end(),
                                         [&](const auto& one) { return one.second.key == key; });
      if (is_double) fail("a signal counts once", write.order, "keeps signal " + key + " again");
      gone.erase(key);
      story.kept[row.seq] = {row.name, key, row.next_at.has_value()};
    }
  }
  for (const Change& change : write.changes) {
    const auto* row = std::get_if<InsertDeferred>(&change);
    if (row == nullptr || row->row.state != TaskState::kWaiting) continue;
    const std::string& name = pipeline->steps[row->row.task.key.step].wait;
    story.awaited.insert(name);
    for (const auto& [seq, kept] : story.kept) {
      if (kept.name != name || kept.is_looked_at) continue;
      fail("an early signal is taken", write.order, "waits for " + kept.key);
    }
  }
  if (!gone.empty()) fail("no signal is lost", write.order, "drops signal " + *gone.begin());
  for (const auto& [seq, kept] : story.kept) {
    if (!has_ended || kept.is_looked_at) continue;
    fail("an ended order keeps no signal", write.order, "has " + kept.key);
  }
}

void SignalBook::check_ack(const OrderId& order, const std::string& key) const {
  const auto story = stories_.find(order);
  const bool is_there = story != stories_.end() &&
                        (story->second.seen.contains(key) ||
                         std::any_of(story->second.kept.begin(), story->second.kept.end(),
                                     [&](const auto& one) { return one.second.key == key; }));
  if (!is_there) fail("ack after commit", order, "has no signal " + key);
}

}  // namespace ordo::sim
