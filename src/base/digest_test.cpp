// SHA-256 against the vectors of FIPS 180-4 and NIST's examples.
#include "base/digest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace alos::base::test {
namespace {

TEST(Digest, IsSha256) {
  struct Row {
    std::string data;
    std::string_view hex;
  };
  const std::vector<Row> rows{
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(to_hex(Digest::of(row.data)), row.hex);
    EXPECT_EQ(short_hex(Digest::of(row.data)), row.hex.substr(0, 12));
    EXPECT_EQ(Digest::from_hex(row.hex).value(), Digest::of(row.data));
  }
}

RC_GTEST_PROP(Digest, OfTwoPartsIsThatOfTheWhole,
              (const std::string& first, const std::string& second)) {
  RC_ASSERT(Digest::of(first, second) == Digest::of(first + second));
  const Digest digest = Digest::of(first);
  RC_ASSERT(Digest::from_hex(to_hex(digest)).value() == digest);
  RC_ASSERT(Digest::from_bytes(digest.view()).value() == digest);
}

TEST(Digest, RefusesWhatIsNone) {
  const std::string good(64, 'a');
  for (const std::string& hex :
       {std::string(), good.substr(1), good + 'a', std::string(64, 'A'), std::string(63, 'a') + 'g',
        std::string(62, 'a') + "0x", good.substr(1) + '\n'}) {
    const auto digest = Digest::from_hex(hex);
    ASSERT_FALSE(digest.has_value()) << hex;
    EXPECT_EQ(digest.error().code, Code::invalid);
    EXPECT_EQ(digest.error().details, "64 lowercase hex digits");
  }
  EXPECT_EQ(Digest::from_hex("\x1b").error().what, "`\\u{001B}` is not a SHA-256 digest");
  EXPECT_FALSE(Digest::from_bytes(std::string(31, 'x')).has_value());
  EXPECT_FALSE(Digest::from_bytes(std::string(33, 'x')).has_value());
  EXPECT_TRUE(Digest::from_bytes(std::string(32, '\0'))->is_zero());
  EXPECT_FALSE(Digest::of("").is_zero());
}

}  // namespace
}  // namespace alos::base::test
