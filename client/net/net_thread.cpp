#include "client/net/net_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "schema/codec.hpp"

namespace ordo::client {
namespace {

/// Commands beside those that ask (hang-ups, draws): as many as threads could ever wait with.
constexpr std::size_t kSpareCommands = 65'536;

Submitted submitted(Done&& done) {
  if (done.error) return {done.id, tl::unexpected<Error>(std::move(*done.error))};
  return {done.id, Receipt{done.id, done.was_known}};
}

}  // namespace

NetThread::NetThread(CoreOptions options, Result<DialKeys> keys)
    : options_(options),
      commands_(options.max_in_flight + kSpareCommands),
      core_(std::move(options)),
      sockets_(keys ? *keys : DialKeys{}),
      misfit_(keys ? std::nullopt : std::optional<Error>(keys.error())),
      thread_([this] { run(); }) {}

NetThread::~NetThread() {
  is_closing_.store(true);
  commands_.close();
  bell_.ring();
  thread_.join();
}

bool NetThread::admit(std::size_t requests, std::size_t bytes) {
  const std::size_t all_requests = in_flight_.fetch_add(requests) + requests;
  const std::size_t all_bytes = bytes_.fetch_add(bytes) + bytes;
  if (all_requests <= options_.max_in_flight && all_bytes <= options_.max_bytes) return true;
  in_flight_.fetch_sub(requests);
  bytes_.fetch_sub(bytes);
  return false;
}

void NetThread::post(Command&& command) {
  // Never full: what asks was admitted, the rest has its own room. Closed: only when destroyed
  // while in use, which the caller must not do.
  ORDO_CHECK(commands_.push(std::move(command)), commands_.size());
  bell_.ring();
}

// ---- the thread --------------------------------------------------------------------------------

void NetThread::run() {
  ::pthread_setname_np(::pthread_self(), "ordo-client");
  core_.step(now_times(), Tick{}, effects_);
  perform();  // dials: a mistake in an endpoint is known before the first request
  while (!is_closing_.load()) {
    take_commands();
    sockets_.receive(
        [this](LinkIndex link, bool is_up, std::string_view why) {
          core_.step(now_times(),
                     is_up ? Event{LinkUp{link}} : Event{LinkDown{link, std::string(why)}},
                     effects_);
        },
        [this](LinkIndex link, std::string_view frame) {
          auto message = wire::decode(frame);
          core_.step(now_times(),
                     message ? Event{Received{link, std::move(*message)}}
                             : Event{Garbled{link, std::move(message.error())}},
                     effects_);
        });
    core_.step(now_times(), Tick{}, effects_);
    publish();  // before the answers: who has one finds it counted
    perform();
    serve_waiting();
    Steady next = core_.next_deadline();
    for (const WhenReady& waiting : waiting_) next = std::min(next, waiting.deadline);
    const Steady now = steady_now();
    bell_.fall_asleep();
    const bool is_idle = commands_.size() == 0 && !is_closing_.load();
    // An hour stands for "until something comes".
    const Micros longest = std::chrono::hours{1};
    const Micros patience = !is_idle || next <= now ? Micros{0}
                            : next - now > longest  ? longest
                                                    : next - now;
    bell_.wake_up(sockets_.wait(bell_.fd(), patience));
  }
  shut();
}

void NetThread::take_commands() {
  if (commands_.size() == 0) return;
  for (Command& command : commands_.take_all(Micros{0})) {
    std::visit([this](auto& one) { take(std::move(one)); }, command);
  }
}

void NetThread::take(SubmitOne&& command) {
  const std::size_t bytes = bytes_of(command.order);
  ask(Request{std::move(command.order)}, command.deadline, command.retries_busy,
      {std::move(command.done), bytes});
}

void NetThread::take(SubmitMany&& command) {
  auto batch = std::make_shared<Batch>();
  batch->left = command.orders.size();
  batch->items.resize(command.orders.size());
  batch->done = std::move(command.done);
  for (std::size_t i = 0; i < command.orders.size(); ++i) {
    const std::size_t bytes = bytes_of(command.orders[i]);
    ask(Request{std::move(command.orders[i])}, command.deadline, command.retries_busy,
        {OfBatch{batch, i}, bytes});
  }
}

void NetThread::take(Call&& command) {
  const std::size_t bytes = bytes_of(command.request);
  const std::uint64_t handle = command.handle;
  const bool is_standing = handle != 0;
  ask(std::move(command.request), command.deadline, !is_standing,
      {OfCall{std::move(command.done), std::move(command.page), handle}, bytes});
}

void NetThread::take(Hangup&& command) {
  const auto found = handles_.find(command.handle);
  if (found != handles_.end()) core_.step(now_times(), Forget{found->second}, effects_);
}

void NetThread::take(WhenReady&& command) { waiting_.push_back(std::move(command)); }

void NetThread::ask(Request&& request, Steady deadline, bool retries_busy,
                    Completion&& completion) {
  std::uint64_t handle = 0;
  if (const auto* call = std::get_if<OfCall>(&completion.to)) handle = call->handle;
  const Token token = keep(std::move(completion));
  if (handle != 0) handles_[handle] = token;
  if (misfit_) {
    complete({token, {}, misfit_, false, {}});
    return;
  }
  core_.step(now_times(), Ask{token, std::move(request), deadline, retries_busy}, effects_);
}

Token NetThread::keep(Completion&& completion) {
  if (free_.empty()) {
    completions_.push_back(std::move(completion));
    return completions_.size() - 1;
  }
  const Token token = free_.back();
  free_.pop_back();
  completions_[token] = std::move(completion);
  return token;
}

void NetThread::serve_waiting() {
  if (waiting_.empty()) return;
  const bool is_ready = !core_.shards().is_empty();
  const Steady now = steady_now();
  for (WhenReady& waiting : std::exchange(waiting_, {})) {
    if (is_ready || misfit_ || now >= waiting.deadline) {
      waiting.run(is_ready ? &core_ : nullptr);
    } else {
      waiting_.push_back(std::move(waiting));
    }
  }
}

// ---- effects -----------------------------------------------------------------------------------

void NetThread::perform() {
  for (const Open& open : effects_.opens) {
    if (misfit_) break;
    auto opened = sockets_.open(open.link, open.endpoint);
    // An endpoint of the configuration is a mistake to be told; one that a broker named is not.
    if (!opened && open.link < options_.endpoints.size()) misfit_ = opened.error();
  }
  for (const LinkIndex link : effects_.resets) sockets_.reset(link);
  for (const Send& send : effects_.sends) sockets_.send(send.link, wire::encode(send.message));
  for (Page& page : effects_.pages) {
    auto* call = std::get_if<OfCall>(&completions_[page.token].to);
    if (call != nullptr && call->page) call->page(std::move(page.page));
  }
  for (Done& done : effects_.dones) complete(std::move(done));
  effects_.clear();
}

void NetThread::complete(Done&& done) {
  const Token token = done.token;
  Completion completion = std::exchange(completions_[token], {});
  free_.push_back(token);
  in_flight_.fetch_sub(1);
  bytes_.fetch_sub(completion.bytes);
  if (auto* one = std::get_if<OnSubmitted>(&completion.to)) {
    (*one)(submitted(std::move(done)));
  } else if (auto* of = std::get_if<OfBatch>(&completion.to)) {
    Batch& batch = *of->batch;
    batch.items[of->index] = submitted(std::move(done));
    if (--batch.left == 0) batch.done(std::move(batch.items));
  } else if (auto* call = std::get_if<OfCall>(&completion.to)) {
    if (call->handle != 0) handles_.erase(call->handle);
    call->done(std::move(done));
  }
}

void NetThread::publish() {
  Stats stats = core_.stats();
  stats.brokers = core_.ready_links();
  board_.put(stats);
}

Stats NetThread::stats() const {
  Stats stats = board_.look();
  stats.in_flight = in_flight_.load();
  stats.bytes_in_flight = bytes_.load();
  stats.turned_away = turned_away_.load();
  return stats;
}

void NetThread::shut() {
  take_commands();
  core_.step(now_times(), Close{}, effects_);
  perform();
  for (WhenReady& waiting : std::exchange(waiting_, {})) waiting.run(nullptr);
}

}  // namespace ordo::client
