#include <string>

#include <gtest/gtest.h>

#include "splot/splot.h"

namespace splot {
namespace {

TEST(Version, LibraryAndHeadersAgree) {
  EXPECT_STREQ(version(), SPLOT_VERSION);
  EXPECT_EQ(std::string(SPLOT_VERSION), std::to_string(SPLOT_VERSION_MAJOR) + "." +
                                            std::to_string(SPLOT_VERSION_MINOR) + "." +
                                            std::to_string(SPLOT_VERSION_PATCH));
}

}  // namespace
}  // namespace splot
