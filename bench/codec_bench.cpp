// What the codec costs an item: frames of many small items, as they travel on a busy connection.
// Numbers to beat: 400 ns for each way of each item, so that two cores carry 500,000 items a second
// with most of their time left.
#include <benchmark/benchmark.h>

#include "schema/codec.hpp"

namespace ordo::wire {
namespace {

OrderId some_id(std::uint64_t i) { return OrderId::make(1'760'000'000'000, 1, i * 0x9e3779b9U); }

OrderRequest make_order(std::uint64_t i) {
  OrderRequest order;
  order.request = i;
  order.id = some_id(i);
  order.pipeline = "one_step";
  order.payload = std::string(100, 'p');
  return order;
}

Offer make_offer(std::uint64_t i) {
  Offer offer;
  offer.key = {some_id(i), 0, 0, TaskKind::kForward};
  offer.fence = {1, 7, 1};
  offer.pipeline = "one_step";
  offer.step = offer.handler = offer.queue = "work";
  offer.timeout_ms = 30'000;
  offer.payload = std::string(100, 'p');
  return offer;
}

TaskResult make_result(std::uint64_t i) {
  TaskResult result;
  result.key = {some_id(i), 0, 0, TaskKind::kForward};
  result.fence = {1, 7, 1};
  result.result = "done";
  return result;
}

Answer make_answer(std::uint64_t i) {
  Answer answer;
  answer.request = i;
  return answer;
}

template <class Frame> Message make_frame(std::size_t items, auto make) {
  Frame frame;
  auto& list = [&]() -> auto& {
    if constexpr (requires { frame.orders; }) {
      return frame.orders;
    } else {
      return frame.items;
    }
  }
  ();
  for (std::size_t i = 0; i < items; ++i) list.push_back(make(i));
  return frame;
}

void report(benchmark::State& state, std::size_t items, std::size_t bytes) {
  const auto done = static_cast<double>(state.iterations() * static_cast<std::int64_t>(items));
  state.counters["an_item"] =
      benchmark::Counter(done, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes_an_item"] = static_cast<double>(bytes) / static_cast<double>(items);
}

void encode_frame(benchmark::State& state, const Message& message, std::size_t items) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string frame = encode(message);
    bytes = frame.size();
    benchmark::DoNotOptimize(frame.data());
  }
  report(state, items, bytes);
}

void decode_frame(benchmark::State& state, const Message& message, std::size_t items) {
  const std::string frame = encode(message);
  for (auto _ : state) {
    auto got = decode(frame);
    if (!got) state.SkipWithError("refused");
    benchmark::DoNotOptimize(got);
  }
  report(state, items, frame.size());
}

void add(const std::string& name, const Message& message, std::size_t items) {
  benchmark::RegisterBenchmark(("encode/" + name).c_str(), encode_frame, message, items);
  benchmark::RegisterBenchmark(("decode/" + name).c_str(), decode_frame, message, items);
}

}  // namespace

void add_all() {
  add("OrderRequest", make_frame<Submit>(500, make_order), 500);
  add("Offer", make_frame<Offers>(limits::kFrameOffers, make_offer), limits::kFrameOffers);
  add("TaskResult", make_frame<Results>(500, make_result), 500);
  add("Answer", make_frame<Answers>(500, make_answer), 500);
}

}  // namespace ordo::wire

int main(int argc, char** argv) {
  ordo::wire::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
