#include "monitoring/page/page_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace ordo {
namespace {

using testing::HasSubstr;
using testing::Not;

const PageFile& start() {
  const auto files = page_files();
  const auto found =
      std::find_if(files.begin(), files.end(), [](const PageFile& f) { return f.path == "/"; });
  EXPECT_NE(found, files.end());
  return *found;
}

TEST(PageFiles, BeginWithAPageAlsoWhereNothingCouldBeBundled) {
  EXPECT_EQ(start().type, "text/html; charset=utf-8");
  EXPECT_TRUE(start().body.starts_with("<!doctype html>"));
}

TEST(PageFiles, HaveEachAPathATypeAndATagOfTheirOwn) {
  std::set<std::string_view> paths;
  std::set<std::string_view> tags;
  for (const PageFile& file : page_files()) {
    EXPECT_TRUE(file.path.starts_with('/'));
    EXPECT_FALSE(file.type.empty());
    EXPECT_FALSE(file.body.empty());
    EXPECT_THAT(std::string(file.etag), testing::MatchesRegex("\"[0-9a-f]{20}\""));
    EXPECT_TRUE(paths.insert(file.path).second);
    EXPECT_TRUE(tags.insert(file.etag).second);
  }
}

TEST(PageFiles, AreSmallerWhereTheyAreCompressed) {
  for (const PageFile& file : page_files()) {
    if (file.gzip.empty()) continue;
    EXPECT_TRUE(file.gzip.starts_with("\x1f\x8b")) << file.path;
    EXPECT_LT(file.gzip.size(), file.body.size()) << file.path;
  }
}

TEST(PageFiles, OfferTheBrowserNothingThatItsPolicyForbids) {
  const std::string html(start().body);
  EXPECT_THAT(html, Not(HasSubstr("<style")));
  EXPECT_THAT(html, Not(HasSubstr("style=")));
  EXPECT_THAT(html, Not(HasSubstr("//")));  // nothing from another host
  EXPECT_THAT(html, Not(testing::ContainsRegex("<script[^>]*>[^<]")));
}

}  // namespace
}  // namespace ordo
