#include "broker/net/rights.hpp"

#include <algorithm>
#include <string_view>
#include <variant>

#include "schema/limits.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// Which roles may send a message, and what it does in words.
struct Right {
  std::string_view operation;
  bool client, worker, operator_, observer;

  [[nodiscard]] bool holds(Role role) const {
    switch (role) {
      case Role::kClient: return client;
      case Role::kWorker: return worker;
      case Role::kOperator: return operator_;
      case Role::kObserver: return observer;
    }
    return false;
  }
};

constexpr Right kReads{"", true, false, true, true};
constexpr Right kAsks{"", true, false, true, false};
constexpr Right kOperates{"", false, false, true, false};
constexpr Right kWatches{"", false, false, true, true};
constexpr Right kWorks{"", false, true, false, false};

Right named(Right right, std::string_view operation) {
  right.operation = operation;
  return right;
}

template <class... Ts> struct Overload : Ts... { using Ts::operator()...; };
template <class... Ts> Overload(Ts...) -> Overload<Ts...>;

Right right_of(const wire::Message& message) {
  return std::visit(
      Overload{[](const wire::Submit&) { return named(kAsks, "submit orders"); },
               [](const wire::Cancel&) { return named(kAsks, "cancel orders"); },
               [](const wire::Signal&) { return named(kAsks, "send signals"); },
               [](const wire::Wait&) { return named(kReads, "wait for orders"); },
               [](const wire::Unwait&) { return named(kReads, "stop waiting"); },
               [](const wire::Watch&) { return named(kReads, "watch orders"); },
               [](const wire::Get&) { return named(kReads, "read orders"); },
               [](const wire::List&) { return named(kReads, "list orders"); },
               [](const wire::Explain&) { return named(kReads, "explain orders"); },
               [](const wire::GetPipelines&) { return named(kReads, "read pipelines"); },
               [](const wire::Operate&) { return named(kOperates, "operate on parked steps"); },
               [](const wire::PutPipeline&) { return named(kOperates, "store pipelines"); },
               [](const wire::SetQueue&) { return named(kOperates, "pause or resume queues"); },
               [](const wire::GetQueues&) { return named(kWatches, "read queues"); },
               [](const wire::GetSignals&) { return named(kWatches, "list kept signals"); },
               [](const wire::GetWorkers&) { return named(kWatches, "read workers"); },
               [](const wire::WorkerHello&) { return named(kWorks, "work"); },
               [](const wire::Results&) { return named(kWorks, "hand in results"); },
               [](const wire::Drain&) { return named(kWorks, "drain"); },
               [](const wire::Goodbye&) { return named(kWorks, "leave as a worker"); },
               [](const wire::ClientHello&) { return named(kReads, "connect as a client"); },
               // What no peer sends is refused by the core with its own word.
               [](const auto&) {
                 return Right{"connect", true, true, true, true};
               }},
      message);
}

/// "client key `shop`"
std::string who(const Key& key) {
  return std::string(to_string(key.role)) + " key `" + key.name + "`";
}

/// The roles that hold a right: "a client's or an operator's key".
std::string holders(const Right& right) {
  std::string out;
  for (const Role role : kRoles) {
    if (!right.holds(role)) continue;
    const std::string_view word = to_string(role);
    out += (out.empty() ? "" : " or ") + std::string(word.front() == 'o' ? "an " : "a ") +
           std::string(word) + "'s";
  }
  return out + " key";
}

/// The queue of a hello that the key may not serve.
std::optional<std::string> foreign_queue(const Key& key, const wire::WorkerHello& hello) {
  const auto foreign =
      std::find_if(hello.queues.begin(), hello.queues.end(),
                   [&key](const std::string& queue) { return !key.may_serve(queue); });
  if (foreign == hello.queues.end()) return std::nullopt;
  return who(key) + " may not serve queue `" + clean_text(*foreign, limits::kNameBytes) +
         "`: add it to `queues=` of the key in the keyring, or serve its own queues only";
}

}  // namespace

std::optional<std::string> forbidden(const Key& key, Send::To socket,
                                     const wire::Message& message) {
  const bool is_workers = socket == Send::To::kWorker;
  if (is_workers != (key.role == Role::kWorker)) {
    return who(key) + " may not use the socket of " + (is_workers ? "workers" : "clients") +
           (is_workers ? ": use a worker's key there, or dial the socket of clients"
                       : ": use a client's, an operator's or an observer's key there, or dial the "
                         "socket of workers");
  }
  const Right right = right_of(message);
  // A message of the other socket is no question of rights: the core says that it is none.
  if (!right.holds(key.role) && right.holds(Role::kOperator) != is_workers) {
    return who(key) + " may not " + std::string(right.operation) + ": use " + holders(right);
  }
  const auto* const hello = std::get_if<wire::WorkerHello>(&message);
  if (hello != nullptr) return foreign_queue(key, *hello);
  const auto* const get = std::get_if<wire::GetPipelines>(&message);
  if (get != nullptr && !get->name.empty() && !key.may_run(get->name)) {
    return who(key) + " may not read pipeline `" + clean_text(get->name, limits::kNameBytes) +
           "`: add it to `pipelines=` of the key in the keyring";
  }
  const auto* const signal = std::get_if<wire::Signal>(&message);
  if (signal != nullptr && !key.may_run(signal->pipeline)) {
    return who(key) + " may not send signals to orders of " +
           (signal->pipeline.empty()
                ? "any pipeline: name the one that the order runs"
                : "pipeline `" + clean_text(signal->pipeline, limits::kNameBytes) +
                      "`: add it to `pipelines=` of the key in the keyring");
  }
  return std::nullopt;
}

std::optional<std::string> forbidden(const Key& key, const wire::OrderRequest& order) {
  if (key.may_run(order.pipeline)) return std::nullopt;
  return who(key) + " may not submit to pipeline `" +
         clean_text(order.pipeline, limits::kNameBytes) +
         "`: add it to `pipelines=` of the key in the keyring";
}

}  // namespace ordo
