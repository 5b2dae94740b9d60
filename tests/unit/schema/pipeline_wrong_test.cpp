// What is said about wrong pipelines, word by word.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "schema/pipeline.hpp"

namespace ordo {
namespace {

constexpr const char* kFile = "tests/unit/schema/pipelines/wrong.txt";

struct Case {
  std::string name;
  std::string text;
  std::string said;
};

std::vector<Case> read_cases(std::string& head) {
  std::ifstream file(kFile);
  std::vector<Case> cases;
  bool is_text = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("== ", 0) == 0) {
      cases.push_back({line.substr(3), "", ""});
      is_text = true;
    } else if (line == "--") {
      is_text = false;
    } else {
      std::string& part = cases.empty() ? head : is_text ? cases.back().text : cases.back().said;
      part += line + "\n";
    }
  }
  return cases;
}

std::string say(const std::string& text) {
  const auto parsed = parse_pipeline(text);
  if (parsed) return "nothing\n";
  std::string said;
  for (const Problem& problem : parsed.error()) said += problem.to_string("file.yaml") + "\n";
  return said;
}

TEST(WrongPipelines, AreExplainedWordByWord) {
  std::string head;
  std::vector<Case> cases = read_cases(head);
  ASSERT_GE(cases.size(), 60u) << "cannot read " << kFile;
  const bool is_rewrite = std::getenv("ORDO_REWRITE") != nullptr;
  std::set<std::string> names;
  for (Case& c : cases) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name << " is there twice";
    const std::string said = say(c.text);
    EXPECT_NE(said, "nothing\n") << c.name;
    if (!is_rewrite) {
      EXPECT_EQ(said, c.said) << c.name << ":\n" << c.text;
    }
    c.said = said;
  }
  if (!is_rewrite) return;
  std::ofstream file(kFile);
  file << head;
  for (const Case& c : cases) file << "== " << c.name << "\n" << c.text << "--\n" << c.said;
}

std::string steps(std::size_t count, const char* body) {
  std::ostringstream text;
  text << "pipeline: p\nsteps:\n";
  for (std::size_t i = 0; i < count; ++i) text << "  s" << i << ": " << body << "\n";
  return text.str();
}

TEST(WrongPipelines, AreRefusedWhenTheyAreTooLarge) {
  EXPECT_EQ(say(std::string(limits::kPipelineBytes + 1, '#')),
            "file.yaml: the file has 262145 bytes: a pipeline has at most 262144\n");
  EXPECT_EQ(say(steps(257, "{}")),
            "file.yaml:3:3: the pipeline has 257 steps: at most 256 are allowed: split it\n");
  EXPECT_TRUE(parse_pipeline(steps(256, "{}")).has_value());
}

TEST(WrongPipelines, AreRefusedForTooManyEdges) {
  // 64 steps that each follow 32 others are 2,048 edges.
  std::ostringstream text;
  text << "pipeline: p\nsteps:\n";
  for (int i = 0; i < 32; ++i) text << "  a" << i << ": {}\n";
  for (int i = 0; i < 64; ++i) {
    text << "  b" << i << ": { after: [a0";
    for (int j = 1; j < 32; ++j) text << ", a" << j;
    text << "] }\n";
  }
  EXPECT_NE(say(text.str()).find("the steps have more than 1024 names in `after`"),
            std::string::npos);
}

TEST(WrongPipelines, AreRefusedForBytesThatAreNoText) {
  EXPECT_EQ(say("pipeline: p # \xff\nsteps: { a: {} }\n"),
            "file.yaml:1:15: the file holds a byte that is not UTF-8 text: save it as UTF-8\n");
  EXPECT_EQ(say(std::string("pipeline: p\n\0", 13)),
            "file.yaml:2:1: the file holds a byte that is not UTF-8 text: save it as UTF-8\n");
}

TEST(WrongPipelines, AreRefusedBeforeABombGoesOff) {
  // Nine levels of nine aliases would be 400 million scalars.
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string("*") + static_cast<char>(c - 1) + ",";
    bomb += "]\n";
  }
  EXPECT_NE(say(bomb).find("anchor `&a` is not allowed"), std::string::npos);
  EXPECT_NE(say("pipeline: " + std::string(100'000, '[')), "nothing\n");
  EXPECT_NE(say(std::string(100'000, '{')), "nothing\n");
  std::string deep;
  for (int i = 0; i < 400; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(say(deep).find("nest deeper than 8"), std::string::npos);
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  EXPECT_NE(say(dashes), "nothing\n");
  std::string wide = "pipeline: p\nsteps: { a: { after: [";
  for (int i = 0; i < 60'000; ++i) wide += "x,";
  EXPECT_NE(say(wide + "] } }").find("more than 32768 values"), std::string::npos);
}

TEST(WrongPipelines, AreListedUpToABound) {
  std::string text = "pipeline: p\nsteps:\n";
  for (int i = 0; i < 200; ++i) text += "  s" + std::to_string(i) + ": { colour: red }\n";
  const auto parsed = parse_pipeline(text);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().size(), 50u);
  const Error error = to_error(parsed.error(), "f.yaml");
  EXPECT_EQ(error.code, Code::kMalformed);
  EXPECT_EQ(error.reason, "invalid_pipeline");
  EXPECT_EQ(error.message.rfind("the pipeline cannot be taken: f.yaml:3:9: unknown key", 0), 0u);
  EXPECT_NE(error.message.find("; and 40 more"), std::string::npos);
}

}  // namespace
}  // namespace ordo
