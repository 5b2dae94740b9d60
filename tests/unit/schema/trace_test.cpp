#include "schema/trace.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "schema/context.hpp"

namespace ordo {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";
const std::string kGood = "00-" + kTrace + "-" + kParent + "-01";

std::string refusal(std::string_view traceparent, std::string_view tracestate = {}) {
  const auto parsed = parse_trace(traceparent, tracestate);
  if (parsed) return "none";
  EXPECT_EQ(parsed.error().code, Code::kMalformed);
  EXPECT_EQ(parsed.error().reason, "trace");
  return parsed.error().message;
}

TEST(TraceContext, TakesATraceparentAsItIs) {  // [P-75]
  EXPECT_EQ(parse_trace("", "").value(), TraceContext{});
  const auto trace = parse_trace(kGood, "").value();
  EXPECT_EQ(trace.traceparent, kGood);
  EXPECT_EQ(trace_id_of(trace.traceparent), kTrace);
  EXPECT_EQ(parent_id_of(trace.traceparent), kParent);
  for (const char* flags : {"00", "01", "02", "ff"}) {
    EXPECT_TRUE(parse_trace(kGood.substr(0, 53) + flags, "")) << flags;
  }
}

TEST(TraceContext, RefusesWhatIsNoTraceparent) {
  const std::string shape = "traceparent is not 00-TRACE-PARENT-FLAGS with 32, 16 and 2 hex digits";
  const std::string digits = "traceparent has other characters than 0-9 and a-f between its dashes";
  EXPECT_EQ(refusal("x"), shape);
  EXPECT_EQ(refusal(kGood.substr(0, 54)), shape);
  EXPECT_EQ(refusal("00_" + kTrace + "-" + kParent + "-01"), shape);
  EXPECT_EQ(refusal("00-" + kTrace + "0" + kParent + "-01"), shape);
  EXPECT_EQ(refusal("00-" + kTrace + "-" + kParent + "+01"), shape);
  EXPECT_EQ(refusal("00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kParent + "-01"), digits);
  EXPECT_EQ(refusal("00-" + kTrace + "-" + kParent + "-0g"), digits);
  EXPECT_EQ(refusal("0G-" + kTrace + "-" + kParent + "-01"), digits);
  EXPECT_EQ(refusal("00-" + kTrace + "-00f067aa0ba902b\"-01"), digits);
  EXPECT_EQ(refusal(kGood + "-"), "traceparent goes on after its flags");
  EXPECT_EQ(refusal(kGood + " "), "traceparent goes on after its flags");
  EXPECT_EQ(refusal("ff" + kGood.substr(2)), "traceparent has version ff, which is forbidden");
  EXPECT_EQ(refusal("00-" + std::string(32, '0') + "-" + kParent + "-01"),
            "traceparent has a trace id of zeros");
  EXPECT_EQ(refusal("00-" + kTrace + "-" + std::string(16, '0') + "-01"),
            "traceparent has a parent id of zeros");
  EXPECT_EQ(refusal("", "a=b"), "tracestate needs a traceparent");
}

TEST(TraceContext, BringsALaterVersionDown) {
  EXPECT_EQ(parse_trace("cc" + kGood.substr(2), "").value().traceparent, kGood);
  EXPECT_EQ(parse_trace("01" + kGood.substr(2) + "-what-comes-then", "").value().traceparent,
            kGood);
  EXPECT_EQ(parse_trace("01" + kGood.substr(2, 51) + "fe", "").value().traceparent,
            kGood.substr(0, 53) + "00");
  EXPECT_EQ(refusal("01" + kGood.substr(2) + "x"), "traceparent goes on after its flags");
}

TEST(TraceContext, TakesTracestateWithinItsBounds) {
  const auto state = [](std::string_view text) { return parse_trace(kGood, text)->tracestate; };
  EXPECT_EQ(state("congo=t61,rojo=00f0"), "congo=t61,rojo=00f0");
  EXPECT_EQ(state(" congo=t61 ,\t,, rojo=a b\t"), "congo=t61,rojo=a b");
  EXPECT_EQ(state("0a_-*/@b= !\"\\~"), "0a_-*/@b= !\"\\~");
  std::string many;
  for (int i = 0; i < 32; ++i) many += (i == 0 ? "k" : ",k") + std::to_string(i) + "=v";
  EXPECT_EQ(state(many), many);
  EXPECT_EQ(refusal(kGood, many + ",more=v"), "tracestate has more than 32 members");
  const std::string longest = std::string(255, 'k') + "=" + std::string(256, 'v');
  ASSERT_EQ(longest.size(), kTracestateBytes);
  EXPECT_EQ(state(longest), longest);
  EXPECT_EQ(refusal(kGood, "k" + longest), "tracestate has 513 bytes; at most 512 are allowed");
}

TEST(TraceContext, RefusesWhatIsNoTracestate) {
  const std::string member = "tracestate has a member that is not vendor=value";
  for (const std::string& bad :
       std::vector<std::string>{"congo", "=v", "k=", "Congo=1", "-k=1", "k k=1", "k=a=b", "k=\x7f",
                                "k=\n", "k=\xc3\xa4", "k=v,x", std::string(257, 'k') + "=v"}) {
    EXPECT_EQ(refusal(kGood, bad), member) << bad;
  }
  EXPECT_EQ(refusal(kGood, "k=" + std::string(257, 'v')), member);
  EXPECT_EQ(refusal(kGood, std::string_view("k=\0v", 4)), member);
  EXPECT_EQ(refusal(kGood, "k=1,k=2"), "tracestate names a vendor twice");
}

TEST(TraceContext, IsKeptAtTheHeadOfLabels) {  // [P-76]
  const TraceContext trace{kGood, "a=\"\\,b=2"};
  for (const std::string labels : {"", "{\"shop\":\"berlin\"}", "{ \"a\" : {\"b\":[1]} }"}) {
    const std::string kept = with_trace(trace, labels);
    EXPECT_TRUE(check_context(kept, 8192, "labels")) << kept;
    EXPECT_EQ(traceparent_in(kept), kGood);
    EXPECT_EQ(trace_in(kept), trace);
    EXPECT_EQ(labels_without_trace(kept), labels);
    EXPECT_EQ(with_trace({}, labels), labels);
    EXPECT_EQ(labels_without_trace(labels), labels);
  }
  EXPECT_EQ(labels_without_trace(with_trace(trace, "{ }")), "");
  EXPECT_EQ(with_trace({kGood, ""}, ""), R"({"traceparent":")" + kGood + "\"}");
}

TEST(TraceContext, IsNotFoundWhereItIsNotWhole) {
  for (const std::string& labels : std::vector<std::string>{
           "{}", R"({"traceparent":"mine"})" + std::string(80, ' '), R"({"traceparent":")" + kGood,
           R"({"a":1,"traceparent":")" + kGood + "\"}", R"({"traceparent":")" + kGood + "x\"}"}) {
    EXPECT_EQ(traceparent_in(labels), "") << labels;
    EXPECT_EQ(trace_in(labels), TraceContext{}) << labels;
    EXPECT_EQ(labels_without_trace(labels), labels);
  }
  const std::string cut = R"({"traceparent":")" + kGood + R"(","tracestate":"a=\)";
  EXPECT_EQ(trace_in(cut).tracestate, "");
}

TEST(TraceContext, ItsNamesAreNoLabels) {  // [P-77]
  for (const char* labels :
       {R"({"traceparent":"x"})", R"({"a":1,"tracestate":1})", R"({"\u0074raceparent":"x"})"}) {
    const auto checked = check_labels(labels);
    ASSERT_FALSE(checked) << labels;
    EXPECT_EQ(checked.error().reason, "trace");
    EXPECT_TRUE(check_context(labels, 4096, "context")) << labels;
  }
  EXPECT_TRUE(check_labels(R"({"a":{"traceparent":"x"},"b":"tracestate"})"));
  EXPECT_TRUE(check_labels(""));
}

TEST(TraceContext, NamesAttemptsTheSameWayEverywhere) {  // [P-78]
  const auto id = OrderId::parse("01234567-89ab-7005-8000-000000000000");
  ASSERT_TRUE(id);
  const TaskKey key{*id, 2, 0, TaskKind::kForward};
  const std::string name = effect_key(key, "pay");
  EXPECT_EQ(name, "01234567-89ab-7005-8000-000000000000/pay/0/forward");
  EXPECT_EQ(span_id(name, 1), "571783beaae9b6b7");
  EXPECT_EQ(span_id(name, 2), "7420a9b5bfa8d9e4");
  EXPECT_EQ(span_id(effect_key({*id, 2, 7, TaskKind::kCompensate}, "pay"), 1), "0fd70d931731a36a");
}

RC_GTEST_PROP(TraceContext, AnyBytesAreRefusedOrKeptWhole,
              (std::string parent, std::string state, bool is_bent)) {
  if (is_bent) {  // near misses find more than noise
    std::string text = kGood;
    if (!parent.empty()) text[static_cast<unsigned char>(parent[0]) % text.size()] = parent[0];
    parent = text;
  }
  const auto trace = parse_trace(parent, state);
  if (!trace) return;
  RC_ASSERT(parse_trace(trace->traceparent, trace->tracestate).value() == *trace);
  const std::string labels = with_trace(*trace, R"({"a":1})");
  RC_ASSERT(nlohmann::json::accept(labels));
  RC_ASSERT(trace_in(labels) == *trace);
  RC_ASSERT(labels_without_trace(labels) == R"({"a":1})");
}

RC_GTEST_PROP(TraceContext, EveryStateOfTheGrammarIsKept, ()) {
  const auto value_char = rc::gen::suchThat(rc::gen::inRange(' ' + 1, '~' + 1),
                                            [](int c) { return c != ',' && c != '='; });
  std::string state;
  const int members = *rc::gen::inRange(0, 8);
  for (int i = 0; i < members; ++i) {
    state += (i == 0 ? "k" : ",k") + std::to_string(i) + "=";
    for (int c : *rc::gen::container<std::vector<int>>(7, value_char)) {
      state += static_cast<char>(c);
    }
  }
  const auto trace = parse_trace(kGood, state);
  RC_ASSERT(trace.has_value());
  RC_ASSERT(trace->tracestate == state);
  const auto labels = nlohmann::json::parse(with_trace(*trace, ""));
  RC_ASSERT(labels.value("tracestate", "") == state);
  RC_ASSERT(trace_in(labels.dump()).traceparent == kGood);
}

}  // namespace
}  // namespace ordo
