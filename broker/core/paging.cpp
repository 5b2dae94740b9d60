// What is not in hand comes back: orders on demand, the backlog when the window has room, the
// schedule when due.
#include <algorithm>

#include "broker/core/state.hpp"

namespace ordo {

bool Backlog::has_more() const {
  return std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.has_more(); });
}

/// Runs `action` with the order: at once when it is resident, after its insert when that is under
/// way, else after loading it. The store keeps loads and writes in order, so what is loaded is
/// never behind memory.
void Engine::State::with_order(Shard& shard, const OrderId& id, std::optional<Asker> asker,
                               Shard::Action action) {
  const auto found = shard.orders.find(id);
  if (found != shard.orders.end() && !found->second->is_inserting) {
    action(found->second.get());
    const auto after = shard.orders.find(id);
    if (after != shard.orders.end()) evict_if_idle(shard, *after->second);
    return;
  }
  shard.loading[id].waiting.push_back({std::move(action), asker});
  if (found == shard.orders.end()) load(shard, id);
}

void Engine::State::evict_if_idle(Shard& shard, Order& order) {
  if (!order.is_idle()) return;
  shard.orders.erase(OrderId(order.row.id));
}

/// Runs `action` once nothing of the order is on its way into the tables.
void Engine::State::when_settled(Order& order, std::optional<Asker> asker, Shard::Action action) {
  shards_.at(order.shard).loading[order.row.id].waiting.push_back({std::move(action), asker});
}

/// Asks for an order once, together with the others of this step: each load is a barrier between
/// commits.
void Engine::State::load(Shard& shard, const OrderId& id) {
  auto& loading = shard.loading[id];
  if (std::exchange(loading.is_asked, true)) return;
  shard.to_load.push_back(id);
}

void Engine::State::run_waiting(Shard& shard, const OrderId& id) {
  const auto waiting = shard.loading.find(id);
  if (waiting == shard.loading.end()) return;
  auto actions = std::move(waiting->second.waiting);
  orphans_.rows = std::move(waiting->second.orphans);
  orphans_.durable = orphans_.rows.size();
  shard.loading.erase(waiting);
  for (auto& one : actions) {
    const auto found = shard.orders.find(id);
    if (found != shard.orders.end() && found->second->is_inserting) {
      shard.loading[id].waiting.push_back(
          std::move(one));  // one before it submitted the order anew
      continue;
    }
    one.run(found == shard.orders.end() ? nullptr : found->second.get());
  }
  orphans_ = {};
}

/// What was given out of an order that was dropped is known again before one of its rows, a missed
/// deadline say, ends it: those attempts may have had their effects.
void Engine::State::run_claims(Shard& shard, Order& order) {
  const auto loading = shard.loading.find(order.row.id);
  if (loading == shard.loading.end()) return;
  std::vector<Shard::Action> claims;
  std::erase_if(loading->second.waiting, [&](auto& one) {
    if (one.is_claim) claims.push_back(std::move(one.run));
    return one.is_claim;
  });
  for (const auto& claim : claims) claim(&order);
}

void Engine::State::on(event::OrdersLoaded& loaded) {
  Shard* shard = live_shard(loaded.shard, loaded.incarnation);
  if (shard == nullptr) return;
  shard->alive = now.steady;
  for (auto& snapshot : loaded.found) {
    if (snapshot.is_absent) {
      const auto waiting = shard->loading.find(snapshot.order.id);
      if (waiting != shard->loading.end()) waiting->second.orphans = std::move(snapshot.signals);
      continue;
    }
    if (const auto known = shard->orders.find(snapshot.order.id); known != shard->orders.end()) {
      learn_signals(*known->second, snapshot);
      continue;
    }
    const OrderId id = snapshot.order.id;
    restore(*shard, snapshot);
    const auto restored = shard->orders.find(id);
    if (restored == shard->orders.end()) continue;
    run_claims(*shard, *restored->second);
    take_passed_rows(*shard, *restored->second);
  }
  for (const auto& id : loaded.asked) {
    run_waiting(*shard, id);
    const auto found = shard->orders.find(id);
    if (found == shard->orders.end()) continue;
    for (std::size_t i = 0; i < found->second->tasks.size(); ++i) {
      Task& task = *found->second->tasks[i];
      if (task.hold != Hold::kUnclaimed) continue;
      if (task.is_in_deferred && task.is_suspect) {
        wait_for_claim(*shard, task);
      } else if (task.is_in_deferred && task.is_last_try()) {
        cut_short(task, {.has_run = false});
      } else if (task.is_in_deferred) {
        make_ready(task);  // it was not given out since its row was read
      } else if (!shard->grace_until) {
        go_out_again(task);
      }
    }
    evict_if_idle(*shard, *found->second);
  }
}

void Engine::State::on(event::PageLoaded& loaded) {
  Shard* shard = live_shard(loaded.shard, loaded.incarnation);
  if (shard == nullptr) return;
  shard->alive = now.steady;
  const auto& spec = loaded.spec;
  if (spec.what == PageSpec::What::kSignals) return signals_paged(*shard, loaded);
  auto& page = loaded.page;
  for (auto& snapshot : page.orders) {
    const auto resident = shard->orders.find(snapshot.order.id);
    if (resident == shard->orders.end()) {
      // One that is being read anyway brings the rows that this page passes.
      if (!shard->loading.contains(snapshot.order.id)) resurrect(*shard, snapshot);
    } else if (resident->second->is_inserting) {
      // The same order is being handed in once more: it is read when that has been refused, with
      // the rows that this page has passed.
      with_order(*shard, snapshot.order.id, std::nullopt, [](Order*) {});
    } else if (planted_.stale_join) {
      resident->second->done.reset();
      for (const auto& done : snapshot.done) resident->second->done.set(done.step);
    }
  }
  for (const auto& row : page.rows) {
    if (spec.what != PageSpec::What::kDue) {
      auto& line = line_of(*shard, spec);
      if (line.suspects > 0) {
        --line.suspects;
        line.suspect_seq = row.task.seq;
      }
    }
    take_row(*shard, row);
  }
  for (const auto& row : page.rows) {
    const auto found = shard->orders.find(row.task.key.order);
    if (found != shard->orders.end()) evict_if_idle(*shard, *found->second);
  }
  if (spec.what == PageSpec::What::kDue) {
    shard->is_paging_due = false;
    if (!page.rows.empty()) {
      shard->due_cursor = *page.rows.back().run_at;
      shard->due_cursor_seq = page.rows.back().task.seq;
    }
    if (page.next_due) expect_due(*shard, *page.next_due);
    if (!page.is_last && !page.rows.empty()) expect_due(*shard, *page.rows.back().run_at);
    return;
  }
  Queue& queue = queue_named(spec.queue);
  auto& line = line_of(*shard, spec);
  if (!page.rows.empty()) line.cursor = page.rows.back().task.seq;
  if (page.is_last) {
    line.is_unknown = false;
    line.cursor = std::max(line.cursor, line.asked);
  }
  const auto read = [&](auto& lines, bool has_more) {
    lines.is_paging = false;
    lines.count -= std::min<std::uint64_t>(lines.count, page.rows.size());
    if (!has_more) lines.count = 0;
  };
  if (spec.what == PageSpec::What::kBacklog) {
    auto& backlog = shard->backlogs[queue.index];
    read(backlog, backlog.has_more());
  } else {
    read(shard->held[{gate_labelled(spec.holder)->index, queue.index}], line.has_more());
  }
  Fact paged{.kind = FactKind::kPagedIn, .shard = shard->number};
  paged.queue = &queue.name;
  paged.count = page.rows.size();
  fact(std::move(paged));
  wake(queue);
}

/// The line that a page of a backlog or of held rows belongs to.
BacklogLine& Engine::State::line_of(Shard& shard, const PageSpec& spec) {
  const auto queue = queue_named(spec.queue).index;
  if (spec.what == PageSpec::What::kBacklog) return shard.backlogs[queue].lines[spec.priority];
  return shard.held[{gate_labelled(spec.holder)->index, queue}].line;
}

/// One deferred row whose turn has come. It stays in its table until whatever ends the task deletes
/// it.
void Engine::State::take_row(Shard& shard, const DeferredRow& row) {
  const auto found = shard.orders.find(row.task.key.order);
  if (found == shard.orders.end()) return;
  Order& order = *found->second;
  const auto known = std::find_if(order.deferred.begin(), order.deferred.end(), [&](const auto& d) {
    return d.task.key == row.task.key && d.state == row.state && d.task.seq == row.task.seq;
  });
  if (known == order.deferred.end()) return;  // it went while the page was being read
  if (row.task.key.kind == TaskKind::kDeadline) return deadline_missed(order);
  if (row.state == TaskState::kWaiting) return wait_timed_out(order, row);
  const auto take = [&]() -> Task& {
    order.deferred.erase(known);
    Task& task = take_in_hand(order, row.task);
    task.is_in_deferred = true;
    return task;
  };
  // A leased sibling of an earlier epoch, whose row never left its table.
  if (order.is_ending && row.task.key.kind != TaskKind::kCompensate) {
    return wait_for_claim(shard, take());
  }
  const bool waits_for_time = row.state == TaskState::kScheduled;
  Queue& queue = queue_named(row.task.queue);
  // One that has a turn is waited for: it needs no room.
  const bool has_turn = keys_.line_of(row.task.key) != nullptr;
  if (waits_for_time && !has_turn && place(shard, queue, row.task.priority) == Place::kBacklog) {
    transition(row.task.key, TaskState::kScheduled, Cause::kWindowFull);
    auto change = draft(shard, order);
    DeferredRow moved = row;
    moved.state = TaskState::kBacklog;
    moved.run_at.reset();
    moved.reason.clear();
    if (is_suspect(shard, row)) moved.task.maybe = true;
    moved.task.seq = shard.next_seq();
    undefer(change, row.task.key);
    defer(change, std::move(moved));
    commit(std::move(change));
    return;
  }
  Task& task = take();
  transition(task.key(), row.state, cause_of_return(row.state));
  if (is_suspect(shard, row)) return wait_for_claim(shard, task);
  make_ready(task);
}

/// Rows that a page brought before and that nobody holds any more (their order was dropped): no
/// page will bring them again.
void Engine::State::take_passed_rows(Shard& shard, Order& order) {
  const std::vector<DeferredRow> rows = order.deferred;
  for (const auto& row : rows) {
    bool has_passed = false;
    if (row.state == TaskState::kBacklog) {
      const auto& line = shard.backlogs[queue_named(row.task.queue).index].lines[row.task.priority];
      has_passed = row.task.seq <= line.cursor;
    } else if (row.state == TaskState::kHeld) {
      const HeldLine* held = held_line(shard, row.task, row.reason);
      has_passed = held != nullptr && row.task.seq <= held->line.cursor;
    } else if (row.run_at) {
      has_passed =
          std::pair(*row.run_at, row.task.seq) <= std::pair(shard.due_cursor, shard.due_cursor_seq);
    }
    // One before it may have ended the order, which takes all rows but those of async steps.
    const bool is_there =
        std::any_of(order.deferred.begin(), order.deferred.end(),
                    [&](const auto& one) { return one.task.key == row.task.key; });
    if (!has_passed || !is_there) continue;
    if (row.task.key.kind == TaskKind::kDeadline) {
      if (order.is_ending) continue;
      deadline_missed(order);
      if (order.is_ending) return;  // everything that was not running went with it
      continue;
    }
    if (row.state == TaskState::kWaiting) {
      wait_timed_out(order, row);
      if (order.is_ending) return;  // the same
      continue;
    }
    std::erase_if(order.deferred, [&](const auto& one) { return one.task.key == row.task.key; });
    Task& task = take_in_hand(order, row.task);
    task.is_in_deferred = true;
    task.is_suspect = is_suspect(shard, row);
    task.hold = Hold::kUnclaimed;  // goes out again once whoever asked for the order has had it
  }
}

void Engine::State::add_to_backlog(Shard& shard, const TaskRow& row) {
  auto& backlog = shard.backlogs[queue_named(row.queue).index];
  backlog.lines[row.priority].written = row.seq;
  ++backlog.count;
}

void Engine::State::page_backlogs(Shard& shard) {
  for (auto& [index, backlog] : shard.backlogs) page_backlog(shard, *queue_list_[index], backlog);
}

/// Oldest first when the window is half empty, with a share per priority.
void Engine::State::page_backlog(Shard& shard, Queue& queue, Backlog& backlog) {
  if (backlog.is_paging || queue.is_paused || is_draining_ || !backlog.has_more()) return;
  const std::uint32_t half = settings_.window_tasks / 2;
  if (queue.is_shut() || queue.occupied() > half || queue.in_hand >= settings_.window_tasks ||
      queue.in_hand_bytes > settings_.window_bytes / 2)
    return;
  std::size_t best = limits::kPriorities;
  for (std::size_t p = 0; p < limits::kPriorities; ++p) {
    if (!backlog.lines[p].has_more()) continue;
    // A line that had nothing for long has no claim on the turns that it did not need.
    if (!backlog.had_more[p]) backlog.pass[p] = std::max(backlog.pass[p], backlog.pass_now);
    if (best == limits::kPriorities || backlog.pass[p] < backlog.pass[best]) best = p;
  }
  for (std::size_t p = 0; p < limits::kPriorities; ++p) {
    backlog.had_more[p] = backlog.lines[p].has_more();
  }
  backlog.pass_now = backlog.pass[best];
  backlog.pass[best] += priority_stride(best);
  backlog.is_paging = true;
  auto& line = backlog.lines[best];
  line.asked = line.written;
  PageSpec spec;
  spec.what = PageSpec::What::kBacklog;
  spec.queue = queue.name;
  spec.priority = static_cast<std::uint8_t>(best);
  spec.after_seq = line.cursor;
  spec.is_suspect = line.suspects > 0;
  const auto room = static_cast<std::uint32_t>(settings_.window_tasks - queue.in_hand);
  spec.limit = std::clamp<std::uint32_t>(std::min(room, settings_.page_rows), 1, 10'000);
  spec.limit_bytes = settings_.window_bytes / 4;
  out->store.push_back({shard.number, LoadPage{shard.incarnation, std::move(spec)}});
}

void Engine::State::expect_due(Shard& shard, Wall at) {
  if (planted_.lost_timers && shard.epoch > 1) return;  // a bug on purpose
  if (!shard.next_due || at < *shard.next_due) shard.next_due = at;
}

void Engine::State::page_due(Shard& shard) {
  if (!shard.is_open() || shard.is_paging_due || !shard.next_due) return;
  const Wall wall = shard.wall(now.steady);
  if (*shard.next_due > wall) return;
  shard.next_due.reset();
  shard.is_paging_due = true;
  PageSpec spec;
  spec.what = PageSpec::What::kDue;
  spec.due_after = shard.due_cursor;
  spec.after_seq = shard.due_cursor_seq;
  spec.due_until = wall;
  spec.limit = std::min<std::uint32_t>(settings_.page_rows, 500);
  out->store.push_back({shard.number, LoadPage{shard.incarnation, std::move(spec)}});
}

}  // namespace ordo
