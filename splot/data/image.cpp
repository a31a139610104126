#include "splot/data/image.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace splot {
namespace {

constexpr Index kMnistSide = 28;
constexpr Index kMnistBox = 20;
constexpr int kLeastContrast = 24;  // of 255: less is the noise of a camera, not ink

struct Grey {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> pixels;

  std::uint8_t at(Index x, Index y) const { return pixels[static_cast<std::size_t>(y * width + x)]; }
};

Grey to_grey(const Image& image) {
  constexpr Index kMost = 1'000'000;  // a side; keeps the product below in range
  require<ValueError>(
      image.width > 0 && image.height > 0 && image.width <= kMost && image.height <= kMost &&
          (image.channels == 1 || image.channels == 3) &&
          static_cast<Index>(image.pixels.size()) == image.width * image.height * image.channels,
      "prepare_digit", "a picture of ", image.width, " x ", image.height, " x ", image.channels,
      " cannot have ", image.pixels.size(), " bytes");
  if (image.channels == 1) return {image.width, image.height, image.pixels};
  Grey out{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size() / 3)};
  for (std::size_t i = 0; i < out.pixels.size(); ++i) {
    const std::uint8_t* p = image.pixels.data() + 3 * i;
    out.pixels[i] = static_cast<std::uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
  }
  return out;
}

// The median of the outermost pixels: a digit may touch the border, but does not cover half of it.
int background_of(const Grey& grey) {
  std::array<Index, 256> counts{};
  Index total = 0;
  const auto count = [&](Index x, Index y) {
    ++counts[grey.at(x, y)];
    ++total;
  };
  for (Index x = 0; x < grey.width; ++x) {
    count(x, 0);
    count(x, grey.height - 1);
  }
  for (Index y = 0; y < grey.height; ++y) {
    count(0, y);
    count(grey.width - 1, y);
  }
  Index seen = 0;
  for (int level = 0; level < 256; ++level) {
    seen += counts[static_cast<std::size_t>(level)];
    if (2 * seen >= total) return level;
  }
  return 255;
}

// Turns levels into ink from 0 to 255: distance from the background, on the side where most of it lies.
void make_ink(Grey& grey) {
  const int background = background_of(grey);
  std::array<std::uint64_t, 256> counts{};
  for (const std::uint8_t level : grey.pixels) ++counts[level];
  std::uint64_t below = 0;
  std::uint64_t above = 0;
  for (int level = 0; level < 256; ++level) {
    const auto distance = static_cast<std::uint64_t>(std::abs(level - background));
    if (static_cast<int>(distance) >= kLeastContrast) {
      (level < background ? below : above) += distance * counts[static_cast<std::size_t>(level)];
    }
  }
  require<ValueError>(below + above > 0, "prepare_digit", "nothing is drawn in this picture of ", grey.width,
                      " x ", grey.height, ": all of it is like its border");
  const int sign = below > above ? -1 : 1;
  // Full ink is what the darkest tenth of the drawn pixels reach, so that a single speck does not decide.
  std::array<std::uint64_t, 256> drawn{};
  std::uint64_t drawn_total = 0;
  for (int level = 0; level < 256; ++level) {
    const int distance = sign * (level - background);
    if (distance < kLeastContrast) continue;
    drawn[static_cast<std::size_t>(distance)] += counts[static_cast<std::size_t>(level)];
    drawn_total += counts[static_cast<std::size_t>(level)];
  }
  int full = 255;
  for (std::uint64_t seen = 0; full > kLeastContrast; --full) {
    seen += drawn[static_cast<std::size_t>(full)];
    if (10 * seen >= drawn_total) break;
  }
  std::array<std::uint8_t, 256> ink{};
  const int floor = full / 10;  // the page is not quite even
  for (int level = 0; level < 256; ++level) {
    const int distance = sign * (level - background);
    ink[static_cast<std::size_t>(level)] =
        static_cast<std::uint8_t>(std::clamp(255 * (distance - floor) / (full - floor), 0, 255));
  }
  for (std::uint8_t& pixel : grey.pixels) pixel = ink[pixel];
}

struct Box {
  Index left = 0, top = 0, right = 0, bottom = 0;  // right and bottom are outside
};

Box ink_box(const Grey& grey) {
  constexpr std::uint8_t kVisible = 32;
  Box box{grey.width, grey.height, 0, 0};
  for (Index y = 0; y < grey.height; ++y) {
    for (Index x = 0; x < grey.width; ++x) {
      if (grey.at(x, y) < kVisible) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x + 1),
             std::max(box.bottom, y + 1)};
    }
  }
  return box;
}

// The mean over the area that each new pixel covers in the old picture; exact for any ratio, up or down.
struct Scaled {
  Index width = 0;
  Index height = 0;
  std::vector<double> ink;
};

Scaled fit(const Grey& grey, const Box& box) {
  const Index width = box.right - box.left;
  const Index height = box.bottom - box.top;
  const double ratio = static_cast<double>(std::max(width, height)) / static_cast<double>(kMnistBox);
  Scaled out;
  out.width = std::max<Index>(1, std::lround(static_cast<double>(width) / ratio));
  out.height = std::max<Index>(1, std::lround(static_cast<double>(height) / ratio));
  const double step_x = static_cast<double>(width) / static_cast<double>(out.width);
  const double step_y = static_cast<double>(height) / static_cast<double>(out.height);
  const auto cover = [](double low, double high, Index pixel) {
    return std::min(high, static_cast<double>(pixel + 1)) - std::max(low, static_cast<double>(pixel));
  };
  for (Index y = 0; y < out.height; ++y) {
    const double top = static_cast<double>(box.top) + static_cast<double>(y) * step_y;
    for (Index x = 0; x < out.width; ++x) {
      const double left = static_cast<double>(box.left) + static_cast<double>(x) * step_x;
      double sum = 0.0;
      for (Index v = static_cast<Index>(top); v < box.bottom && static_cast<double>(v) < top + step_y; ++v) {
        for (Index u = static_cast<Index>(left); u < box.right && static_cast<double>(u) < left + step_x;
             ++u) {
          sum += cover(top, top + step_y, v) * cover(left, left + step_x, u) * grey.at(u, v);
        }
      }
      out.ink.push_back(sum / (step_x * step_y));
    }
  }
  return out;
}

}  // namespace

Tensor prepare_digit(const Image& image) {
  Grey grey = to_grey(image);
  make_ink(grey);
  const Box box = ink_box(grey);
  const Scaled digit = fit(grey, box);
  // A thin line, scaled down, fades: its blackest pixel becomes full ink again, as in MNIST.
  const double darkest = *std::max_element(digit.ink.begin(), digit.ink.end());
  double mass = 0.0, x_sum = 0.0, y_sum = 0.0;
  for (Index y = 0; y < digit.height; ++y) {
    for (Index x = 0; x < digit.width; ++x) {
      const double ink = digit.ink[static_cast<std::size_t>(y * digit.width + x)];
      mass += ink;
      x_sum += ink * static_cast<double>(x);
      y_sum += ink * static_cast<double>(y);
    }
  }
  // Half a pixel goes up and left, so that two equal columns come to 13 and 14, the very middle.
  const auto place = [&](double moment, Index size) {
    return std::clamp<Index>(
        static_cast<Index>(std::ceil(static_cast<double>(kMnistSide / 2) - moment / mass - 0.5)), 0,
        kMnistSide - size);
  };
  const Index left = place(x_sum, digit.width);
  const Index top = place(y_sum, digit.height);
  return Tensor::build<std::uint8_t>({kMnistSide, kMnistSide}, [&](std::span<std::uint8_t> out) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    for (Index y = 0; y < digit.height; ++y) {
      for (Index x = 0; x < digit.width; ++x) {
        const double ink = 255.0 * digit.ink[static_cast<std::size_t>(y * digit.width + x)] / darkest;
        out[static_cast<std::size_t>((top + y) * kMnistSide + left + x)] =
            static_cast<std::uint8_t>(std::lround(ink));
      }
    }
  });
}

}  // namespace splot
