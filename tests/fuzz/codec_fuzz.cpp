// Any bytes as a frame and as the body of an answer: they give a value or an error, and what
// decodes keeps its meaning through another round.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "schema/codec.hpp"
#include "schema/text.hpp"
#include "tests/unit/schema/random_message.hpp"

namespace {

using namespace ordo;
using namespace ordo::wire;

void check_frame(std::string_view bytes) {
  const auto first = decode(bytes);
  if (!first) {
    ORDO_CHECK(first.error().code == Code::kMalformed);
    ORDO_CHECK(!first.error().reason.empty() && !first.error().message.empty());
    return;
  }
  const std::string frame = encode(*first);
  const auto second = decode(frame);
  ORDO_CHECK(second.has_value(), second ? "" : second.error().message);
  ORDO_CHECK(dump(*first) == dump(*second));
  ORDO_CHECK(encode(*second) == frame);
}

template <class Body> void check_body(std::string_view bytes) {
  const auto first = decode_body<Body>(bytes);
  if (!first) return;
  const auto second = decode_body<Body>(encode_body(*first));
  ORDO_CHECK(second.has_value() && dump(*first) == dump(*second));
}

void check_text(std::string_view bytes) {
  const std::string text = clean_text(bytes, 100);
  ORDO_CHECK(is_text(text) && text.size() <= 100);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_frame(bytes);
  check_body<OrderView>(bytes);
  check_body<OrderPage>(bytes);
  check_body<EventPage>(bytes);
  check_body<QueueList>(bytes);
  check_body<WorkerList>(bytes);
  check_text(bytes);
  return 0;
}
