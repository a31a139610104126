// PNG with libpng, whose errors leave by longjmp: the functions that call it hold nothing that has a
// destructor.
#include <algorithm>
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/data/internal/codecs.h"

namespace splot {
namespace {

// Where libpng reads from or writes to, and what it said when it gave up.
struct Stream {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::size_t position = 0;
  std::vector<std::uint8_t>* out = nullptr;
  bool no_memory = false;
  char message[200] = {};
};

void say(Stream& stream, const char* text) { std::strncpy(stream.message, text, sizeof stream.message - 1); }

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  say(*static_cast<Stream*>(png_get_error_ptr(png)), text);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}  // libpng's own would print

void read_bytes(png_structp png, png_bytep to, std::size_t n) {
  Stream& stream = *static_cast<Stream*>(png_get_io_ptr(png));
  if (n > stream.size - stream.position) png_error(png, "the file is cut short");
  std::memcpy(to, stream.data + stream.position, n);
  stream.position += n;
}

void write_bytes(png_structp png, png_bytep from, std::size_t n) {
  Stream& stream = *static_cast<Stream*>(png_get_io_ptr(png));
  try {
    stream.out->insert(stream.out->end(), from, from + n);
  } catch (const std::bad_alloc&) {  // an exception must not pass through C
    stream.no_memory = true;
  }
  if (stream.no_memory) png_error(png, "out of memory");
}
void flush_bytes(png_structp) {}

struct PngHeader {
  png_uint_32 width = 0;
  png_uint_32 height = 0;
  int color = 0;
  bool alpha = false;
  std::size_t row_bytes = 0;
};

// Reads up to the pixels and asks libpng to hand them out as 8-bit grey, grey + alpha, RGB or RGB + alpha.
bool read_header(png_structp png, png_infop info, PngHeader& header) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_sig_bytes(png, 0);
  png_set_user_limits(png, 1'000'000, 1'000'000);
  png_set_chunk_malloc_max(png, 8'000'000);
  png_set_chunk_cache_max(png, 128);
  png_read_info(png, info);
  header.width = png_get_image_width(png, info);
  header.height = png_get_image_height(png, info);
  if (std::uint64_t{header.width} * header.height > kMaxImagePixels)
    png_error(png, "the picture has too many pixels");
  png_set_expand(png);  // palettes to RGB, 1 to 4 bits to 8, a transparent colour to alpha
  png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  header.color = png_get_color_type(png, info);
  header.alpha = (header.color & PNG_COLOR_MASK_ALPHA) != 0;
  header.row_bytes = png_get_rowbytes(png, info);
  return true;
}

bool read_rows(png_structp png, png_infop info, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_read_image(png, rows);
  png_read_end(png, info);
  return true;
}

bool write_rows(png_structp png, png_infop info, const Image& image, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8,
               image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, info);
  return true;
}

// The alpha channel is removed from pixels of `colors` + 1 bytes, in place: a picture may be large.
void drop_alpha(std::vector<std::uint8_t>& raw, std::size_t colors) {
  const std::size_t count = raw.size() / (colors + 1);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < colors; ++c) raw[i * colors + c] = raw[i * (colors + 1) + c];
  }
  raw.resize(count * colors);
}

void lay_over_page(std::vector<std::uint8_t>& raw, std::size_t colors) {
  const std::size_t count = raw.size() / (colors + 1);
  std::uint64_t light = 0;
  std::uint64_t cover = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = raw.data() + i * (colors + 1);
    const std::uint64_t alpha = pixel[colors];
    cover += alpha * colors;
    for (std::size_t c = 0; c < colors; ++c) light += alpha * pixel[c];
  }
  const unsigned page = light >= 128 * cover && cover > 0 ? 0 : 255;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = raw.data() + i * (colors + 1);
    const unsigned alpha = pixel[colors];
    for (std::size_t c = 0; c < colors; ++c) {
      raw[i * colors + c] = static_cast<std::uint8_t>((alpha * pixel[c] + (255 - alpha) * page + 127) / 255);
    }
  }
  raw.resize(count * colors);
}

std::vector<png_bytep> row_pointers(std::uint8_t* first, std::size_t rows, std::size_t row_bytes) {
  std::vector<png_bytep> out(rows);
  for (std::size_t i = 0; i < rows; ++i) out[i] = first + i * row_bytes;
  return out;
}

// What the eXIf chunk says, which may stand before or after the pixels.
int orientation_of(png_structp png, png_infop info) {
  png_bytep bytes = nullptr;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(png, info, &size, &bytes) == 0 || bytes == nullptr) return 1;
  return data_detail::tiff_orientation({bytes, size});
}

Image turned(const Image& image, int orientation) {
  const bool on_side = data_detail::lies_on_its_side(orientation);
  Image out{on_side ? image.height : image.width, on_side ? image.width : image.height, image.channels, {}};
  out.pixels.resize(image.pixels.size());
  const std::uint8_t* from = image.pixels.data();
  for (Index y = 0; y < image.height; ++y) {
    for (Index x = 0; x < image.width; ++x, from += image.channels) {
      const data_detail::Place to =
          data_detail::upright_place(orientation, image.width, image.height, {x, y});
      std::copy(from, from + image.channels, out.pixels.data() + (to.y * out.width + to.x) * image.channels);
    }
  }
  return out;
}

struct ReadState {
  explicit ReadState(Stream& stream) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &stream, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_read_struct(&png, &info, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png, &stream, read_bytes);
  }
  ~ReadState() { png_destroy_read_struct(&png, &info, nullptr); }
  ReadState(const ReadState&) = delete;
  ReadState& operator=(const ReadState&) = delete;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

struct WriteState {
  explicit WriteState(Stream& stream) {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &stream, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_write_struct(&png, &info);
      throw std::bad_alloc();
    }
    png_set_write_fn(png, &stream, write_bytes, flush_bytes);
  }
  ~WriteState() { png_destroy_write_struct(&png, &info); }
  WriteState(const WriteState&) = delete;
  WriteState& operator=(const WriteState&) = delete;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

}  // namespace

Image data_detail::decode_png(const ImageBytes& file, Transparency transparency) {
  Stream stream;
  stream.data = file.bytes.data();
  stream.size = file.bytes.size();
  const auto give_up = [&] {
    fail<FormatError>("png", '"', file.name, "\" at byte ", stream.position, ": ", stream.message);
  };
  ReadState state(stream);
  PngHeader header;
  if (!read_header(state.png, state.info, header)) give_up();
  // A pixel takes at least a bit and deflate packs at best 1032 to 1: what claims more is refused before
  // memory is asked for.
  if (std::uint64_t{header.width} * header.height / 8 / 1032 > file.bytes.size()) {
    say(stream, "the file is too short for the size it claims");
    give_up();
  }
  std::vector<std::uint8_t> raw(header.row_bytes * header.height);
  std::vector<png_bytep> rows = row_pointers(raw.data(), header.height, header.row_bytes);
  if (!read_rows(state.png, state.info, rows.data())) give_up();
  const bool grey = (header.color & PNG_COLOR_MASK_COLOR) == 0;
  Image image{header.width, header.height, grey ? 1 : 3, {}};
  if (header.alpha) {
    (transparency == Transparency::ignored ? drop_alpha : lay_over_page)(raw, grey ? 1 : 3);
  }
  image.pixels = std::move(raw);
  const int orientation = orientation_of(state.png, state.info);
  if (orientation == 1) return image;
  // Both lie in memory while it is turned.
  constexpr std::uint64_t kMostToTurn = kMaxImagePixels * 4 / 5;
  if (std::uint64_t{header.width} * header.height > kMostToTurn) {
    say(stream, "the picture has too many pixels to be turned upright");
    give_up();
  }
  return turned(image, orientation);
}

std::vector<std::uint8_t> encode_png(const Image& image) {
  require<ValueError>(image.channels == 1 || image.channels == 3, "png", "needs 1 or 3 channels, got ",
                      image.channels);
  require<ValueError>(
      image.width > 0 && image.height > 0 && image.width <= 1'000'000 && image.height <= 1'000'000, "png",
      "the size ", image.width, " x ", image.height, " is not from 1 to 1000000");
  const auto row_bytes = static_cast<std::size_t>(image.width * image.channels);
  const auto height = static_cast<std::size_t>(image.height);
  require<ValueError>(image.pixels.size() == row_bytes * height, "png", image.width, " x ", image.height,
                      " x ", image.channels, " needs ", row_bytes * height, " bytes, got ",
                      image.pixels.size());
  std::vector<std::uint8_t> bytes;
  Stream stream;
  stream.out = &bytes;
  {
    WriteState state(stream);
    // libpng only reads these rows.
    std::vector<png_bytep> rows = row_pointers(const_cast<png_bytep>(image.pixels.data()), height, row_bytes);
    if (!write_rows(state.png, state.info, image, rows.data())) {
      if (stream.no_memory) throw std::bad_alloc();
      fail<ValueError>("png", stream.message);
    }
  }
  return bytes;
}

void write_png(const std::string& path, const Image& image) { write_file(path, encode_png(image)); }

}  // namespace splot
