#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/transcripts/player.hpp"

namespace ordo::transcript {
namespace {

namespace fs = std::filesystem;

const fs::path kStories{ORDO_STORIES};

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<std::string> names_of_stories() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kStories)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_rewriting() {
  const char* wanted = std::getenv("ORDO_REWRITE");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, HappensAsTold) {
  const fs::path file = kStories / (GetParam() + ".txt");
  const std::string text = read(file);
  Story happened;
  std::string report;
  try {
    const Story story = read_story(text);
    report = play(story, happened);
    if (report.empty() && text != to_text(story)) report = "blank lines where none belong";
  } catch (const std::exception& error) {
    FAIL() << file.string() << ", " << error.what();
  }
  if (report.empty()) return;
  if (is_rewriting()) {
    std::ofstream(file) << to_text(happened);
  } else {
    FAIL() << file.string() << " (ORDO_REWRITE=1 writes down what happens)\n" << report;
  }
}

INSTANTIATE_TEST_SUITE_P(Stories, Transcript, testing::ValuesIn(names_of_stories()),
                         [](const auto& one) { return one.param; });

// ---- the harness itself ------------------------------------------------------------------------

constexpr std::string_view kShort = R"(# A broker opens and welcomes a client.

given
open
----

client c1
----
send  c1 welcome
)";

std::string report_of(std::string text, Story* happened = nullptr) {
  Story ignored;
  return play(read_story(text), happened != nullptr ? *happened : ignored);
}

std::string replaced(std::string_view what, std::string_view with) {
  std::string text(kShort);
  return text.replace(text.find(what), what.size(), with);
}

TEST(TranscriptHarness, TakesAStoryThatHappensAsTold) {
  EXPECT_EQ(report_of(std::string(kShort)), "");
}

TEST(TranscriptHarness, FlagsAStoryWhoseOutputIsWrong) {
  EXPECT_EQ(report_of(replaced("c1 welcome", "c1 goodbye")),
            "line 7: client c1\n  - send  c1 goodbye\n  + send  c1 welcome\n");
  EXPECT_EQ(report_of(replaced("send  c1 welcome\n", "")),
            "line 7: client c1\n  + send  c1 welcome\n");
  EXPECT_EQ(report_of(std::string(kShort) + "send  c1 welcome\n"),
            "line 7: client c1\n    send  c1 welcome\n  - send  c1 welcome\n");
}

TEST(TranscriptHarness, FlagsACommandThatCannotBePlayed) {
  EXPECT_THROW(report_of(replaced("client c1", "clent c1")), std::runtime_error);
  EXPECT_THROW(read_story("open\n----\n"), std::runtime_error);
  EXPECT_THROW(read_story("# A story.\n\nopen\n"), std::runtime_error);
}

TEST(TranscriptHarness, RewritesAStoryToWhatHappened) {
  Story happened;
  EXPECT_NE(report_of(replaced("c1 welcome", "c1 goodbye"), &happened), "");
  EXPECT_EQ(to_text(happened), kShort);
}

}  // namespace
}  // namespace ordo::transcript
