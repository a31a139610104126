#include <fstream>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/core/strided.h"
#include "splot/core/tensor.h"

namespace splot {
namespace {

using nlohmann::json;

double number(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (!value.is_string()) return value.get<double>();
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  return value == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

Tensor converted(const Tensor& x, DType dtype) {
  return visit_any(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return Tensor::build<T>(x.shape(), [&](std::span<T> out) { copy_dense(x, dtype, out.data()); });
  });
}

Tensor tensor_of(const json& c) {
  const DType dtype = *DType::parse(c["dtype"].get<std::string>());
  const auto sizes = c["shape"].get<std::vector<Index>>();
  const Shape shape{std::span<const Index>(sizes)};
  if (c.contains("values") && dtype == kInt64) {
    return Tensor::from(c["values"].get<std::vector<std::int64_t>>(), shape);
  }
  std::vector<double> values;
  if (c.contains("values")) {
    for (const json& value : c["values"]) values.push_back(number(value));
  } else {
    for (Index i = 0; i < shape.numel(); ++i)
      values.push_back(c["start"].get<double>() + c["step"].get<double>() * static_cast<double>(i));
  }
  return converted(Tensor::from(values, shape), dtype);
}

TEST(Print, IsWhatNumPyPrints) {
  std::ifstream file(SPLOT_TESTS_DIR "/golden/print.json");
  const json cases = json::parse(file);
  EXPECT_GT(cases.size(), 300u);
  for (const json& c : cases) {
    EXPECT_EQ(print(tensor_of(c)), c["text"].get<std::string>()) << c["dtype"] << ' ' << c["shape"];
  }
}

TEST(Print, FollowsStridesAndWidensBfloat16) {
  EXPECT_EQ(print(tensor({bfloat16(1.5f), bfloat16(-2.0f)})), "[ 1.5 -2. ]");
  const Tensor x = tensor({1, 2, 3, 4});
  Ref<TensorImpl> backwards = x.impl()->window();
  backwards->strides = {-2};
  backwards->shape = {2};
  backwards->offset = 3;
  backwards->contiguous = false;
  EXPECT_EQ(print(Tensor(backwards)), "[4 2]");
  EXPECT_EQ(print(Tensor()), "(undefined)");
}

}  // namespace
}  // namespace splot
