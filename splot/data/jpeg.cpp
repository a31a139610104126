// JPEG with libjpeg-turbo, whose errors leave by longjmp: the functions that call it hold nothing that has a
// destructor.
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include <jerror.h>
#include <jpeglib.h>

#include "splot/core/error.h"
#include "splot/data/internal/codecs.h"

namespace splot {
namespace {

// What a picture may take while it is read, its pixels included. A progressive file keeps all coefficients.
constexpr std::uint64_t kMostDecodingBytes = std::uint64_t{240} << 20;
// A progressive file may pass over its picture any number of times; cameras and tools do so some ten times.
constexpr int kMostScans = 100;

// A zeroed state can be destroyed; begin() makes it one that can read.
struct JpegState {
  JpegState() = default;
  ~JpegState() { jpeg_destroy_decompress(&info); }
  JpegState(const JpegState&) = delete;
  JpegState& operator=(const JpegState&) = delete;

  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf escape = {};
  char message[JMSG_LENGTH_MAX] = {};
  bool no_memory = false;
};

[[noreturn]] void leave(JpegState& state) { std::longjmp(state.escape, 1); }

void on_jpeg_error(j_common_ptr common) {
  JpegState& state = *static_cast<JpegState*>(common->client_data);
  state.no_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
  common->err->format_message(common, state.message);
  leave(state);
}

// A warning says that pixels were made up, and a picture that is partly made up is no answer. Some warnings
// are about things that change no pixel.
void on_jpeg_message(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      on_jpeg_error(common);
  }
}

void on_jpeg_output(j_common_ptr) {}  // libjpeg's own prints

void give_up_with(JpegState& state, const char* text) {
  std::strncpy(state.message, text, sizeof state.message - 1);
  leave(state);
}

void on_jpeg_progress(j_common_ptr common) {
  JpegState& state = *static_cast<JpegState*>(common->client_data);
  if (state.info.input_scan_number > kMostScans) give_up_with(state, "has too many scans");
}

bool begin(JpegState& state, const unsigned char* bytes, std::size_t size) {
  state.info.err = jpeg_std_error(&state.errors);
  state.errors.error_exit = on_jpeg_error;
  state.errors.emit_message = on_jpeg_message;
  state.errors.output_message = on_jpeg_output;
  state.info.client_data = &state;
  if (setjmp(state.escape)) return false;
  jpeg_create_decompress(&state.info);
  state.progress.progress_monitor = on_jpeg_progress;
  state.info.progress = &state.progress;
  jpeg_mem_src(&state.info, bytes, static_cast<unsigned long>(size));
  return true;
}

// Reads up to the first scan, refuses what is too large, and chooses what rows are made of.
bool read_jpeg_header(JpegState& state, std::size_t size) {
  if (setjmp(state.escape)) return false;
  jpeg_decompress_struct& info = state.info;
  jpeg_read_header(&info, TRUE);
  const std::uint64_t pixels = std::uint64_t{info.image_width} * info.image_height;
  if (pixels > kMaxImagePixels) give_up_with(state, "the picture has too many pixels");
  // A block of 8 x 8 pixels takes at least a bit.
  if (pixels / 64 / 8 > size) give_up_with(state, "the file is too short for the size it claims");
  switch (info.jpeg_color_space) {
    case JCS_GRAYSCALE:
      info.out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      info.out_color_space = JCS_CMYK;
      break;
    case JCS_YCbCr:
    case JCS_RGB:
      info.out_color_space = JCS_RGB;
      break;
    default:
      give_up_with(state, "the colours are neither grey nor RGB, YCbCr, CMYK or YCCK");
  }
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  const std::uint64_t bytes = pixels * (info.out_color_space == JCS_GRAYSCALE ? 1 : 3);
  info.mem->max_memory_to_use = static_cast<long>(kMostDecodingBytes - bytes);
  return true;
}

bool start_rows(JpegState& state) {
  if (setjmp(state.escape)) return false;
  jpeg_start_decompress(&state.info);
  return true;
}

bool read_row(JpegState& state, std::uint8_t* row) {
  if (setjmp(state.escape)) return false;
  jpeg_read_scanlines(&state.info, &row, 1);
  return true;
}

// So that what follows the last row is looked at too.
bool finish(JpegState& state) {
  if (setjmp(state.escape)) return false;
  jpeg_finish_decompress(&state.info);
  return true;
}

// a b / 255, rounded.
unsigned share(unsigned a, unsigned b) { return (a * b + 127) / 255; }

// Ink to light, in place: (255 - C) (255 - K) / 255 and so on. Adobe's files hold 255 - ink.
void cmyk_to_rgb(std::vector<std::uint8_t>& row, bool adobe) {
  const unsigned flip = adobe ? 0 : 255;
  for (std::size_t i = 0; i < row.size() / 4; ++i) {
    const unsigned black = row[4 * i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c) {
      row[3 * i + c] = static_cast<std::uint8_t>(share(row[4 * i + c] ^ flip, black));
    }
  }
}

// Row y of the stored picture goes where it belongs in the upright one.
void put_row(Image& image, int orientation, Index width, Index height, Index y, const std::uint8_t* row) {
  const auto channels = static_cast<std::size_t>(image.channels);
  for (Index x = 0; x < width; ++x) {
    const data_detail::Place to = data_detail::upright_place(orientation, width, height, {x, y});
    std::memcpy(image.pixels.data() + static_cast<std::size_t>(to.y * image.width + to.x) * channels,
                row + static_cast<std::size_t>(x) * channels, channels);
  }
}

}  // namespace

Image data_detail::decode_jpeg(const ImageBytes& file) {
  JpegState state;
  const auto check = [&](bool done) {
    if (done) return;
    if (state.no_memory) throw std::bad_alloc();
    const std::size_t left = state.info.src == nullptr ? 0 : state.info.src->bytes_in_buffer;
    // At the end libjpeg reads from two bytes of its own.
    const std::size_t at = left > file.bytes.size() || state.errors.msg_code == JWRN_JPEG_EOF
                               ? file.bytes.size()
                               : file.bytes.size() - left;
    fail<FormatError>("jpeg", '"', file.name, "\" at byte ", at, ": ", state.message);
  };
  check(begin(state, file.bytes.data(), file.bytes.size()));
  check(read_jpeg_header(state, file.bytes.size()));
  const int orientation = exif_orientation(file.bytes);
  const Index width = state.info.image_width;
  const Index height = state.info.image_height;
  const bool on_side = lies_on_its_side(orientation);
  Image image{on_side ? height : width,
              on_side ? width : height,
              state.info.out_color_space == JCS_GRAYSCALE ? 1 : 3,
              {}};
  check(start_rows(state));
  image.pixels.resize(static_cast<std::size_t>(width * height * image.channels));
  const bool cmyk = state.info.out_color_space == JCS_CMYK;
  std::vector<std::uint8_t> row(static_cast<std::size_t>(width * state.info.output_components));
  for (Index y = 0; y < height; ++y) {
    std::uint8_t* to = image.pixels.data() + y * width * image.channels;
    const bool in_place = orientation == 1 && !cmyk;
    check(read_row(state, in_place ? to : row.data()));
    if (cmyk) cmyk_to_rgb(row, state.info.saw_Adobe_marker != FALSE);
    if (!in_place) put_row(image, orientation, width, height, y, row.data());
  }
  check(finish(state));
  return image;
}

}  // namespace splot
