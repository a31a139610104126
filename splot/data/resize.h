// Pictures brought to another size.
#pragma once

#include "splot/core/export.h"
#include "splot/data/image.h"

namespace splot {

/// The picture with another width and height, bilinear with antialiasing: each new pixel is the mean of the
/// old ones under a triangle, which spans two pixels when the picture grows and two new pixels when it
/// shrinks. Pixel for pixel what PIL's Image.resize((width, height), Image.BILINEAR) gives, which is
/// torchvision's Resize. Throws ValueError for sizes outside 1 .. 65,535, pixels that do not fit the size,
/// and a picture so narrow or flat that its rows at the new width would have more than kMaxImagePixels.
///
///   Image small = resized(read_image("cat.jpg"), 64, 64);
SPLOT_API Image resized(const Image& image, Index width, Index height);

/// The middle of the picture; where it is smaller than asked for, ValueError. Of an odd rest the smaller
/// half is cut off left and above.
SPLOT_API Image center_cropped(const Image& image, Index width, Index height);

/// Cropped to the shape width : height around its middle, then resized: nothing is stretched.
SPLOT_API Image fitted(const Image& image, Index width, Index height);

}  // namespace splot
