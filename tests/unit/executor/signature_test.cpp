// The signature, against the vectors of its RFC and against what it must notice.
#include "worker/executor/signature.hpp"

#include <gtest/gtest.h>

#include <set>

namespace ordo::executor {
namespace {

TEST(Signature, IsHmacSha256AsRfc4231HasIt) {
  EXPECT_EQ(hmac_sha256(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Signature, IsOverEveryPartOfTheCall) {
  const std::vector<std::string> keys{"key"};
  const Signed call{1'700'000'000, "POST", "/charge", "o/charge/0/forward", "{}"};
  EXPECT_EQ(sign(call, keys),
            "t=1700000000,v1=" +
                hmac_sha256("key", "v1\n1700000000\nPOST\n/charge\no/charge/0/forward\n{}"));
  std::set<std::string> all{sign(call, keys)};
  for (const Signed& other : {Signed{1'700'000'001, call.method, call.path, call.key, call.body},
                              Signed{call.seconds, "PUT", call.path, call.key, call.body},
                              Signed{call.seconds, call.method, "/refund", call.key, call.body},
                              Signed{call.seconds, call.method, call.path, "p", call.body},
                              Signed{call.seconds, call.method, call.path, call.key, "{ }"}}) {
    EXPECT_TRUE(all.insert(sign(other, keys)).second);
  }
  EXPECT_TRUE(all.insert(sign(call, {"other"})).second);
}

TEST(Signature, IsThereForEachKey) {
  const Signed call{1, "GET", "/", "k", ""};
  const std::string both = sign(call, {"old", "new"});
  EXPECT_EQ(both, sign(call, {"old"}) + sign(call, {"new"}).substr(3));
}

}  // namespace
}  // namespace ordo::executor
