// Promotion as PyTorch's table has it, broadcasting as NumPy's.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "splot/ops/ops.h"

#include "tests/support/expect_error.h"

namespace splot {
namespace {

using Json = nlohmann::json;

const Json& golden() {
  static const Json json = [] {
    std::ifstream file(SPLOT_TESTS_DIR "/golden/promotion.json");
    return Json::parse(file);
  }();
  return json;
}

// "tensor int32", "0-d bool", "number float"
Tensor operand(const std::string& text) {
  const std::size_t blank = text.find(' ');
  const std::string kind = text.substr(0, blank), type = text.substr(blank + 1);
  if (kind != "number") return ones(kind == "0-d" ? Shape() : Shape({2}), *DType::parse(type));
  if (type == "bool") return true;
  if (type == "int") return 1;
  return 1.0;
}

TEST(Promotion, SumsHavePyTorchsDtype) {
  ASSERT_EQ(golden().at("sums").size(), 216u);
  for (const Json& row : golden().at("sums")) {
    const std::string left = row[0], right = row[1];
    EXPECT_EQ((operand(left) + operand(right)).dtype().name(), row[2].get<std::string>())
        << left << " + " << right;
  }
}

TEST(Promotion, OfTwoDtypes) {
  ASSERT_EQ(golden().at("promote").size(), 36u);
  for (const Json& row : golden().at("promote")) {
    const DType a = *DType::parse(row[0].get<std::string>()), b = *DType::parse(row[1].get<std::string>());
    EXPECT_EQ(promote(a, b).name(), row[2].get<std::string>()) << a.name() << ", " << b.name();
  }
}

Shape shape_from(const Json& json) {
  Ints sizes;
  for (const Json& size : json) sizes.push_back(size.get<Index>());
  return Shape(sizes);
}

TEST(Broadcasting, ShapesAreNumPys) {
  int refused = 0;
  for (const Json& row : golden().at("broadcast")) {
    const Shape a = shape_from(row[0]), b = shape_from(row[1]);
    if (row[2].is_null()) {
      ++refused;
      EXPECT_THROW(broadcast_shapes(a, b, "test"), ShapeError) << a.to_string() << ", " << b.to_string();
      EXPECT_THROW(zeros(a) + zeros(b), ShapeError) << a.to_string() << ", " << b.to_string();
    } else {
      EXPECT_EQ(broadcast_shapes(a, b, "test").to_string(), shape_from(row[2]).to_string());
      EXPECT_EQ((zeros(a) + zeros(b)).shape().to_string(), shape_from(row[2]).to_string());
    }
  }
  EXPECT_EQ(refused, 110);
}

TEST(Broadcasting, NamesTheAxisThatDoesNotFit) {
  EXPECT_ERROR(ShapeError, broadcast_shapes({2, 3, 4}, {5, 4}, "add"),
               "[add] cannot broadcast [2, 3, 4] with [5, 4]: axis -2 has sizes 3 and 5");
}

}  // namespace
}  // namespace splot
