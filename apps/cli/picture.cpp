#include "apps/cli/picture.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace splot::cli {

std::string drawing(const Tensor& pixels, bool trim) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  const std::vector<std::uint8_t> values = pixels.to_vector<std::uint8_t>();
  const auto height = static_cast<std::size_t>(pixels.shape()[0]);
  const auto width = static_cast<std::size_t>(pixels.shape()[1]);
  std::string out;
  for (std::size_t y = 0; y < height; y += 2) {
    const std::size_t below = std::min(y + 1, height - 1);
    std::string line = "    ";
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t ink = (std::size_t{values[y * width + x]} + values[below * width + x]) / 2;
      line += kShades[ink * (kShades.size() - 1) / 255];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (!line.empty() || !trim) out += line + '\n';
  }
  return out;
}

}  // namespace splot::cli
