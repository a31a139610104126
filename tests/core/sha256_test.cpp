#include "splot/core/sha256.h"

#include <gtest/gtest.h>

namespace splot {
namespace {

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.hex();
}

// The examples of FIPS 180-4 and of NIST's example values.
TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnySizeGiveTheSame) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i);
  for (std::size_t length : {0u, 1u, 55u, 56u, 63u, 64u, 65u, 119u, 120u, 128u, 300u}) {
    const std::string whole = sha256(text.substr(0, length));
    for (std::size_t piece : {1u, 7u, 63u, 64u, 65u}) {
      Sha256 hash;
      for (std::size_t at = 0; at < length; at += piece) {
        hash.add(std::string_view(text).substr(at, std::min(piece, length - at)));
        hash.hex();  // looking does not change what follows
      }
      EXPECT_EQ(hash.hex(), whole) << length << " bytes in pieces of " << piece;
    }
  }
}

TEST(Sha256, NumbersAreEightBytesLowestFirst) {
  Sha256 number;
  number.add_number(0x0102030405060708u);
  EXPECT_EQ(number.hex(), sha256("\x08\x07\x06\x05\x04\x03\x02\x01"));
}

}  // namespace
}  // namespace splot
