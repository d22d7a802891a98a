#include "store/compression.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "store/test_journal.h"

namespace alos::store::test {
namespace {

TEST(Packer, ReturnsWhatItWasGiven) {
  Packer packer;
  for (const Content content : {Content::records, Content::bytes}) {
    for (const std::size_t bytes : {0, 1, 31, 32, 33, 1000, 8191, 8192, 100'000}) {
      for (const std::string& plain :
           {std::string(bytes, 'x'), noise(bytes, bytes), std::string(bytes, '\0')}) {
        const std::string packed = packer.pack(plain, content);
        EXPECT_LE(packed.size(), plain.size() + 1);
        EXPECT_EQ(Packer().unpack(packed).value(), plain);
      }
    }
  }
}

TEST(Packer, ShrinksAShortRecordByItsDictionary) {
  const std::string line =
      R"({"job":7,"seq":12,"at":"2026-11-22T16:43:17.123456Z","kind":"tool.returned","pid":"7.1","cause":11,"body":{"call":3,"ok":true}})"
      "\n";
  Packer packer;
  EXPECT_LT(packer.pack(line, Content::records).size(), line.size() / 2);
  EXPECT_GT(packer.pack(line, Content::bytes).size(), line.size() / 2);  // so it is the dictionary
}

TEST(Packer, RefusesWhatItDidNotPack) {
  Packer packer;
  const std::string packed = packer.pack(std::string(1000, 'x'), Content::records);
  std::string form = packed, header = packed;
  form[0] = 9;
  header[1] ^= 1;
  for (const std::string& bad : {std::string(), form, header, packed.substr(0, packed.size() - 1),
                                 packed.substr(0, 1), packed + "x"}) {
    const auto plain = packer.unpack(bad);
    ASSERT_FALSE(plain.has_value());
    EXPECT_EQ(plain.error().code, base::Code::corrupt);
  }
}

// Stores in the field cannot be read with other bytes: a better dictionary is a new form, not a
// change of this one.
TEST(Packer, DictionaryV1IsFrozen) {
  EXPECT_EQ(base::to_hex(base::Digest::of(journal_dictionary_v1())),
            "d50a85482642518ee548454050f941fab96a90f5b2b0c375b933db7749e985ce");
}

}  // namespace
}  // namespace alos::store::test
