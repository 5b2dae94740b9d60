#include "client/cli/trace_options.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/random.hpp"
#include "client/cli/printer.hpp"
#include "schema/trace.hpp"

namespace ordo::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// A trace that begins here, sampled.
std::string drawn() {
  const auto bits = [] {
    const std::uint64_t any = random_seed();
    return static_cast<unsigned long long>(any == 0 ? 1 : any);
  };
  std::array<char, kTraceparentBytes + 1> text{};
  std::snprintf(text.data(), text.size(), "00-%016llx%016llx-%016llx-01", bits(), bits(), bits());
  return text.data();
}

void take(TraceContext&& trace, client::Order& order) {
  order.traceparent = std::move(trace.traceparent);
  order.tracestate = std::move(trace.tracestate);
}

}  // namespace

void add_trace_options(CLI::App& command, TraceOptions& options) {
  CLI::Option* parent = command.add_option(
      "--traceparent", options.traceparent,
      "The trace it belongs to: W3C traceparent (else the variable TRACEPARENT)");
  command
      .add_option("--tracestate", options.tracestate,
                  "Its W3C tracestate (else TRACESTATE, with TRACEPARENT)")
      ->needs(parent);
  command.add_flag("--trace", options.must_draw, "Begin a trace here, and print its traceparent")
      ->excludes(parent);
}

bool take_trace(const TraceOptions& options, client::Order& order) {
  if (options.must_draw) {
    order.traceparent = drawn();
    return true;
  }
  if (!options.traceparent.empty()) {
    auto trace = parse_trace(options.traceparent, options.tracestate);
    if (!trace) {
      complain("--traceparent or --tracestate is wrong", trace.error().message,
               "--trace begins a new one");
      return false;
    }
    take(std::move(*trace), order);
    return true;
  }
  const std::string parent = variable("TRACEPARENT");
  if (parent.empty()) return true;
  auto trace = parse_trace(parent, variable("TRACESTATE"));
  if (!trace) {
    complain("TRACEPARENT is passed over: the order has no trace", trace.error().message, {});
    return true;
  }
  take(std::move(*trace), order);
  return true;
}

}  // namespace ordo::cli
