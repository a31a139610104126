#include <utility>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/data/internal/codecs.h"

namespace splot {
namespace {

constexpr std::uint64_t kMaxImageFileBytes = std::uint64_t{1} << 30;

bool begins_with(std::span<const std::uint8_t> file, std::string_view signature) {
  if (file.size() < signature.size()) return false;
  for (std::size_t i = 0; i < signature.size(); ++i) {
    if (file[i] != static_cast<std::uint8_t>(signature[i])) return false;
  }
  return true;
}

// ITU-R BT.601 in 16 bits after the point, rounded: PIL's numbers.
void make_grey(Image& image) {
  const std::size_t count = image.pixels.size() / 3;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* p = image.pixels.data() + 3 * i;
    image.pixels[i] =
        static_cast<std::uint8_t>((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
  }
  image.pixels.resize(count);
  image.channels = 1;
}

void make_colored(Image& image) {
  std::vector<std::uint8_t> out(image.pixels.size() * 3);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = image.pixels[i / 3];
  image.pixels = std::move(out);
  image.channels = 3;
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> file, std::string_view name,
                   const ReadImageOptions& options) {
  require<ValueError>(options.channels == 0 || options.channels == 1 || options.channels == 3, "image",
                      "channels must be 0, 1 or 3, got ", options.channels);
  const bool png = begins_with(file, "\x89PNG\r\n\x1a\n");
  require<FormatError>(png || begins_with(file, "\xff\xd8\xff"), "image", '"', name,
                       "\" at byte 0: begins neither like a PNG nor like a JPEG");
  Image image = png ? data_detail::decode_png({file, name}, options.transparency)
                    : data_detail::decode_jpeg({file, name});
  if (options.channels == 1 && image.channels == 3) make_grey(image);
  if (options.channels == 3 && image.channels == 1) make_colored(image);
  return image;
}

Image read_image(const std::string& path, const ReadImageOptions& options) {
  return decode_image(read_file(path, kMaxImageFileBytes), path, options);
}

}  // namespace splot
