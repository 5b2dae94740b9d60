#include "broker/app/loop.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "schema/codec.hpp"

namespace ordo {
namespace {

// Nothing to do is no reason to look dead: health wants a stamp several times a second.
constexpr Millis kLongestSleep{200};
constexpr Millis kSampleEvery{1000};
// The loop asks the engine for its queues as a client that no socket knows.
constexpr PeerId kOurselves = 0;
constexpr std::uint64_t kAskQueues = 1;
constexpr std::uint64_t kAskWorkers = 2;

}  // namespace

Loop::Loop(Parts parts)
    : parts_(parts),
      probe_(parts.book),
      busy_(parts.book.counter(metrics::kLoopBusy)),
      pass_seconds_(parts.book.histogram(metrics::kLoopPass)) {
  std::vector<ShardNumber> shards;
  for (const auto& [number, threads] : parts.shards) shards.push_back(number);
  probe_.expect(shards);
}

void Loop::run() {
  parts_.engine.start(now_times(), effects_);
  perform();
  while (!is_over()) pass();
  parts_.gateway.flush();
}

void Loop::drain() {
  must_drain_ = true;
  parts_.mailbox.wake();
}

bool Loop::is_over() const {
  if (failure_) return true;
  if (!drain_until_) return false;
  return parts_.engine.counts().writes_in_flight == 0 || steady_now() >= *drain_until_;
}

void Loop::pass() {
  const Steady began = steady_now();
  if (must_drain_ && !drain_until_) begin_drain();
  follow_keys(began);
  bool worked = take_mail();
  worked |= take_frames(Gateway::Side::kWorker);
  worked |= take_frames(Gateway::Side::kClient);
  worked |= take_gone();
  const auto deadline = parts_.engine.next_deadline();
  if (deadline && *deadline <= began) {
    step(event::TimePassed{});
    perform();
  }
  const Steady now = steady_now();
  parts_.health.stamp(now);
  if (now >= next_sample_) sample(now);
  if (worked && parts_.measures) {
    busy_.add(static_cast<std::uint64_t>((now - began).count()));
    pass_seconds_.observe(now - began);
  }
  if (!worked) sleep();
}

void Loop::sleep() {
  if (!parts_.mailbox.may_sleep()) return;
  Micros patience = kLongestSleep;
  if (const auto deadline = parts_.engine.next_deadline()) {
    patience = std::clamp<Micros>(*deadline - steady_now(), Micros{0}, patience);
  }
  parts_.gateway.wait(parts_.mailbox.wake_fd(),
                      must_drain_ && !drain_until_ ? Micros{0} : patience);
  parts_.mailbox.slept();
}

bool Loop::take_mail() {
  parts_.mailbox.take(events_);
  if (events_.empty()) return false;
  for (auto& event : events_) {
    watch_for_misfits(event);
    step(std::move(event));
  }
  events_.clear();
  perform();
  return true;
}

bool Loop::take_frames(Gateway::Side side) {
  const auto frames =
      parts_.gateway.receive(side, steady_now(), [this](Event&& event) { step(std::move(event)); });
  if (frames == 0) return false;
  perform();
  return true;
}

bool Loop::take_gone() {
  parts_.gateway.take_gone(events_);
  if (events_.empty()) return false;
  for (auto& event : events_) step(std::move(event));
  events_.clear();
  perform();
  return true;
}

void Loop::follow_keys(Steady now) {
  const auto change = parts_.gateway.follow_keys(now);
  if (!change) return;
  if (*change) return log::info("other keys count from now on");
  log::error("the keyring has changed and is not used: the keys from before count",
             {{"why", change->error().message}});
}

void Loop::step(Event&& event) { parts_.engine.step(now_times(), std::move(event), effects_); }

void Loop::perform() {
  perform_store();
  parts_.gateway.send(effects_.sends);
  parts_.gateway.flush();
  perform_queries();
  observe_facts();
}

void Loop::perform_store() {
  if (effects_.store.empty()) return;
  for (auto& operation : effects_.store) {
    parts_.shards.at(operation.shard).operations.push_back(std::move(operation));
  }
  effects_.store.clear();
  for (auto& [number, shard] : parts_.shards) {
    if (!shard.operations.empty()) shard.store->push(shard.operations);
  }
}

void Loop::perform_queries() {
  std::vector<Event> refused;
  for (auto& query : effects_.queries) {
    const auto number = query.query;
    const auto shard = parts_.shards.find(query.shard);
    if (shard != parts_.shards.end() && shard->second.reader->push(std::move(query))) continue;
    refused.emplace_back(event::QueryDone{
        number, tl::unexpected(Error{Code::kBusy, "too_many_reads",
                                     "too many reads wait for this shard", Millis{500}})});
  }
  effects_.queries.clear();
  parts_.mailbox.post(refused);
}

void Loop::observe_facts() {
  if (effects_.facts.empty()) return;
  const Steady now = steady_now();
  bool is_about_shards = false;
  for (const auto& fact : effects_.facts) {
    if (parts_.measures) {
      probe_.observe(fact);
      parts_.watch.observe(fact);
    }
    fact_log_.observe(fact, now);
    has_owned_ |= fact.kind == FactKind::kShardOpened;
    if (fact.kind == FactKind::kShardOpened || fact.kind == FactKind::kShardLost ||
        fact.kind == FactKind::kShardRefused) {
      is_about_shards = true;
      elsewhere_[fact.shard] = fact.kind == FactKind::kShardRefused && fact.count == 1;
    }
  }
  effects_.facts.clear();
  if (!is_about_shards) return;
  parts_.health.set_open(parts_.engine.counts().open_shards);
  parts_.health.set_elsewhere(static_cast<std::size_t>(
      std::ranges::count_if(elsewhere_, [](const auto& shard) { return shard.second; })));
}

/// A database that this program cannot use (no tables, a pooling proxy) is a mistake of who started
/// it, and is said
/// at once; once a shard was ours it may be a failover, and is tried again.
void Loop::watch_for_misfits(const Event& event) {
  const auto* refused = std::get_if<event::ShardRefused>(&event);
  if (refused == nullptr || has_owned_ || refused->error.code != Code::kConflict) return;
  failure_ = refused->error;
}

void Loop::begin_drain() {
  drain_until_ = steady_now() + parts_.drain;
  parts_.health.set_draining();
  step(event::DrainRequested{});
  perform();
}

void Loop::read_own_answers(health::Sample& sample) {
  for (const auto& send : effects_.sends) {
    const auto* answer = std::get_if<wire::Answer>(&send.item);
    const bool is_ours = send.to == Send::To::kClient && send.peer == kOurselves;
    if (!is_ours || answer == nullptr || answer->code != 0) continue;
    if (answer->request == kAskQueues) {
      if (auto list = wire::decode_body<wire::QueueList>(answer->body)) {
        sample.queues = std::move(list->queues);
      }
    } else if (answer->request == kAskWorkers) {
      if (auto list = wire::decode_body<wire::WorkerList>(answer->body)) {
        sample.workers = std::move(list->workers);
      }
    }
  }
  std::erase_if(effects_.sends, [](const Send& send) {
    return send.to == Send::To::kClient && send.peer == kOurselves;
  });
}

void Loop::sample(Steady now) {
  next_sample_ = now + kSampleEvery;
  fact_log_.flush(now);
  parts_.gateway.forget_silent(now);
  if (!parts_.measures) return parts_.health.set_open(parts_.engine.counts().open_shards);
  step(event::FromClient{kOurselves, wire::ClientHello{{}, "metrics", ""}});
  step(event::FromClient{kOurselves, wire::GetQueues{kAskQueues}});
  step(event::FromClient{kOurselves, wire::GetWorkers{kAskWorkers}});
  health::Sample sample;
  read_own_answers(sample);
  perform();
  probe_.queues(sample.queues);
  judge(sample, now);
  const auto counts = parts_.engine.counts();
  parts_.health.set_open(counts.open_shards);
  auto& book = parts_.book;
  book.gauge(metrics::kWorkers).set(static_cast<double>(counts.workers));
  book.gauge(metrics::kFreeSlots).set(static_cast<double>(counts.free_slots));
  book.gauge(metrics::kResident).set(static_cast<double>(counts.resident_orders));
  book.gauge(metrics::kInFlight).set(static_cast<double>(counts.writes_in_flight));
  book.gauge(metrics::kWaiters).set(static_cast<double>(counts.waiters));
  book.gauge(metrics::kOrphanSignals).set(static_cast<double>(counts.kept_signals));
  sample_sockets();
}

/// What everything looked like in the last second, for whoever asks over HTTP.
void Loop::judge(health::Sample& sample, Steady now) {
  sample.at = wall_now();
  sample.clients = parts_.engine.clients();
  sample.now = now;
  for (const auto& [number, threads] : parts_.shards) {
    const auto& commits = parts_.book.histogram(metrics::kCommitSeconds, {std::to_string(number)});
    auto& totals = sample.commits[number];
    for (std::size_t i = 0; i <= commits.bounds().size(); ++i) totals.commits += commits.count(i);
    totals.time = Micros{commits.sum()};
    totals.asked = threads.store->asked();
    if (threads.probe) sample.pulses[number] = threads.probe->pulse();
  }
  parts_.view.publish(parts_.watch.sample(sample));
}

void Loop::sample_sockets() {
  auto& book = parts_.book;
  for (const auto side : {Gateway::Side::kClient, Gateway::Side::kWorker}) {
    const std::string name = side == Gateway::Side::kClient ? "clients" : "workers";
    const SocketCounts& counts = parts_.gateway.counts(side);
    book.counter(metrics::kBeats, {name}).set(counts.beats);
    book.counter(metrics::kFrames, {name, "in"}).set(counts.frames_in);
    book.counter(metrics::kFrames, {name, "out"}).set(counts.frames_out);
    book.counter(metrics::kBytes, {name, "in"}).set(counts.bytes_in);
    book.counter(metrics::kBytes, {name, "out"}).set(counts.bytes_out);
    book.counter(metrics::kRefused, {name}).set(counts.refused);
    book.counter(metrics::kForbidden, {name}).set(counts.forbidden);
    book.counter(metrics::kGone, {name, "unreachable"}).set(counts.gone);
    book.counter(metrics::kGone, {name, "line_full"}).set(counts.full);
    book.gauge(metrics::kPeers, {name}).set(static_cast<double>(counts.peers));
  }
}

}  // namespace ordo
