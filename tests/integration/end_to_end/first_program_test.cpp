// The README's first program is the one in examples/first, and prints what the README says.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FirstProgram, IsTheOneInTheReadme) {
  const std::string program = text_of("examples/first/first.cpp");
  ASSERT_FALSE(program.empty());
  EXPECT_NE(text_of("README.md").find("```cpp\n" + program + "```"), std::string::npos)
      << "examples/first/first.cpp and the first program in README.md differ";
}

TEST(FirstProgram, PrintsWhatTheReadmeSays) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  const auto program = find_program("ordo-first");
  ASSERT_TRUE(program) << program.error().message;
  const auto output = output_of(*program, {broker.endpoints().clients, broker.endpoints().workers});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(*output, "succeeded: hello world!\n");
}

}  // namespace
}  // namespace ordo::testing
