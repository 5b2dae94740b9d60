#include "client/core/requests.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "schema/limits.hpp"
#include "schema/trace.hpp"

namespace ordo::client {
namespace {

/// What a request weighs beside its texts: numbers, ids, msgpack heads.
constexpr std::size_t kFixedBytes = 64;

constexpr unsigned kSlotBits = 20;
constexpr unsigned kAttemptBits = 4;  // late answers of 16 attempts ago do not exist
constexpr std::uint64_t kSlotMask = (1U << kSlotBits) - 1;
constexpr std::uint64_t kAttemptMask = std::uint64_t{(1U << kAttemptBits) - 1} << kSlotBits;

std::uint64_t attempt_bits(const Pending& pending) {
  return (std::uint64_t{pending.attempt} << kSlotBits) & kAttemptMask;
}

Error too_large(std::string_view what, std::size_t size, std::size_t bound) {
  return {Code::kMalformed,
          "too_large",
          std::string(what) + " has " + std::to_string(size) + " bytes; at most " +
              std::to_string(bound) + " are allowed",
          {}};
}

struct Bound {
  std::string_view what;
  const std::string& text;
  std::size_t bytes;
};

std::optional<Error> first_broken(std::initializer_list<Bound> bounds) {
  for (const Bound& bound : bounds) {
    if (bound.text.size() > bound.bytes) {
      return too_large(bound.what, bound.text.size(), bound.bytes);
    }
  }
  return std::nullopt;
}

std::optional<Error> check(const wire::OrderRequest& order) {
  constexpr auto kLongest =
      static_cast<std::uint64_t>(std::chrono::milliseconds(limits::kDelayMax).count());
  if (auto error = first_broken({{"pipeline name", order.pipeline, limits::kNameBytes},
                                 {"payload", order.payload, limits::kPayloadBytes},
                                 {"key", order.key, limits::kKeyBytes},
                                 {"customer", order.customer, limits::kCustomerBytes},
                                 {"labels", order.labels, limits::kLabelsBytes},
                                 {"context", order.context, limits::kContextBytes}})) {
    return error;
  }
  if (order.pipeline.empty()) {
    return Error{Code::kMalformed, "unknown_pipeline", "an order needs the name of a pipeline", {}};
  }
  if (order.priority >= limits::kPriorities) {
    return Error{
        Code::kMalformed,
        "bad_field",
        "priority " + std::to_string(order.priority) + " is not in 0 to 9 (0 is most urgent)",
        {}};
  }
  if (order.delay_ms > kLongest || order.deadline_ms > kLongest) {
    return Error{Code::kMalformed, "bad_field", "delay and deadline are at most 365 days", {}};
  }
  if (!order.id.is_zero() && !order.id.is_valid()) {
    return Error{Code::kMalformed, "bad_field", "the order's id is not a UUIDv7", {}};
  }
  if (order.traceparent.empty() && order.tracestate.empty()) return std::nullopt;
  if (auto trace = parse_trace(order.traceparent, order.tracestate); !trace) return trace.error();
  return std::nullopt;
}

std::optional<Error> check(const wire::Operate& verb) {
  return first_broken({{"step name", verb.step, limits::kNameBytes},
                       {"result", verb.result, limits::kResultBytes},
                       {"who", verb.who, limits::kCustomerBytes},
                       {"why", verb.why, limits::kTextBytes}});
}

std::optional<Error> check(const wire::Cancel& cancel) {
  return first_broken(
      {{"who", cancel.who, limits::kCustomerBytes}, {"why", cancel.why, limits::kTextBytes}});
}

std::optional<Error> check(const wire::Signal& signal) {
  return first_broken({{"signal name", signal.name, limits::kNameBytes},
                       {"payload", signal.payload, limits::kResultBytes},
                       {"dedup", signal.dedup, limits::kKeyBytes},
                       {"pipeline name", signal.pipeline, limits::kNameBytes},
                       {"context", signal.context, limits::kStepContextBytes},
                       {"who", signal.who, limits::kCustomerBytes}});
}

std::optional<Error> check(const wire::PutPipeline& put) {
  return first_broken({{"pipeline source", put.source, limits::kPipelineBytes}});
}

template <class Other> std::optional<Error> check(const Other&) { return std::nullopt; }

}  // namespace

Pending& Requests::add() {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    ORDO_CHECK(slot <= kSlotMask, slot);
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Pending& pending = slots_[slot];
  pending = Pending{};
  pending.number = (++serial_ << (kSlotBits + kAttemptBits)) | slot;
  ++size_;
  return pending;
}

Pending* Requests::find(std::uint64_t number) {
  const std::uint64_t slot = number & kSlotMask;
  number &= ~kAttemptMask;
  if (number == 0 || slot >= slots_.size() || slots_[slot].number != number) return nullptr;
  return &slots_[slot];
}

void Requests::remove(const Pending& pending) {
  const auto slot = static_cast<std::uint32_t>(pending.number & kSlotMask);
  slots_[slot].number = 0;
  slots_[slot].request = wire::GetQueues{};  // lets go of payloads
  free_.push_back(slot);
  --size_;
}

std::vector<std::uint64_t> Requests::all() const {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(size_);
  for (const Pending& pending : slots_) {
    if (pending.number != 0) numbers.push_back(pending.number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void begin_attempt(Pending& pending) {
  ++pending.attempt;
  ++pending.unanswered;
  const std::uint64_t number = pending.number | attempt_bits(pending);
  std::visit([number](auto& message) { message.request = number; }, pending.request);
}

bool is_latest(const Pending& pending, std::uint64_t number) {
  return number == (pending.number | attempt_bits(pending));
}

const OrderId* order_of(const Request& request) {
  return std::visit(
      [](const auto& message) -> const OrderId* {
        if constexpr (requires { message.id; }) {
          return &message.id;
        } else {
          return nullptr;
        }
      },
      request);
}

std::optional<ShardNumber> shard_of(const Request& request) {
  if (const auto* list = std::get_if<wire::List>(&request)) return list->shard;
  if (const auto* kept = std::get_if<wire::GetSignals>(&request)) return kept->shard;
  const OrderId* id = order_of(request);
  if (id == nullptr || id->is_zero()) return std::nullopt;
  return static_cast<ShardNumber>(id->shard());
}

std::size_t bytes_of(const Request& request) {
  if (const auto* order = std::get_if<wire::OrderRequest>(&request)) return bytes_of(*order);
  if (const auto* put = std::get_if<wire::PutPipeline>(&request)) {
    return kFixedBytes + put->source.size();
  }
  if (const auto* verb = std::get_if<wire::Operate>(&request)) {
    return kFixedBytes + verb->result.size() + verb->who.size() + verb->why.size();
  }
  if (const auto* signal = std::get_if<wire::Signal>(&request)) {
    return kFixedBytes + signal->payload.size() + signal->dedup.size() + signal->context.size();
  }
  return kFixedBytes;
}

std::optional<Error> check_bounds(const Request& request) {
  return std::visit([](const auto& message) { return check(message); }, request);
}

std::size_t bytes_of(const wire::OrderRequest& order) {
  return kFixedBytes + order.pipeline.size() + order.payload.size() + order.key.size() +
         order.customer.size() + order.labels.size() + order.context.size() +
         order.traceparent.size() + order.tracestate.size();
}

bool is_repeatable(const Request& request) {
  // A repeated verb would act on what the task has become since: only a person may decide that.
  return !std::holds_alternative<wire::Operate>(request);
}

bool has_effect(const Request& request) {
  return std::holds_alternative<wire::OrderRequest>(request) ||
         std::holds_alternative<wire::Cancel>(request) ||
         std::holds_alternative<wire::Operate>(request) ||
         std::holds_alternative<wire::Signal>(request) ||
         std::holds_alternative<wire::PutPipeline>(request) ||
         std::holds_alternative<wire::SetQueue>(request);
}

}  // namespace ordo::client
