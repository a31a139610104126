// JPEG pictures, grey and in colour, with EXIF data and without.
#include "splot/data/image.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  splot::fuzz::accept_errors([&] {
    const splot::Image image =
        splot::decode_image({data, size}, "fuzz.jpg", {.channels = size % 2 == 0 ? 0 : 1});
    splot::fuzz::expect(
        static_cast<splot::Index>(image.pixels.size()) == image.width * image.height * image.channels,
        "a picture with another number of pixels");
  });
  return 0;
}
