// The keyring: what a line may say, and that one bad line spoils the whole.
#include "base/keyring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace ordo {
namespace {

using ::testing::HasSubstr;

/// A key of Z85 that ends in the number.
std::string key_of(int number) {
  std::string key(40, '0');
  const std::string digits = std::to_string(number);
  key.replace(40 - digits.size(), digits.size(), digits);
  return key;
}

Keyring good(const std::string& text) {
  auto ring = Keyring::parse(text, "ring");
  if (!ring) throw std::runtime_error(ring.error().message);
  return *std::move(ring);
}

std::string problem(const std::string& text) {
  const auto ring = Keyring::parse(text, "ring");
  return ring ? "" : ring.error().message;
}

TEST(Keyring, ReadsNamesRolesRightsAndRemarks) {
  const Keyring ring = good("# who may come in\n\n  shop client " + key_of(1) +
                            " pipelines=digital,gift.*\r\npacker\tworker " + key_of(2) +
                            " queues=pack,print-*\nann operator " + key_of(3) + "\nwall observer " +
                            key_of(4) + " revoked\n");
  ASSERT_EQ(ring.keys().size(), 4u);
  const Key* const shop = ring.named("shop");
  ASSERT_NE(shop, nullptr);
  EXPECT_EQ(shop, ring.find(key_of(1)));
  EXPECT_EQ(shop->role, Role::kClient);
  EXPECT_EQ(shop->pipelines, (std::vector<std::string>{"digital", "gift.*"}));
  EXPECT_FALSE(shop->is_revoked);
  EXPECT_TRUE(ring.named("wall")->is_revoked);
  EXPECT_EQ(ring.find(key_of(9)), nullptr);
  EXPECT_EQ(ring.named("nobody"), nullptr);
  for (const Key& key : ring.keys()) EXPECT_EQ(*good(key.line()).named(key.name), key);
}

TEST(Keyring, PatternsAreNamesWithStars) {
  const auto may = [](const std::string& patterns, const std::string& queue) {
    const Keyring ring = good("w worker " + key_of(1) + " queues=" + patterns);
    return ring.named("w")->may_serve(queue);
  };
  EXPECT_TRUE(may("pack", "pack"));
  EXPECT_FALSE(may("pack", "packer"));
  EXPECT_FALSE(may("pack", "pac"));
  EXPECT_TRUE(may("pack*", "packer"));
  EXPECT_TRUE(may("*", ""));
  EXPECT_TRUE(may("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(may("a*b*c", "a-c-b"));
  EXPECT_TRUE(may("x,*.eu", "print.eu"));
  EXPECT_FALSE(may("x,*.eu", "print.us"));
  EXPECT_TRUE(good("w worker " + key_of(1)).named("w")->may_serve("anything"));
}

TEST(Keyring, OneBadLineIsRefusedWithItsNumber) {
  const std::string first = "shop client " + key_of(1) + "\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"other client", "NAME ROLE KEY"},
      {"Other client " + key_of(2), "the name must be"},
      {std::string(65, 'n') + " client " + key_of(2), "the name must be"},
      {"other king " + key_of(2), "the role must be"},
      {"other client " + key_of(2) + "0", "40 characters"},
      {"other client " + key_of(2).substr(1), "40 characters"},
      {"other client " + std::string(39, '0') + "~", "40 characters"},
      {"other client " + key_of(2) + " queues=a", "for workers alone"},
      {"other worker " + key_of(2) + " pipelines=a", "for clients alone"},
      {"other operator " + key_of(2) + " queues=a", "for workers alone"},
      {"other worker " + key_of(2) + " queues=", "leave it out for all"},
      {"other worker " + key_of(2) + " queues=,", "leave it out for all"},
      {"other worker " + key_of(2) + " queues=A", "is no pattern"},
      {"other worker " + key_of(2) + " queues=" + std::string(65, 'q'), "is no pattern"},
      {"other worker " + key_of(2) + " queues=a queues=b", "named twice"},
      {"other worker " + key_of(2) + " Revoked", "is neither"},
      {"other worker " + key_of(2) + " \x01\xff", "`??` is neither"},
      {"shop worker " + key_of(2), "already"},
      {"other worker " + key_of(1), "has the key of `shop`"}};
  for (const auto& [line, what] : cases) {
    EXPECT_THAT(problem(first + line), HasSubstr(what)) << line;
    EXPECT_THAT(problem(first + line), HasSubstr("keyring ring, line 2:")) << line;
  }
  EXPECT_EQ(problem(first + std::string(64, 'n') + " client " + key_of(2)), "");
}

TEST(Keyring, HoldsABoundedNumberOfKeysAndPatterns) {
  std::string text;
  for (int i = 0; i < static_cast<int>(Keyring::kKeys); ++i) {
    text += "k" + std::to_string(i) + " client " + key_of(i) + "\n";
  }
  EXPECT_EQ(problem(text), "");
  EXPECT_THAT(problem(text + "last client " + key_of(10'000)), HasSubstr("more than 10000 keys"));
  std::string patterns = "a";
  for (std::size_t i = 1; i < Keyring::kPatterns; ++i) patterns += ",a";
  EXPECT_EQ(problem("w worker " + key_of(1) + " queues=" + patterns), "");
  EXPECT_THAT(problem("w worker " + key_of(1) + " queues=" + patterns + ",a"), HasSubstr("256"));
}

class KeyringFile : public ::testing::Test {
 protected:
  KeyringFile() {
    folder_ = std::filesystem::temp_directory_path() / "ordo-ring-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder");
    path_ = folder_ + "/ring";
  }
  ~KeyringFile() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string text() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_, path_;
};

TEST_F(KeyringFile, GrowsAndRevokesAndKeepsRemarks) {
  std::ofstream(path_) << "# kept\nshop client " + key_of(1);
  ASSERT_TRUE(add_to_keyring(path_, {.name = "w", .role = Role::kWorker, .public_key = key_of(2)}));
  ASSERT_TRUE(revoke_in_keyring(path_, "shop"));
  ASSERT_TRUE(revoke_in_keyring(path_, "shop"));
  EXPECT_EQ(text(), "# kept\nshop client " + key_of(1) + " revoked\nw worker " + key_of(2) + "\n");
  EXPECT_EQ(revoke_in_keyring(path_, "nobody").error().code, Code::kNotFound);
  const auto again = add_to_keyring(path_, {.name = "w", .public_key = key_of(3)});
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("line 4"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
}

TEST_F(KeyringFile, IsChangedByOneProgramAtATime) {
  std::ofstream(path_ + ".part") << "";
  const auto added = add_to_keyring(path_, {.name = "w", .public_key = key_of(2)});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("being changed by another program"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".part"));
}

}  // namespace
}  // namespace ordo
