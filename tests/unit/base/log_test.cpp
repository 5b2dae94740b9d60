#include "base/log.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ordo::log {
namespace {

TEST(Log, WritesTextForPeople) {
  EXPECT_EQ(line(Form::kText, Level::kInfo, "T", "shard opened", {{"shard", 3}, {"owner", "a b"}}),
            R"(T info  shard opened shard=3 owner="a b")");
}

TEST(Log, WritesJsonForMachines) {
  EXPECT_EQ(line(Form::kJson, Level::kWarn, "T", "odd",
                 {{"n", -1}, {"u", 7u}, {"d", 0.5}, {"b", true}, {"s", std::string("x")}}),
            R"({"time":"T","level":"warn","event":"odd","n":-1,"u":7,"d":0.5,"b":true,"s":"x"})");
}

TEST(Log, LetsNobodyForgeALine) {
  const std::string evil = "a\"\n{\"level\":\"error\"}\r\x1b[31m\x7f";
  for (const Form form : {Form::kText, Form::kJson}) {
    const std::string out = line(form, Level::kInfo, "T", evil, {{"name", evil}});
    for (const char c : out) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << out;
  }
}

TEST(Log, IsSilentBelowItsLevel) {
  setup(Level::kWarn, Form::kText);
  EXPECT_FALSE(is_on(Level::kInfo));
  EXPECT_TRUE(is_on(Level::kError));
  setup(Level::kInfo, Form::kText);
  EXPECT_EQ(level_of("debug"), Level::kDebug);
  EXPECT_EQ(level_of("nonsense"), Level::kInfo);
}

}  // namespace
}  // namespace ordo::log
