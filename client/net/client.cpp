// Client: submitting, waiting, reading, operating. Watches are in watch.cpp.
#include "ordo/client.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "client/net/impl.hpp"
#include "client/net/page_merge.hpp"
#include "client/net/views.hpp"

namespace ordo::client {
namespace {

/// A piece is at most this part of the bound in flight, so that others get through beside two.
constexpr std::size_t kBatchShare = 4;
/// And no larger than a few frames: its first answers come while the next piece is made.
constexpr std::size_t kBatchPiece = 4096;

template <class Body> auto viewed(Result<Body> body) {
  using View = decltype(to_view(std::declval<Body>()));
  if (!body) return Result<View>(tl::unexpected(std::move(body.error())));
  return Result<View>(to_view(std::move(*body)));
}

std::vector<wire::OrderRequest> to_requests(std::vector<Order>&& orders) {
  std::vector<wire::OrderRequest> requests;
  requests.reserve(orders.size());
  for (Order& order : orders) requests.push_back(to_request(std::move(order)));
  return requests;
}

}  // namespace

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<void> Client::ready(milliseconds timeout) {
  return impl_->when_ready(impl_->deadline(timeout), [](ClientCore&) {});
}

Result<OrderId> Client::draw_id(std::string_view key) {
  return impl_->draw_id(key, impl_->deadline(milliseconds{0}));
}

std::size_t Client::in_flight() const { return impl_->thread().in_flight(); }

Stats Client::stats() const { return impl_->thread().stats(); }

// ---- submitting --------------------------------------------------------------------------------

void Client::submit_async(Order order, OnSubmitted done, CallOptions options) {
  wire::OrderRequest request = to_request(std::move(order));
  if (!impl_->thread().admit(1, bytes_of(request))) {
    done({request.id, tl::unexpected(impl_->full(1))});
    return;
  }
  impl_->thread().post(SubmitOne{std::move(request), impl_->deadline(options.timeout),
                                 options.retries_busy, std::move(done)});
}

std::future<Submitted> Client::submit_async(Order order, CallOptions options) {
  auto promise = std::make_shared<std::promise<Submitted>>();
  auto answer = promise->get_future();
  submit_async(
      std::move(order),
      [promise](Submitted submitted) { promise->set_value(std::move(submitted)); }, options);
  return answer;
}

Result<Receipt> Client::submit(Order order, CallOptions options) {
  if (impl_->thread().is_current()) {
    return fail(Code::kMalformed, "in_callback",
                "a callback of the client must not call what waits for the client");
  }
  return submit_async(std::move(order), options).get().receipt;
}

void Client::submit_batch_async(std::vector<Order> orders, OnBatch done, CallOptions options) {
  if (orders.empty()) {
    done({});
    return;
  }
  auto requests = to_requests(std::move(orders));
  if (!impl_->thread().admit(requests.size(), bytes_of_all(requests))) {
    done(all_refused(requests, impl_->full(requests.size())));
    return;
  }
  impl_->thread().post(SubmitMany{std::move(requests), impl_->deadline(options.timeout),
                                  options.retries_busy, std::move(done)});
}

std::vector<Submitted> Client::submit_batch(std::vector<Order> orders, CallOptions options) {
  auto requests = to_requests(std::move(orders));
  if (impl_->thread().is_current()) {
    return all_refused(
        requests,
        Error{Code::kMalformed, "in_callback", "a callback must not wait for the client", {}});
  }
  const Steady deadline = impl_->deadline(options.timeout);
  const std::size_t piece =
      std::clamp<std::size_t>(impl_->options().max_in_flight / kBatchShare, 1, kBatchPiece);
  std::vector<Submitted> all;
  all.reserve(requests.size());
  std::deque<std::future<std::vector<Submitted>>> flights;
  const auto land = [&] {
    auto answers = flights.front().get();
    flights.pop_front();
    std::move(answers.begin(), answers.end(), std::back_inserter(all));
  };
  auto from = requests.begin();
  while (from != requests.end()) {
    const auto count = std::min(static_cast<std::ptrdiff_t>(piece), requests.end() - from);
    std::vector<wire::OrderRequest> part(std::make_move_iterator(from),
                                         std::make_move_iterator(from + count));
    from += count;
    // Two pieces on their way keep the pipe full; more would only wait inside it.
    if (flights.size() == 2) land();
    flights.push_back(impl_->send_piece(std::move(part), deadline, options.retries_busy));
  }
  while (!flights.empty()) land();
  return all;
}

// ---- waiting -----------------------------------------------------------------------------------

Result<Waited> Client::submit_and_wait(Order order, WaitOptions options) {
  const Steady start = steady_now();
  auto receipt = submit(std::move(order), {.timeout = options.timeout, .retries_busy = true});
  if (!receipt) return tl::unexpected(std::move(receipt.error()));
  if (options.until == Until::kDurable) {
    return Waited{.id = receipt->id, .was_known = receipt->was_known};
  }
  const auto spent = std::chrono::duration_cast<milliseconds>(steady_now() - start);
  options.timeout = std::max(options.timeout - spent, milliseconds{1});
  auto waited = wait(receipt->id, options);
  if (waited) waited->was_known = receipt->was_known;
  return waited;
}

Result<Waited> Client::wait(OrderId id, WaitOptions options) {
  Waited waited{.id = id};
  if (options.until == Until::kDurable) {
    auto view = get(id);
    if (!view) return tl::unexpected(std::move(view.error()));
    waited.status = view->status;
    return waited;
  }
  const std::string step = options.until == Until::kStep ? options.step : std::string();
  const auto timeout = std::max(options.timeout, milliseconds{1});
  auto done = impl_->ask(Request{wire::Wait{0, id, step}}, impl_->deadline(timeout));
  if (!done) {
    if (done.error().reason != "wait_timeout") return tl::unexpected(std::move(done.error()));
    waited.timed_out = true;
    if (options.on_timeout == OnTimeout::kCancel) {
      waited.was_cancelled =
          cancel(id, {impl_->options().name, "it had not come far enough in time"}).has_value();
    }
    return waited;
  }
  auto summary = wire::decode_body<wire::OrderSummary>(done->body);
  if (!summary) return tl::unexpected(std::move(summary.error()));
  waited.status = std::move(summary->status);
  waited.step_state = std::move(summary->step);
  waited.result = std::move(summary->result);
  return waited;
}

// ---- reading -----------------------------------------------------------------------------------

Result<OrderView> Client::get(OrderId id) {
  return viewed(impl_->ask_for<wire::OrderView>(wire::Get{0, id}));
}

Result<Explanation> Client::explain(OrderId id) {
  return viewed(impl_->ask_for<wire::Explanation>(wire::Explain{0, id}));
}

Result<OrderPage> Client::list(const Query& query) {
  auto shards = impl_->shards(impl_->deadline(milliseconds{0}));
  if (!shards) return tl::unexpected(std::move(shards.error()));
  const auto limit = std::clamp<std::uint32_t>(query.limit, 1, limits::kListPage);
  PageMerge pages(query.which == Which::kOfCustomer || query.which == Which::kRecent);
  for (const ShardNumber shard : *shards) {
    wire::List ask{.request = 0,
                   .shard = shard,
                   .what = static_cast<std::uint8_t>(query.which),
                   .customer = query.customer,
                   .after = query.after,
                   .limit = limit,
                   .pipeline = query.pipeline};
    auto part = impl_->ask_for<wire::OrderPage>(std::move(ask));
    if (!part) return tl::unexpected(std::move(part.error()));
    pages.add(std::move(*part));
  }
  return pages.take(limit, query.after);
}

Result<std::vector<PipelineView>> Client::pipelines() {
  return viewed(impl_->ask_for<wire::PipelineList>(wire::GetPipelines{}));
}

Result<PipelineView> Client::pipeline(std::string name, unsigned version) {
  auto list = viewed(impl_->ask_for<wire::PipelineList>(wire::GetPipelines{0, name, version}));
  if (!list) return tl::unexpected(std::move(list.error()));
  if (list->empty()) {
    return fail(Code::kNotFound, "unknown_pipeline", "there is no pipeline '" + name + "'");
  }
  return std::move(list->front());
}

Result<std::vector<QueueView>> Client::queues() {
  return viewed(impl_->ask_for<wire::QueueList>(wire::GetQueues{}));
}

Result<std::vector<WorkerView>> Client::workers() {
  return viewed(impl_->ask_for<wire::WorkerList>(wire::GetWorkers{}));
}

Result<std::vector<SignalView>> Client::kept_signals() {
  auto shards = impl_->shards(impl_->deadline(milliseconds{0}));
  if (!shards) return tl::unexpected(std::move(shards.error()));
  std::vector<SignalView> all;
  for (const ShardNumber shard : *shards) {
    wire::GetSignals ask{.request = 0, .shard = shard, .after_seq = 0, .limit = limits::kListPage};
    auto part = impl_->ask_for<wire::SignalList>(std::move(ask));
    if (!part) return tl::unexpected(std::move(part.error()));
    for (auto& one : part->signals) all.push_back(to_view(std::move(one)));
  }
  return all;
}

// ---- operating ---------------------------------------------------------------------------------

Result<void> Client::signal(Signal signal) {
  return impl_->order_done(Request{wire::Signal{.request = 0,
                                                .id = signal.id,
                                                .name = std::move(signal.name),
                                                .payload = std::move(signal.payload),
                                                .dedup = std::move(signal.dedup),
                                                .pipeline = std::move(signal.pipeline),
                                                .context = std::move(signal.context),
                                                .who = std::move(signal.who)}});
}

Result<void> Client::cancel(OrderId id, const Operator& by) {
  return impl_->order_done(Request{wire::Cancel{0, id, by.who, by.why}});
}

namespace {

Request operate(wire::Verb verb, const TaskOf& task, std::string result, const Operator& by) {
  return wire::Operate{.request = 0,
                       .verb = static_cast<std::uint8_t>(verb),
                       .id = task.id,
                       .step = task.step,
                       .branch = static_cast<BranchIndex>(task.branch),
                       .result = std::move(result),
                       .who = by.who,
                       .why = by.why,
                       .kind = static_cast<std::uint8_t>(
                           task.is_compensation ? TaskKind::kCompensate : TaskKind::kForward)};
}

}  // namespace

Result<void> Client::retry(const TaskOf& task, const Operator& by) {
  return impl_->order_done(operate(wire::Verb::kRetry, task, {}, by));
}

Result<void> Client::skip(const TaskOf& task, const Operator& by) {
  return impl_->order_done(operate(wire::Verb::kSkip, task, {}, by));
}

Result<void> Client::complete(const TaskOf& task, std::string result, const Operator& by) {
  return impl_->order_done(operate(wire::Verb::kComplete, task, std::move(result), by));
}

Result<void> Client::compensate(const TaskOf& task, const Operator& by) {
  return impl_->order_done(operate(wire::Verb::kCompensate, task, {}, by));
}

Result<PipelineView> Client::put_pipeline(std::string source) {
  return viewed(impl_->ask_for<wire::PipelineView>(wire::PutPipeline{0, std::move(source)}));
}

Result<void> Client::pause(std::string queue, const Operator& by) {
  return impl_->order_done(Request{wire::SetQueue{0, std::move(queue), true, by.who, by.why}});
}

Result<void> Client::resume(std::string queue, const Operator& by) {
  return impl_->order_done(Request{wire::SetQueue{0, std::move(queue), false, by.who, by.why}});
}

}  // namespace ordo::client
