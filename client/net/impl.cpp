#include "client/net/impl.hpp"

#include <algorithm>
#include <memory>
#include <thread>

#include "base/random.hpp"

namespace ordo::client {
namespace {

/// A wait of this length is as good as endless, and adding it to a clock cannot overflow.
constexpr milliseconds kLongest{std::chrono::hours{24 * 365}};

std::uint64_t in_ms(milliseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

std::vector<std::string> with_scheme(std::vector<std::string> endpoints) {
  for (std::string& endpoint : endpoints) {
    if (endpoint.find("://") == std::string::npos) endpoint.insert(0, "tcp://");
  }
  return endpoints;
}

CoreOptions core_options(const Options& options) {
  CoreOptions core;
  core.endpoints = with_scheme(options.endpoints);
  if (core.endpoints.empty()) core.endpoints = Options{}.endpoints;
  core.name = options.name;
  core.seed = random_seed();
  core.max_in_flight = std::clamp<std::size_t>(options.max_in_flight, 1, Requests::kMost);
  core.max_bytes = std::max(options.max_bytes, 2 * limits::kPayloadBytes);
  return core;
}

}  // namespace

wire::OrderRequest to_request(Order&& order) {
  wire::OrderRequest request;
  request.id = order.id;
  request.pipeline = std::move(order.pipeline);
  request.payload = std::move(order.payload);
  // Out of range stays out of range: the core refuses it with the bound in its message.
  request.priority = static_cast<std::uint8_t>(std::clamp(order.priority, -1, 255));
  request.delay_ms = in_ms(order.delay);
  request.deadline_ms = in_ms(order.deadline);
  request.key = std::move(order.key);
  request.customer = std::move(order.customer);
  request.labels = std::move(order.labels);
  request.context = std::move(order.context);
  request.traceparent = std::move(order.traceparent);
  request.tracestate = std::move(order.tracestate);
  return request;
}

std::size_t bytes_of_all(const std::vector<wire::OrderRequest>& orders) {
  std::size_t bytes = 0;
  for (const auto& order : orders) bytes += bytes_of(order);
  return bytes;
}

std::vector<Submitted> all_refused(const std::vector<wire::OrderRequest>& orders,
                                   const Error& error) {
  std::vector<Submitted> items;
  items.reserve(orders.size());
  for (const auto& order : orders) items.push_back({order.id, tl::unexpected(error)});
  return items;
}

Client::Impl::Impl(Options options)
    : options_(std::move(options)),
      thread_(core_options(options_), read_dial_keys(options_.key_file, options_.broker_key)) {}

Error Client::Impl::full(std::size_t requests) {
  thread_.turn_away(requests);
  return {Code::kBusy, "client_full",
          std::to_string(options_.max_in_flight) + " requests or " +
              std::to_string(options_.max_bytes) +
              " bytes are in flight, which is this client's bound: wait for answers",
          milliseconds{5}};
}

Steady Client::Impl::deadline(milliseconds timeout) const {
  const milliseconds own = timeout.count() == 0 ? options_.timeout : timeout;
  return steady_now() + std::clamp(own, milliseconds{0}, kLongest);
}

Result<Done> Client::Impl::ask(Request request, Steady deadline) {
  if (thread_.is_current()) {
    return fail(Code::kMalformed, "in_callback",
                "a callback of the client must not call what waits for the client");
  }
  if (!thread_.admit(1, bytes_of(request))) return tl::unexpected(full(1));
  std::promise<Done> promise;
  auto answer = promise.get_future();
  thread_.post(Call{.request = std::move(request),
                    .deadline = deadline,
                    .handle = 0,
                    .done = [&promise](Done&& done) { promise.set_value(std::move(done)); },
                    .page = {}});
  Done done = answer.get();
  if (done.error) return tl::unexpected(std::move(*done.error));
  return done;
}

std::future<std::vector<Submitted>> Client::Impl::send_piece(std::vector<wire::OrderRequest> orders,
                                                             Steady deadline, bool retries_busy) {
  auto promise = std::make_shared<std::promise<std::vector<Submitted>>>();
  auto answers = promise->get_future();
  const std::size_t bytes = bytes_of_all(orders);
  while (!thread_.admit(orders.size(), bytes)) {
    if (steady_now() >= deadline) {
      promise->set_value(all_refused(orders, full(orders.size())));
      return answers;
    }
    // Other callers hold the bound; their answers free it.
    std::this_thread::sleep_for(milliseconds{1});
  }
  thread_.post(SubmitMany{
      std::move(orders), deadline, retries_busy,
      [promise](std::vector<Submitted> items) { promise->set_value(std::move(items)); }});
  return answers;
}

Result<void> Client::Impl::order_done(Request request) {
  auto done = ask(std::move(request), deadline(milliseconds{0}));
  if (!done) return tl::unexpected(std::move(done.error()));
  return {};
}

Result<void> Client::Impl::when_ready(Steady deadline,
                                      const std::function<void(ClientCore&)>& run) {
  if (thread_.is_current()) {
    return fail(Code::kMalformed, "in_callback",
                "a callback of the client must not call what waits for the client");
  }
  std::promise<bool> promise;
  auto answer = promise.get_future();
  thread_.post(WhenReady{deadline, [&](ClientCore* core) {
                           if (core != nullptr) run(*core);
                           promise.set_value(core != nullptr);
                         }});
  if (answer.get()) return {};
  // Asking for anything now gives the error that says what is wrong (endpoint, refusal, nobody).
  auto done = ask(Request{wire::GetQueues{}}, steady_now());
  if (!done) return tl::unexpected(std::move(done.error()));
  return {};
}

Result<std::vector<ShardNumber>> Client::Impl::shards(Steady deadline) {
  std::vector<ShardNumber> numbers;
  auto is_ready = when_ready(deadline, [&](ClientCore& core) {
    for (const auto& home : core.shards().homes()) numbers.push_back(home.shard);
  });
  if (!is_ready) return tl::unexpected(std::move(is_ready.error()));
  return numbers;
}

Result<OrderId> Client::Impl::draw_id(std::string_view key, Steady deadline) {
  std::optional<OrderId> id;
  auto is_ready =
      when_ready(deadline, [&](ClientCore& core) { id = core.draw_id(wall_now(), key); });
  if (!is_ready) return tl::unexpected(std::move(is_ready.error()));
  if (id) return *id;
  return fail(Code::kUnavailable, "no_shard", "no shard takes new orders at the moment");
}

}  // namespace ordo::client
