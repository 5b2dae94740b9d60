#include <gtest/gtest.h>

#include "schema/pipeline.hpp"

namespace ordo {
namespace {

std::string said_of(const std::string& steps) {
  const auto parsed = parse_pipeline("pipeline: p\nsteps:\n" + steps);
  EXPECT_TRUE(parsed.has_value()) << steps;
  std::string said;
  if (!parsed) return said;
  for (const Problem& warning : warnings(*parsed)) {
    EXPECT_FALSE(warning.instead.empty());
    said += std::to_string(warning.line) + " " + warning.what + "\n";
  }
  return said;
}

TEST(PipelineWarnings, SayOnceAStepWhatAFailureWouldNotUndo) {
  EXPECT_EQ(said_of("  a: {}\n"
                    "  b: { after: a }\n"
                    "  c: { after: b, compensate: undo_c }\n"
                    "  d: { after: c }\n"),
            "3 step `a` is not undone where `b`, `c`, `d` fail for good\n"
            "4 step `b` is not undone where `c`, `d` fail for good\n");
  EXPECT_EQ(said_of("  a: {}\n"
                    "  b: { after: a, compensate: undo_b }\n"
                    "  c: { after: b }\n"
                    "  d: { after: c }\n"
                    "  e: { after: d, compensate: undo_e }\n"),
            "3 step `a` is not undone where `b`, `c`, `d` and 1 more fail for good\n"
            "5 step `c` is not undone where `d`, `e` fail for good\n"
            "6 step `d` is not undone where `e` fails for good\n");
}

TEST(PipelineWarnings, SayNothingWhereNothingIsUndoneAtAll) {
  EXPECT_EQ(said_of("  a: {}\n  b: { after: a }\n"), "");
}

TEST(PipelineWarnings, SayNothingOfWhatCannotEndTheOrder) {
  EXPECT_EQ(said_of("  a: {}\n"
                    "  b: { after: a, optional: true }\n"
                    "  c: { after: a, class: async, compensate: undo_c }\n"
                    "  d: { after: a, wait: go, on_timeout: skip }\n"),
            "");
  // Behind what is irreversible nothing ends the order; the irreversible step itself may.
  EXPECT_EQ(said_of("  a: { compensate: undo_a }\n"
                    "  b: { after: a }\n"
                    "  c: { after: b, irreversible: true }\n"
                    "  d: { after: c }\n"),
            "4 step `b` is not undone where `c` fails for good\n");
}

}  // namespace
}  // namespace ordo
