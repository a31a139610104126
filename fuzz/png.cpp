// PNG pictures: the bytes as they are, and again with every check sum made right, or libpng would look no
// further.
#include "splot/data/image.h"

#include "fuzz/fuzz.h"
#include "tests/support/png_bytes.h"

namespace {

void read(splot::fuzz::Bytes bytes) {
  splot::fuzz::accept_errors([&] {
    const splot::Image image = splot::read_image(splot::fuzz::as_file(bytes));
    splot::fuzz::expect(
        static_cast<splot::Index>(image.pixels.size()) == image.width * image.height * image.channels,
        "a picture with another number of pixels");
    splot::prepare_digit(image);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size});
  std::vector<std::uint8_t> repaired(data, data + size);
  splot::test::repair_png(repaired);
  read(repaired);
  return 0;
}
