// Trained networks in 8 bits: what is calibrated and judged on which data.
#include "splot/train/export_int8.h"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "splot/models/image_models.h"
#include "splot/models/resnet.h"
#include "splot/nn/parameters.h"
#include "splot/ops/ops.h"
#include "splot/train/export_c.h"

#include "tests/support/c_compiler.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace splot {
namespace {

const std::vector<std::string> kTen = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

ModelFile file_of(Sequential net, const Shape& sample, std::vector<std::string> classes = kTen) {
  ModelFile out;
  out.model = std::make_shared<Sequential>(std::move(net));
  initialize(*out.model, 3);
  out.info.sample = sample;
  out.info.preprocessing = {.divisor = 255.0, .mean = 0.49, .deviation = 0.25};
  out.info.classes = std::move(classes);
  return out;
}

Dataset pictures(Index n, const Shape& sample, std::uint64_t seed, std::vector<std::string> classes = kTen) {
  Ints sizes = {n};
  for (const Index size : sample) sizes.push_back(size);
  const Tensor bytes = cast(floor(uniform(Shape(sizes), RandomKey{.seed = seed}) * 256.0), kUInt8);
  const Tensor targets =
      classes.empty() ? zeros({n, 10}) : cast(arange(n), kInt64) - floor(arange(n) / 10.0) * 10.0;
  return {"noise", bytes, classes.empty() ? targets : cast(targets, kInt64), std::move(classes)};
}

void expect_agreement(const Int8Export& out) {
  const std::pair<const char*, std::string> builds[] = {{"gcc", test::kSanitizersC}, {"clang", " -O2"}};
  for (const auto& [cc, more] : builds) {
    if (!test::has_compiler(cc)) continue;
    const test::TempFolder folder;
    write_c_folder(folder.file("c"), out.program);
    const test::BuiltProgram built = test::build_and_run(cc, test::kStrictC99 + more, folder.file("c"));
    ASSERT_EQ(built.build_status, 0) << cc << more << built.output;
    EXPECT_EQ(built.status, 0) << cc << more << built.output;
    EXPECT_NE(built.output.find("largest difference 0\n"), std::string::npos) << built.output;
  }
}

TEST(ExportInt8, ResidualNetworksAreNearTheFloats) {
  const ModelFile file = file_of(models::resnet({.depth = 8}), {3, 32, 32});
  Context context{.training = true};  // running statistics as training leaves them
  (*file.model)(normal({16, 3, 32, 32}, RandomKey{.seed = 9}), context);
  const Int8Export out = export_int8(file, pictures(40, {3, 32, 32}, 1), pictures(50, {3, 32, 32}, 2),
                                     {.calibrated_on = 16, .examples = 3});
  EXPECT_EQ(out.figures.calibrated_on, 16);
  EXPECT_EQ(out.figures.examples, 50);
  ASSERT_TRUE(out.figures.float_accuracy && out.figures.int8_accuracy);
  EXPECT_GT(out.figures.difference, 0.0);
  EXPECT_LT(out.figures.difference, 0.1);
  expect_agreement(out);
}

TEST(ExportInt8, MoreExamplesThanThereAreAreAll) {
  const ModelFile file = file_of(models::lenet5(), {1, 28, 28});
  const Dataset data = pictures(30, {1, 28, 28}, 1);
  const Int8Export out = export_int8(file, data, data, {.examples = 1000});
  EXPECT_EQ(out.figures.calibrated_on, 30);
  EXPECT_EQ(out.figures.examples, 30);
  expect_agreement(out);
  const CProgram in_floats = export_c(file, {.examples = 1, .data = data});
  EXPECT_LT(out.program.sizes.buffer_bytes, in_floats.sizes.buffer_bytes / 3);
  EXPECT_LT(static_cast<double>(out.program.sizes.weight_bytes),
            0.27 * static_cast<double>(in_floats.sizes.weight_bytes));
}

TEST(ExportInt8, WithoutClassesThereIsNoAccuracy) {
  const ModelFile file = file_of(models::lenet5(), {1, 28, 28}, {});
  const Int8Export out =
      export_int8(file, pictures(20, {1, 28, 28}, 1, {}), pictures(20, {1, 28, 28}, 2, {}));
  EXPECT_FALSE(out.figures.float_accuracy || out.figures.int8_accuracy);
  EXPECT_GT(out.figures.difference, 0.0);
}

TEST(ExportInt8, SaysWhatDoesNotFit) {
  const ModelFile file = file_of(models::lenet5(), {1, 28, 28});
  const Dataset data = pictures(4, {1, 28, 28}, 1), other = pictures(4, {1, 32, 32}, 1);
  EXPECT_ERROR(ShapeError, export_int8(file, other, data),
               "[export] the network takes examples of shape [1, 28, 28], those of noise have [1, 32, 32]");
  EXPECT_ERROR(ShapeError, export_int8(file, data, other),
               "[export] the network takes examples of shape [1, 28, 28], those of noise have [1, 32, 32]");
  EXPECT_ERROR(ValueError, export_int8(file, data, data, {.calibrated_on = 0}),
               "[export] int8 needs at least one example to calibrate on, got 0");
  EXPECT_ERROR(ValueError, export_int8(file, data, data, {.examples = 0}),
               "[export] needs at least one example to test with, got 0");
}

}  // namespace
}  // namespace splot
