#include "splot/io/safetensors.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

const std::string kGolden = SPLOT_TESTS_DIR "/golden/every_type.safetensors";
// Printed by `scripts/safetensors.py show` for the golden file.
const std::string kGoldenHash = "27143e23b767d15fdf2b5eb4c71524f35cbbac531b04a1b428f4b602ab00c083";

class Safetensors : public ::testing::Test {
 protected:
  // A file with this header, padded to `padding`, and so many bytes of data.
  TensorFile load(std::string json, std::size_t data_bytes, std::uint8_t fill = 0) {
    std::vector<std::uint8_t> bytes(8);
    const std::uint64_t length = json.size();
    std::memcpy(bytes.data(), &length, 8);
    bytes.insert(bytes.end(), json.begin(), json.end());
    bytes.insert(bytes.end(), data_bytes, fill);
    write_file(path_, bytes);
    return load_safetensors(path_);
  }
  std::string says(const std::string& text) const { return "[safetensors] \"" + path_ + "\": " + text; }

  test::TempFolder folder_;
  std::string path_ = folder_.file("x.safetensors");
};

TEST_F(Safetensors, ReadsEveryTypeThatPythonWrote) {
  const TensorFile file = load_safetensors(kGolden);
  EXPECT_EQ(file.tensors.size(), 9u);
  EXPECT_EQ(file.metadata, (Metadata{{"made by", "scripts/safetensors.py"}, {"żółw", "\"quoted\"\n"}}));
  const Tensor& weight = file.tensors.at("layer.0.weight");
  EXPECT_EQ(weight.shape(), Shape({2, 3}));
  EXPECT_EQ(weight.to_vector<float>(),
            (std::vector<float>{1.5f, -2.0f, 0.0f, 3.25f, std::numeric_limits<float>::infinity(), -0.0f}));
  EXPECT_EQ(file.tensors.at("layer.0.bias").to_vector<double>(), (std::vector<double>{0.1, -1e300}));
  EXPECT_EQ(file.tensors.at("step").shape(), Shape());
  EXPECT_EQ(file.tensors.at("step").item<std::int64_t>(), -(std::int64_t{1} << 40));
  EXPECT_EQ(file.tensors.at("counts").to_vector<std::int32_t>(), (std::vector<std::int32_t>{5, -6}));
  EXPECT_EQ(file.tensors.at("mask").dtype(), kBool);
  EXPECT_EQ(file.tensors.at("mask").to_vector<int>(), (std::vector<int>{1, 0, 0, 1}));
  EXPECT_EQ(file.tensors.at("half").dtype(), kBFloat16);
  EXPECT_EQ(file.tensors.at("half").to_vector<float>(), (std::vector<float>{1.0f, -3.0f}));
  EXPECT_EQ(file.tensors.at("none").shape(), Shape({0, 4}));
  EXPECT_EQ(file.tensors.at("z.bytes").to_vector<int>(), (std::vector<int>{0, 7, 255}));
  EXPECT_EQ(file.tensors.at("zażółć").to_vector<float>(), (std::vector<float>{42.0f}));
  EXPECT_EQ(weights_sha256(file.tensors), kGoldenHash);
}

TEST_F(Safetensors, ReadsWhatItWrites) {
  const TensorFile file = load_safetensors(kGolden);
  save_safetensors(path_, file.tensors, file.metadata);
  const TensorFile back = load_safetensors(path_);
  EXPECT_EQ(back.metadata, file.metadata);
  EXPECT_EQ(weights_sha256(back.tensors), kGoldenHash);
  const std::vector<std::uint8_t> first = read_file(path_, 10000);
  EXPECT_EQ(first[0] % 8, 0) << "the data begin at a multiple of 8";
  save_safetensors(path_, back.tensors, back.metadata);
  EXPECT_EQ(read_file(path_, 10000), first) << "the same tensors give the same bytes";
  save_safetensors(path_, {});
  EXPECT_TRUE(load_safetensors(path_).tensors.empty());
}

TEST_F(Safetensors, WritesStridedTensorsInRowMajorOrder) {
  const Tensor x = tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  Ref<TensorImpl> turned = x.impl()->window();
  turned->shape = Shape({3, 2});
  turned->strides = Strides{1, 3};
  turned->contiguous = false;
  const TensorMap map = {{"t", Tensor(std::move(turned))}};
  save_safetensors(path_, map);
  const TensorFile back = load_safetensors(path_);
  EXPECT_EQ(back.tensors.at("t").to_vector<int>(), (std::vector<int>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(weights_sha256(back.tensors), weights_sha256(map));
}

TEST_F(Safetensors, PythonReadsWhatItWrites) {
  if (std::system("python3 -c 'import json' > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no python3";
  const TensorFile file = load_safetensors(kGolden);
  save_safetensors(path_, file.tensors, file.metadata);
  const std::string command = "python3 '" SPLOT_TESTS_DIR "/../scripts/safetensors.py' show '" + path_ +
                              "' > '" + folder_.file("out") + "' 2>&1";
  const int status = std::system(command.c_str());
  const std::vector<std::uint8_t> bytes = read_file(folder_.file("out"), 100000);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_EQ(status, 0) << text;
  EXPECT_NE(text.find("\n" + kGoldenHash + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find("layer.0.weight F32 [2, 3]"), std::string::npos) << text;
}

TEST_F(Safetensors, HashSeesNameTypeShapeAndEveryBit) {
  const auto hash = [](const char* name, const Tensor& x) { return weights_sha256({{name, x}}); };
  const std::string base = hash("w", tensor({{1.0f, 2.0f}}));
  EXPECT_EQ(hash("w", tensor({{1.0f, 2.0f}})), base);
  EXPECT_NE(hash("v", tensor({{1.0f, 2.0f}})), base);
  EXPECT_NE(hash("w", tensor({{1.0f}, {2.0f}})), base);
  EXPECT_NE(hash("w", tensor({{1.0f, 2.0000002f}})), base);
  EXPECT_NE(hash("w", tensor({{0x3f800000, 0x40000000}})), base) << "the same bytes of another type";
  EXPECT_NE(weights_sha256({{"a", tensor({1})}, {"b", tensor({2})}}),
            weights_sha256({{"a", tensor({2})}, {"b", tensor({1})}}));
}

TEST_F(Safetensors, RefusesToWriteWhatCannotBeRead) {
  EXPECT_ERROR(ValueError, save_safetensors(path_, {{"w", Tensor()}}),
               "[safetensors] tensor \"w\" is undefined");
  EXPECT_ERROR(ValueError, save_safetensors(path_, {{"__metadata__", tensor({1})}}),
               "[safetensors] no tensor can be called \"__metadata__\"");
  EXPECT_ERROR(ValueError, save_safetensors(path_, {{"\xff", tensor({1})}}),
               "[safetensors] a name or the metadata are not UTF-8");
  EXPECT_ERROR(ValueError, weights_sha256({{"w", Tensor()}}), "[weights_sha256] tensor \"w\" is undefined");
}

TEST_F(Safetensors, RefusesAHeaderThatDoesNotFit) {
  write_file(path_, "1234567");
  EXPECT_ERROR(FormatError, load_safetensors(path_),
               says("has 7 bytes; the length of the header alone takes 8"));
  write_file(path_, std::vector<std::uint8_t>{255, 255, 255, 255, 255, 255, 255, 255});
  EXPECT_ERROR(FormatError, load_safetensors(path_),
               says("the header claims 18446744073709551615 bytes; the limit is 100000000"));
  write_file(path_, std::vector<std::uint8_t>{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
  EXPECT_ERROR(FormatError, load_safetensors(path_), says("the header claims 3 bytes, the file has 2 left"));
  EXPECT_ERROR(FormatError, load("", 0), says("the header must begin with {"));
  EXPECT_ERROR(FormatError, load("[]", 0), says("the header must begin with {"));
  EXPECT_ERROR(FormatError, load(" {}", 0), says("the header must begin with {"));
  EXPECT_ERROR(FormatError, load("{", 0), says("the header is not JSON at byte 9"));
  EXPECT_ERROR(FormatError, load("{} x", 0), says("the header is not JSON at byte 11"));
  EXPECT_ERROR(FormatError, load(std::string("{}\0{", 4), 0), says("the header is not JSON at byte 10"));
  EXPECT_ERROR(FormatError, load("{\"a\xff\":{}}", 0), says("the header is not JSON at byte 11"));
  EXPECT_TRUE(load("{}      ", 0).tensors.empty());
}

// The format says what it allows, too: https://github.com/huggingface/safetensors#format
TEST_F(Safetensors, AcceptsWhatTheFormatAllows) {
  const auto one = [](const std::string& dtype, const std::string& shape, int bytes) {
    return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" +
           std::to_string(bytes) + "]}}";
  };
  EXPECT_EQ(load("{}", 0).tensors.size(), 0u) << "no tensors";
  EXPECT_EQ(load(one("F32", "[]", 4), 4).tensors.at("w").shape(), Shape()) << "0-d";
  EXPECT_EQ(load(one("F32", "[3,0]", 0), 0).tensors.at("w").shape(), Shape({3, 0})) << "empty";
  EXPECT_TRUE(std::isnan(load(one("F32", "[1]", 4), 4, 0xff).tensors.at("w").item<float>())) << "any value";
  EXPECT_EQ(load(one("F64", "[1]", 8) + "     ", 8).tensors.size(), 1u)
      << "padding, and data that are not aligned";
  EXPECT_EQ(load(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                 R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                 2)
                .tensors.size(),
            2u)
      << "data in another order than names";
  EXPECT_EQ(
      load(R"({ "\u0077" : { "shape" : [ 1 ] , "dtype":"U8","data_offsets":[0,1]} })", 1).tensors.count("w"),
      1u)
      << "any way to write JSON";
  EXPECT_TRUE(load(R"({"__metadata__":{}})", 0).metadata.empty());
}

TEST_F(Safetensors, RefusesPaddingThatIsNotBlank) {
  EXPECT_ERROR(FormatError, load("{}\n", 0),
               says("the header may be followed by blanks alone, not by byte 10"));
  EXPECT_ERROR(FormatError, load("{} \t  ", 0),
               says("the header may be followed by blanks alone, not by byte 11"));
}

TEST_F(Safetensors, RefusesOddNumbersAndText) {
  const auto shape = [&](const std::string& number) {
    return load("{\"w\":{\"dtype\":\"U8\",\"shape\":[" + number + "],\"data_offsets\":[0,1]}}", 1);
  };
  EXPECT_EQ(shape("1").tensors.size(), 1u);
  for (const char* number :
       {"1.0", "1e0", "-0", "01", "+1", "0x1", "true", "null", "\"1\"", "1,", "18446744073709551616"}) {
    EXPECT_THROW(shape(number), FormatError) << number;
  }
  EXPECT_THROW(load(R"({"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), FormatError)
      << "half a pair";
  EXPECT_THROW(load("{/**/}", 0), FormatError) << "a comment";
  EXPECT_THROW(load("\xef\xbb\xbf{}", 0), FormatError) << "a byte order mark";
  EXPECT_THROW(load(R"({"__metadata__":null})", 0), FormatError);
}

TEST_F(Safetensors, RefusesNamesThatComeTwice) {
  const std::string w = R"("w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_ERROR(FormatError, load("{" + w + "," + w + "}", 1), says("the header has the name \"w\" twice"));
  EXPECT_ERROR(FormatError, load(R"({"__metadata__":{},"__metadata__":{}})", 0),
               says("the header has the name \"__metadata__\" twice"));
  EXPECT_ERROR(FormatError, load(R"({"__metadata__":{"a":"1","a":"2"}})", 0),
               says("__metadata__ has the key \"a\" twice"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":"U8","dtype":"U8"}})", 0),
               says("tensor \"w\": dtype is there twice"));
}

TEST_F(Safetensors, RefusesEntriesOfAnotherForm) {
  EXPECT_ERROR(FormatError, load(R"({"__metadata__":{"a":1}})", 0),
               says("__metadata__ \"a\" must be a string, not a number"));
  EXPECT_ERROR(FormatError, load(R"({"__metadata__":[]})", 0),
               says("__metadata__ must be an object, not a list"));
  EXPECT_ERROR(FormatError, load(R"({"w":3})", 0), says("tensor \"w\": must be an object, not a number"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"x":3}})", 0),
               says("tensor \"w\": there is no key \"x\"; there are dtype, shape and data_offsets"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", 2),
               says("tensor \"w\": dtype \"F16\" is not one of BOOL, U8, I32, I64, BF16, F32, F64"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":[1]}})", 0),
               says("tensor \"w\": dtype must be a string, not a list"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":{}}})", 0),
               says("tensor \"w\": shape must be a list of numbers, not an object"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":[[1]]}})", 0),
               says("tensor \"w\": shape must hold numbers, not a list"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":[-1]}})", 0),
               says("tensor \"w\": shape holds -1; only whole numbers from 0 make sense"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":[1.5]}})", 0),
               says("tensor \"w\": shape holds \"1.5\"; only whole numbers from 0 make sense"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":[1,1,1,1,1,1,1,1,1]}})", 0),
               says("tensor \"w\": shape has more than 8 numbers"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"shape":[1],"data_offsets":[0,1]}})", 1),
               says("tensor \"w\": has no dtype"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":"U8","data_offsets":[0,1]}})", 1),
               says("tensor \"w\": has no shape"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":"U8","shape":[1]}})", 1),
               says("tensor \"w\": has no data_offsets"));
  EXPECT_ERROR(FormatError, load(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1),
               says("tensor \"w\": data_offsets needs 2 numbers"));
  std::string deep = R"({"w":{"shape":)" + std::string(1'000'000, '[');
  EXPECT_ERROR(FormatError, load(deep, 0), says("tensor \"w\": shape must hold numbers, not a list"));
}

TEST_F(Safetensors, RefusesSizesThatLie) {
  const auto one = [&](const std::string& shape, const std::string& offsets, std::size_t bytes) {
    return load("{\"w\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}}",
                bytes);
  };
  EXPECT_EQ(one("2", "0,8", 8).tensors.at("w").numel(), 2);
  EXPECT_ERROR(FormatError, one("2", "0,4", 4),
               says("tensor \"w\": shape [2] of F32 needs 8 bytes, data_offsets are 0 and 4"));
  EXPECT_ERROR(FormatError, one("2", "8,0", 8),
               says("tensor \"w\": shape [2] of F32 needs 8 bytes, data_offsets are 8 and 0"));
  EXPECT_ERROR(FormatError, one("4611686018427387905", "0,4", 4),
               says("tensor \"w\": shape [4611686018427387905] of F32 is too large"));
  EXPECT_ERROR(FormatError, one("18446744073709551615", "0,4", 4),
               says("tensor \"w\": a size of 18446744073709551615 is too large"));
  EXPECT_ERROR(FormatError, one("3,3,5000000000000000000", "0,4", 4),
               says("tensor \"w\": shape [3, 3, 5000000000000000000] of F32 is too large"));
  EXPECT_EQ(one("0,9223372036854775807,9223372036854775807", "0,0", 0).tensors.at("w").numel(), 0);
  EXPECT_ERROR(FormatError, one("2", "0,8", 7),
               says("the tensors end at byte 8 of the data, the file has 7"));
  EXPECT_ERROR(FormatError, one("2", "0,8", 9),
               says("the tensors end at byte 8 of the data, the file has 9"));
  EXPECT_ERROR(FormatError, one("2", "4,12", 12),
               says("tensor \"w\": data begin at 4, the data before them end at 0"));
}

TEST_F(Safetensors, RefusesOverlapsAndHoles) {
  const auto two = [&](int begin) {
    return load(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[)" +
            std::to_string(begin) + "," + std::to_string(begin + 4) + "]}}",
        static_cast<std::size_t>(begin + 4));
  };
  EXPECT_EQ(two(4).tensors.size(), 2u);
  EXPECT_ERROR(FormatError, two(3), says("tensor \"b\": data begin at 3, the data before them end at 4"));
  EXPECT_ERROR(FormatError, two(5), says("tensor \"b\": data begin at 5, the data before them end at 4"));
  EXPECT_ERROR(FormatError, two(0), says("tensor \"b\": data begin at 0, the data before them end at 4"));
}

TEST_F(Safetensors, RefusesBoolsThatAreNeither) {
  EXPECT_ERROR(FormatError, load(R"({"m":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 2, 2),
               says("tensor \"m\": BOOL number 0 is 2, neither 0 nor 1"));
}

TEST_F(Safetensors, ShowsHostileNamesHarmlessly) {
  EXPECT_ERROR(FormatError, load(R"({"a\u001b[2J":3})", 0),
               says("tensor \"a\\x1b[2J\": must be an object, not a number"));
  EXPECT_ERROR(FormatError, load("{\"" + std::string(5000, 'n') + "\":3}", 0),
               says("tensor \"" + std::string(80, 'n') + "...\": must be an object, not a number"));
}

}  // namespace
}  // namespace splot
