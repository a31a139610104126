#include "splot/io/npy.h"

#include <cstdlib>
#include <numeric>

#include <gtest/gtest.h>

#include "splot/core/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/python.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::string golden(const std::string& name) { return SPLOT_TESTS_DIR "/golden/npy/" + name + ".npy"; }

std::vector<double> counted(std::size_t n) {
  std::vector<double> out(n);
  std::iota(out.begin(), out.end(), 0.0);
  return out;
}

// A file with this header, `data` bytes of elements, and of this version.
Bytes npy(const std::string& header, std::size_t data = 0, std::uint8_t fill = 0, int version = 1) {
  Bytes out = {0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    out.push_back(static_cast<std::uint8_t>(header.size() >> (8 * i)));
  }
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), data, fill);
  return out;
}

Bytes with(const std::string& type, const std::string& shape, std::size_t data,
           const std::string& order = "False") {
  return npy("{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n", data);
}

std::string says(const std::string& text) { return "[npy] \"x\"" + text; }

TEST(Npy, ReadsWhatNumPyWrote) {
  const std::vector<double> signs = {-2, -1, 0, 1, 2, 3};
  for (const auto& [name, dtype] : {std::pair{"i4", kInt32}, std::pair{"i8", kInt64},
                                    std::pair{"f4", kFloat32}, std::pair{"f8", kFloat64}}) {
    for (const std::string order : {"little_", "big_"}) {
      const Tensor x = load_npy(golden(order + name));
      EXPECT_EQ(x.dtype(), dtype);
      EXPECT_EQ(x.shape(), Shape({2, 3}));
      EXPECT_EQ(x.to_vector<double>(), signs) << order << name;
    }
  }
  EXPECT_EQ(load_npy(golden("bool")).to_vector<int>(), (std::vector<int>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(load_npy(golden("bool")).dtype(), kBool);
  EXPECT_EQ(load_npy(golden("uint8")).to_vector<int>(), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(load_npy(golden("scalar")).shape(), Shape());
  EXPECT_EQ(load_npy(golden("scalar")).item<double>(), 2.5);
  EXPECT_EQ(load_npy(golden("empty")).shape(), Shape({0, 4}));
}

TEST(Npy, ReadsEveryVersionInFortranOrder) {
  for (const char* name : {"fortran_v1", "fortran_v2", "fortran_v3", "fortran_big"}) {
    const Tensor x = load_npy(golden(name));
    EXPECT_EQ(x.shape(), Shape({2, 3, 4})) << name;
    EXPECT_TRUE(x.is_contiguous()) << name;
    EXPECT_EQ(x.to_vector<double>(), counted(24)) << name;
  }
}

TEST(Npy, SaysWhatItDoesNotRead) {
  const std::string types =
      " are not read; Splot reads bool (b1), uint8 (u1), int32 (i4), int64 (i8), float32 (f4) and float64 "
      "(f8)";
  const auto at = [](const char* name) { return "[npy] \"" + golden(name) + "\" at byte 20: "; };
  EXPECT_ERROR(FormatError, load_npy(golden("float16")), at("float16") + "elements of type \"<f2\"" + types);
  EXPECT_ERROR(FormatError, load_npy(golden("complex")), at("complex") + "elements of type \"<c8\"" + types);
  EXPECT_ERROR(FormatError, load_npy(golden("records")),
               at("records") + "the elements are records; Splot reads numbers and bools");
  EXPECT_ERROR(FormatError, load_npy(with("'|O'", "(1,)", 8), "x"),
               says(" at byte 20: elements of type \"|O\"" + types));
}

TEST(Npy, ComesBackAsSaved) {
  const test::TempFolder folder;
  const std::string path = folder.file("x.npy");
  const Tensor x = tensor({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}});
  Ref<TensorImpl> turned = x.impl()->window();
  turned->shape = Shape({3, 2});
  turned->strides = Strides{1, 3};
  turned->contiguous = false;
  for (const Tensor& y :
       {x, Tensor(std::move(turned)), scalar(2.5), scalar(std::int64_t{-7}), tensor({1, 2, 3}),
        Tensor::from(std::vector<bool>{true, false}, {2, 1}), Tensor::empty({0, 3}, kUInt8),
        Tensor::from(std::vector<float>(300, 1.0f), {1, 300, 1, 1, 1, 1, 1, 1})}) {
    save_npy(path, y);
    const Tensor back = load_npy(path);
    EXPECT_EQ(back.dtype(), y.dtype());
    EXPECT_EQ(back.shape(), y.shape());
    EXPECT_EQ(back.to_vector<double>(), y.to_vector<double>());
    const Bytes bytes = read_file(path, 10000);
    EXPECT_EQ((bytes.size() - static_cast<std::size_t>(y.numel()) * y.dtype().size()) % 64, 0u) << "aligned";
    EXPECT_EQ(load_npy(bytes, "memory").shape(), y.shape());
  }
}

TEST(Npy, NumPyReadsWhatItWrites) {
  const std::string python = test::python_with("numpy");
  if (python.empty()) GTEST_SKIP() << "there is no NumPy";
  const test::TempFolder folder;
  save_npy(folder.file("a.npy"), tensor({{1.5f, -2.0f}, {3.0f, 4.0f}}));
  save_npy(folder.file("b.npy"), scalar(std::int64_t{1} << 40));
  save_npy(folder.file("c.npy"), Tensor::from(std::vector<bool>{true, false}, {2}));
  const std::string script = "import numpy as np; a, b, c = (np.load('" + folder.path() +
                             "/' + n + '.npy') for n in 'abc'); "
                             "assert a.dtype == np.float32 and a.tolist() == [[1.5, -2], [3, 4]]; "
                             "assert b.shape == () and b == 2**40 and b.dtype == np.int64; assert c.dtype == "
                             "bool and c.tolist() == [True, False]";
  EXPECT_EQ(std::system((python + " -c \"" + script + "\"").c_str()), 0);
}

TEST(Npy, RefusesToWriteWhatNumPyCannotHold) {
  const test::TempFolder folder;
  EXPECT_ERROR(DTypeError, save_npy(folder.file("x"), Tensor::empty({1}, kBFloat16)),
               "[npy] NumPy has no bfloat16; cast to float32 first");
  EXPECT_ERROR(ValueError, save_npy(folder.file("x"), Tensor()), "[npy] the tensor is undefined");
}

TEST(Npy, RefusesAnotherBeginning) {
  const auto load = [](const Bytes& bytes) { return load_npy(bytes, "x"); };
  EXPECT_ERROR(FormatError, load({0x93, 'N'}), says(": has 2 bytes; the shortest beginning takes 10"));
  EXPECT_ERROR(FormatError, load(Bytes(20, 0)), says(": does not begin with \\x93NUMPY"));
  Bytes bytes = with("'<f4'", "(1,)", 4);
  EXPECT_EQ(load(bytes).numel(), 1);
  bytes[6] = 4;
  EXPECT_ERROR(FormatError, load(bytes), says(": is of version 4.0; there are 1.0, 2.0 and 3.0"));
  bytes[6] = 1;
  bytes[7] = 1;
  EXPECT_ERROR(FormatError, load(bytes), says(": is of version 1.1; there are 1.0, 2.0 and 3.0"));
  EXPECT_ERROR(FormatError, load({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 1, 0}),
               says(": ends inside the length of its header"));
  EXPECT_ERROR(FormatError, load({0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 9, 0, '{'}),
               says(": the header claims 9 bytes, the file has 1 left"));
  EXPECT_ERROR(FormatError, load({0x93, 'N', 'U', 'M', 'P', 'Y', 3, 0, 1, 0, 16, 0}),
               says(": the header claims 1048577 bytes; the limit is 1048576"));
}

TEST(Npy, RefusesAnotherHeader) {
  const auto load = [](const std::string& header) { return load_npy(npy(header, 4), "x"); };
  const std::string good = "{'shape':(1,),'fortran_order':False,'descr':'<f4'}\n";
  EXPECT_EQ(load(good).numel(), 1) << "in another order, without blanks";
  EXPECT_EQ(load("{\"descr\" : '=f4', 'fortran_order': True,\n 'shape': ( 1L , ) , }\t \n").numel(), 1);
  EXPECT_ERROR(FormatError, load(""), says(" at byte 10: the header is no dict: expected {"));
  EXPECT_ERROR(FormatError, load("{"), says(" at byte 11: the header is no dict: expected a string"));
  EXPECT_ERROR(FormatError, load("{'a"), says(" at byte 11: a string has no end"));
  EXPECT_ERROR(FormatError, load("{'a\\n': 1}"),
               says(" at byte 11: a string holds an escape or a line feed"));
  EXPECT_ERROR(FormatError, load("{'descr' '<f4'}"), says(" at byte 19: the header is no dict: expected :"));
  EXPECT_ERROR(FormatError, load("{'descr': '<f4' 'shape': ()}"),
               says(" at byte 26: the header is no dict: expected ,"));
  EXPECT_ERROR(FormatError, load("{'dtype': '<f4'}"),
               says(" at byte 11: there is no key \"dtype\"; there are descr, fortran_order and shape"));
  EXPECT_ERROR(FormatError, load("{'shape': (), 'shape': ()}"), says(" at byte 24: shape is there twice"));
  EXPECT_ERROR(FormatError, load("{}\n"), says(" at byte 12: the header has no descr"));
  EXPECT_ERROR(FormatError, load("{'descr': '<f4'}\n"), says(" at byte 26: the header has no fortran_order"));
  EXPECT_ERROR(FormatError, load("{'descr': '<f4', 'fortran_order': True}\n"),
               says(" at byte 49: the header has no shape"));
  EXPECT_ERROR(FormatError, load("{'fortran_order': 1}"),
               says(" at byte 28: fortran_order must be True or False"));
  EXPECT_ERROR(FormatError, load(good + "x\n"), says(" at byte 61: something follows the header's dict"));
  EXPECT_ERROR(FormatError, load(good.substr(0, good.size() - 1)),
               says(" at byte 60: the header must end with a line feed"));
  EXPECT_ERROR(FormatError, load("{'descr': f4}"),
               says(" at byte 20: the header is no dict: expected a string"));
}

TEST(Npy, RefusesAnotherShape) {
  const auto load = [](const std::string& shape, std::size_t data = 4) {
    return load_npy(with("'<f4'", shape, data), "x");
  };
  EXPECT_EQ(load("()").shape(), Shape());
  EXPECT_EQ(load("(1, 1)").shape(), Shape({1, 1}));
  const std::string tuple = "shape must be a tuple of whole numbers";
  for (const char* shape :
       {"1", "(1)", "(,)", "(1 1)", "(01,)", "(1.0,)", "(True,)", "(1", "(1,,)", "(1,1"}) {
    EXPECT_THROW(load(shape), FormatError) << shape;
  }
  EXPECT_ERROR(FormatError, load("[1]"), says(" at byte 60: " + tuple));
  EXPECT_ERROR(FormatError, load("(-1,)"), says(" at byte 61: " + tuple));
  EXPECT_ERROR(FormatError, load("(9223372036854775808,)"), says(" at byte 61: a size is too large"));
  EXPECT_ERROR(FormatError, load("(9223372036854775807,)"),
               says(": shape [9223372036854775807] of float32 is too large"));
  EXPECT_ERROR(FormatError, load("(1,1,1,1,1,1,1,1,1)"), says(" at byte 77: shape has more than 8 axes"));
  EXPECT_ERROR(FormatError, load("(2,)"),
               says(": shape [2] of float32 needs 8 bytes of elements, the file has 4"));
  EXPECT_ERROR(FormatError, load("(1,)", 5),
               says(": shape [1] of float32 needs 4 bytes of elements, the file has 5"));
  EXPECT_EQ(load("(0, 9223372036854775807, 9223372036854775807)", 0).numel(), 0);
}

TEST(Npy, RefusesBoolsThatAreNeither) {
  const Bytes bytes = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }\n", 2, 3);
  EXPECT_ERROR(FormatError, load_npy(bytes, "x"), says(": BOOL number 0 is 3, neither 0 nor 1"));
}

}  // namespace
}  // namespace splot
