#include "tests/support/gzip_bytes.h"

#include <stdexcept>

#include <zlib.h>

namespace splot::test {
namespace {

// `window` as zlib has it: +16 wraps the stream as gzip, negative leaves it bare.
std::vector<std::uint8_t> packed(std::span<const std::uint8_t> bytes, int window) {
  z_stream stream = {};
  if (deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot pack");
  }
  std::vector<std::uint8_t> out(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<std::uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib cannot pack");
  return out;
}

}  // namespace

std::vector<std::uint8_t> gzip_bytes(std::span<const std::uint8_t> bytes) { return packed(bytes, 15 + 16); }
std::vector<std::uint8_t> deflate_bytes(std::span<const std::uint8_t> bytes) { return packed(bytes, -15); }

}  // namespace splot::test
