// Every network that the recipes make can be written as C, in floats and in 8 bits.
#include <filesystem>

#include <gtest/gtest.h>

#include "splot/ops/ops.h"
#include "splot/recipe/build.h"
#include "splot/train/export_c.h"
#include "splot/train/export_int8.h"

namespace splot {
namespace {

TEST(ExportOfRecipes, EveryNetworkIsWritten) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SPLOT_TESTS_DIR "/../recipes")) {
    SCOPED_TRACE(entry.path().filename().string());
    const Recipe recipe = load_recipe(entry.path().string());
    ModelFile file;
    file.info.sample = sample_shape(recipe);
    file.dtype = recipe.train.dtype;
    file.model = build_model(recipe.model, file.info.sample, file.dtype, 1);
    EXPECT_NO_THROW(export_c(file, {.examples = 1}));
    Ints sizes = {2};
    for (const Index size : file.info.sample) sizes.push_back(size);
    const Dataset drawn("drawn", normal(Shape(sizes), RandomKey{.seed = 2}), zeros({2}, kInt64));
    EXPECT_NO_THROW(export_int8(file, drawn, drawn, {.examples = 1}));
    ++count;
  }
  EXPECT_GE(count, 30);
}

}  // namespace
}  // namespace splot
