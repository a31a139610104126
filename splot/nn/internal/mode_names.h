// The words for modes in model files and recipes, each at the place of its enumerator.
#pragma once

#include <array>

namespace splot {

inline constexpr std::array<const char*, 3> kPadModeNames = {"constant", "reflect", "edge"};
inline constexpr std::array<const char*, 2> kResizeModeNames = {"nearest", "bilinear"};

}  // namespace splot
