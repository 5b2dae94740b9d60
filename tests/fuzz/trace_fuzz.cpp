// Any bytes as trace context (the two headers, behind a line end each) and as the labels that an
// order keeps it in: what is taken comes back whole, and labels that nobody checked hurt nobody.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "schema/context.hpp"
#include "schema/trace.hpp"

namespace {

using namespace ordo;

void check_headers(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const auto parent = bytes.substr(0, end);
  const auto state = end == bytes.npos ? std::string_view{} : bytes.substr(end + 1);
  const auto trace = parse_trace(parent, state);
  if (!trace) {
    ORDO_CHECK(trace.error().code == Code::kMalformed && trace.error().reason == "trace");
    ORDO_CHECK(!trace.error().message.empty());
    return;
  }
  const std::string labels = with_trace(*trace, R"({"a":1})");
  ORDO_CHECK(check_context(labels, 8192, "labels").has_value(), labels);
  ORDO_CHECK(trace_in(labels) == *trace, labels);
  ORDO_CHECK(labels_without_trace(labels) == R"({"a":1})", labels);
}

void check_labels_of_anybody(std::string_view bytes) {
  const auto trace = trace_in(bytes);
  ORDO_CHECK(trace.traceparent == traceparent_in(bytes));
  ORDO_CHECK(trace.traceparent.empty() || parse_trace(trace.traceparent, "").has_value());
  ORDO_CHECK(!trace.traceparent.empty() || labels_without_trace(bytes) == bytes);
  // Labels that a client may give are never read as a trace.
  if (check_labels(bytes)) ORDO_CHECK(trace.traceparent.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_headers(bytes);
  check_labels_of_anybody(bytes);
  return 0;
}
