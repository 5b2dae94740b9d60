// Watch: pages of an order's history, handed from the net thread to whoever calls next().
#include <utility>

#include "base/bounded_queue.hpp"
#include "client/net/impl.hpp"
#include "client/net/views.hpp"

namespace ordo::client {
namespace {

/// Pages that wait for a caller who reads slowly. An order's history is bounded and comes in few
/// pages, so this is only met by a caller that has stopped reading: the watch ends with an error.
constexpr std::size_t kPages = 4096;

}  // namespace

/// What the net thread and the watcher share; whoever lets go last frees it.
struct Pipe {
  BoundedQueue<Result<EventPage>> pages{kPages};
};

struct Watch::State {
  NetThread* thread = nullptr;
  std::uint64_t handle = 0;
  std::shared_ptr<Pipe> pipe = std::make_shared<Pipe>();
  std::deque<Result<EventPage>> taken;
  bool has_ended = false;
};

Watch::Watch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Watch::Watch(Watch&&) noexcept = default;

Watch& Watch::operator=(Watch&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Watch::~Watch() {
  if (state_ && !state_->has_ended) state_->thread->post(Hangup{state_->handle});
}

Result<EventPage> Watch::next(milliseconds patience) {
  if (state_->taken.empty() && !state_->has_ended) {
    state_->taken = state_->pipe->pages.take_all(patience);
  }
  if (state_->taken.empty()) {
    if (state_->has_ended) {
      return fail(Code::kNotFound, "watch_ended", "the watch has given its last page");
    }
    if (state_->pipe->pages.is_closed()) {
      return fail(Code::kBusy, "slow_reader",
                  "events came faster than they were read; watch again from the last seq");
    }
    return fail(Code::kUnavailable, "wait_timeout", "nothing has happened in that time");
  }
  Result<EventPage> page = std::move(state_->taken.front());
  state_->taken.pop_front();
  if (!page || page->is_last) state_->has_ended = true;
  return page;
}

Watch Client::watch(OrderId id, std::int64_t after_seq) {
  auto state = std::make_unique<Watch::State>();
  state->thread = &impl_->thread();
  state->handle = impl_->new_handle();
  const auto pipe = state->pipe;
  const Request request{wire::Watch{0, id, after_seq}};
  if (!impl_->thread().admit(1, bytes_of(request))) {
    (void)pipe->pages.push(tl::unexpected(impl_->full(1)));
    return Watch(std::move(state));
  }
  Call call{.request = request,
            .deadline = Steady::max(),
            .handle = state->handle,
            .done =
                [pipe](Done&& done) {
                  if (done.error) (void)pipe->pages.push(tl::unexpected(std::move(*done.error)));
                },
            .page =
                [pipe](wire::EventPage&& page) {
                  // A page without news is a sign of life between core and broker only.
                  if (page.events.empty() && !page.is_last) return;
                  if (!pipe->pages.push(to_view(std::move(page)))) pipe->pages.close();
                }};
  impl_->thread().post(std::move(call));
  return Watch(std::move(state));
}

}  // namespace ordo::client
