// What Client's functions share: the net thread, deadlines, and calls that wait for their answer.
//
// Errors:  a waiting call made from a callback would wait for itself: refused as `in_callback`.
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "client/net/net_thread.hpp"
#include "ordo/client.hpp"
#include "schema/codec.hpp"

namespace ordo::client {

class Client::Impl {
 public:
  explicit Impl(Options options);

  NetThread& thread() { return thread_; }
  [[nodiscard]] const NetThread& thread() const { return thread_; }
  [[nodiscard]] const Options& options() const { return options_; }

  /// The error of calls that find the bound in flight met.
  Error full(std::size_t requests);
  /// When a call that starts now gives up; 0 stands for the client's own timeout.
  [[nodiscard]] Steady deadline(milliseconds timeout) const;
  /// Asks and waits for the answer.
  Result<Done> ask(Request request, Steady deadline);
  /// The same, its body decoded.
  template <class Body, class Asked> Result<Body> ask_for(Asked request) {
    auto done = ask(Request{std::move(request)}, deadline(milliseconds{0}));
    if (!done) return tl::unexpected(std::move(done.error()));
    return wire::decode_body<Body>(done->body);
  }
  /// Sends what fits into the bound at once, waiting for room until the deadline.
  std::future<std::vector<Submitted>> send_piece(std::vector<wire::OrderRequest> orders,
                                                 Steady deadline, bool retries_busy);
  /// Asks for what has no body.
  Result<void> order_done(Request request);
  /// The shards a broker has named, waiting for the first welcome.
  Result<std::vector<ShardNumber>> shards(Steady deadline);
  Result<OrderId> draw_id(std::string_view key, Steady deadline);
  /// Runs on the net thread once a broker has answered, and waits for it.
  Result<void> when_ready(Steady deadline, const std::function<void(ClientCore&)>& run);

  std::uint64_t new_handle() { return ++handles_; }

 private:
  Options options_;
  std::atomic<std::uint64_t> handles_{0};
  NetThread thread_;
};

wire::OrderRequest to_request(Order&& order);
std::size_t bytes_of_all(const std::vector<wire::OrderRequest>& orders);
/// The same error for each of them.
std::vector<Submitted> all_refused(const std::vector<wire::OrderRequest>& orders,
                                   const Error& error);

}  // namespace ordo::client
