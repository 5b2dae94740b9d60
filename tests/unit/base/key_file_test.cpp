// Secret keys as files: who may read them, what may stand in them.
#include "base/key_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ordo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kPublic(40, 'a');
const std::string kSecret(40, 'Z');

class KeyFile : public ::testing::Test {
 protected:
  KeyFile() {
    folder_ = std::filesystem::temp_directory_path() / "ordo-keys-XXXXXX";
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder");
  }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_ + "/" + std::to_string(++files_);
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::string folder_;
  int files_ = 0;
};

TEST_F(KeyFile, ReadsBackWhatItWrote) {
  const std::string path = folder_ + "/new";
  ASSERT_TRUE(write_key_pair(path, {kPublic, kSecret}, "key of a test"));
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto pair = read_key_pair(path);
  ASSERT_TRUE(pair) << pair.error().message;
  EXPECT_EQ(pair->public_key, kPublic);
  EXPECT_EQ(pair->secret_key, kSecret);
  // What is there is never replaced: it may be the only copy.
  EXPECT_FALSE(write_key_pair(path, {kPublic, kSecret}, "again"));
}

TEST_F(KeyFile, IsRefusedWhereOthersMayUseIt) {
  const std::string text = "public " + kPublic + "\nsecret " + kSecret + "\n";
  const bool is_root = ::geteuid() == 0;
  const std::vector<std::pair<mode_t, bool>> modes{{0600, true},  {0400, true},    {0604, false},
                                                   {0602, false}, {0601, false},   {0644, false},
                                                   {0660, false}, {0640, is_root}, {0440, is_root}};
  for (const auto& [mode, is_fine] : modes) {
    const std::string path = file(text, mode);
    const auto read = read_key_pair(path);
    EXPECT_EQ(read.has_value(), is_fine) << std::oct << mode;
    if (read) continue;
    EXPECT_THAT(read.error().message, HasSubstr("chmod 600 " + path));
    EXPECT_THAT(read.error().message, Not(HasSubstr(kSecret)));
  }
}

TEST_F(KeyFile, IsRefusedWithItsLineAndWithoutItsContent) {
  const std::string good = "public " + kPublic + "\nsecret " + kSecret;
  EXPECT_TRUE(read_key_pair(file("# a remark\n\n" + good)));
  EXPECT_TRUE(read_key_pair(file("public " + kPublic + "\r\nsecret " + kSecret + "\r\n")));
  for (const std::string& bad :
       {std::string("public " + kPublic + "\nsecret " + kSecret.substr(1)),
        std::string("public " + kPublic + "\nsecret " + kSecret + "x"),
        std::string("public " + kPublic + "\nsecret " + std::string(39, 'Z') + "~"),
        good + "\nsecret " + kSecret, good + "\nsome words", "secret" + kSecret,
        std::string("\0\0\0", 3)}) {
    const auto read = read_key_pair(file(bad));
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, Code::kMalformed);
    EXPECT_THAT(read.error().message, HasSubstr(", line "));
    EXPECT_THAT(read.error().message, Not(HasSubstr("ZZZZZ")));
  }
  EXPECT_THAT(read_key_pair(file("public " + kPublic)).error().message, HasSubstr("no secret key"));
  EXPECT_THAT(read_key_pair(file("secret " + kSecret)).error().message, HasSubstr("no public key"));
  EXPECT_THAT(read_key_pair(file(std::string(4097, '#'))).error().message, HasSubstr("4 KiB"));
  EXPECT_TRUE(read_key_pair(file(good + "\n#" + std::string(4096 - good.size() - 2, 'x'))));
  EXPECT_THAT(read_key_pair(folder_).error().message, HasSubstr("is no file"));
  EXPECT_EQ(read_key_pair(folder_ + "/none").error().code, Code::kUnavailable);
}

TEST_F(KeyFile, GivesThePublicKeyOfATextOrAFile) {
  EXPECT_EQ(*read_public_key(kPublic), kPublic);
  EXPECT_EQ(*read_public_key(file("public " + kPublic + "\n", 0644)), kPublic);
  EXPECT_FALSE(read_public_key(file("secret " + kSecret)));
  EXPECT_FALSE(read_public_key(kPublic + "a"));
}

TEST_F(KeyFile, DialsWithBothKeysOrWithNone) {
  const std::string own = file("public " + kPublic + "\nsecret " + kSecret);
  EXPECT_TRUE(read_dial_keys("", "")->is_plain());
  EXPECT_FALSE(read_dial_keys(own, kPublic)->is_plain());
  EXPECT_THAT(read_dial_keys(own, "").error().message, HasSubstr("without broker_key"));
  EXPECT_THAT(read_dial_keys("", kPublic).error().message, HasSubstr("without key_file"));
}

}  // namespace
}  // namespace ordo
