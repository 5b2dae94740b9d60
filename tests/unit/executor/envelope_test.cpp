// What goes out about a task and what comes back, as JSON.
#include "worker/executor/envelope.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ordo/testkit.hpp"

namespace ordo::executor {
namespace {

using Json = nlohmann::json;

std::string envelope_of(const testkit::TestTask& task) {
  std::string text;
  testkit::run_handler(
      [&](Task& its) {
        text = make_envelope(its);
        return succeeded();
      },
      task);
  return text;
}

TEST(Envelope, HoldsEverythingThatTheTaskHas) {
  const auto json = Json::parse(envelope_of({.pipeline = "shop",
                                             .step = "charge",
                                             .payload = R"({"cents":100})",
                                             .context = R"({"risk":"low"})",
                                             .results = {{"reserve", R"([1,2])"}, {"scan", "\xff"}},
                                             .attempt = 3,
                                             .is_maybe = true,
                                             .is_compensation = true}));
  EXPECT_EQ(json["pipeline"], "shop");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["step"], "charge");
  EXPECT_EQ(json["branch"], 0);
  EXPECT_EQ(json["kind"], "compensate");
  EXPECT_EQ(json["attempt"], 3);
  EXPECT_EQ(json["maybe"], true);
  EXPECT_EQ(json["key"], json["order"].get<std::string>() + "/charge/0/compensate");
  EXPECT_EQ(json["payload"]["cents"], 100);
  EXPECT_EQ(json["context"]["risk"], "low");
  ASSERT_EQ(json["results"].size(), 2U);
  EXPECT_EQ(json["results"][0]["step"], "reserve");
  EXPECT_EQ(json["results"][0]["result"], Json::parse("[1,2]"));
  EXPECT_EQ(json["results"][1]["result_base64"], "/w==");
}

TEST(Envelope, LeavesJsonAsItIsAndWrapsTheRest) {
  // A number that no double holds, and two keys of one name: neither is touched.
  const std::string odd = R"({"a":12345678901234567890123,"a":1})";
  EXPECT_NE(envelope_of({.payload = odd}).find("\"payload\":" + odd), std::string::npos);
  const auto is_wrapped = [](const std::string& payload) {
    const auto json = Json::parse(envelope_of({.payload = payload}));
    return json.contains("payload_base64") && !json.contains("payload");
  };
  EXPECT_TRUE(is_wrapped("{\"open\":"));
  EXPECT_TRUE(is_wrapped("{} , \"step\":\"mine\""));
  EXPECT_TRUE(is_wrapped("\xef\xbb\xbf{}"));
  EXPECT_FALSE(is_wrapped("\"text\""));
  const auto empty = Json::parse(envelope_of({}));
  EXPECT_TRUE(empty["payload"].is_null());
  EXPECT_TRUE(empty["context"].is_object());
}

TEST(Envelope, OpensResultAndContextAndNothingElse) {
  const auto opened = open_envelope(R"({"result": {"id": 7}, "context": {"paid": true}})");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->result, R"({"id":7})");
  EXPECT_EQ(opened->context, R"({"paid":true})");
  const auto nothing = open_envelope("{}");
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->result + nothing->context, "");
  for (const char* const wrong :
       {"", "[]", "{", R"({"results": 1})", R"({"context": []})", "\xff", "{}{}"}) {
    EXPECT_FALSE(open_envelope(wrong)) << wrong;
  }
}

TEST(Envelope, RefusesWhatIsNestedTooDeepForTheStack) {
  const auto nested = [](std::size_t depth) {
    return "{\"result\":" + std::string(depth, '[') + std::string(depth, ']') + '}';
  };
  EXPECT_TRUE(open_envelope(nested(60)));
  EXPECT_FALSE(open_envelope(nested(30'000)));
  EXPECT_TRUE(open_envelope(R"({"result":")" + std::string(1000, '[') + R"(\"["})"))
      << "brackets in a text are none";
}

}  // namespace
}  // namespace ordo::executor
