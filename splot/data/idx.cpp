#include "splot/data/idx.h"

#include <algorithm>
#include <array>
#include <limits>

#include "splot/core/byte_order.h"
#include "splot/core/file.h"
#include "splot/data/gzip.h"

namespace splot {
namespace {

struct ElementType {
  std::uint8_t code;
  DType dtype;
};
constexpr std::array kTypes = {ElementType{0x08, kUInt8}, ElementType{0x0c, kInt32},
                               ElementType{0x0d, kFloat32}, ElementType{0x0e, kFloat64}};

// A gzip file may claim a thousand times its own size. Above this the claim is first tried by unpacking into
// nothing.
constexpr std::uint64_t kTrustedBytes = std::uint64_t{64} << 20;

template <typename... Parts>
void expect(bool condition, const std::string& path, std::uint64_t offset, const Parts&... parts) {
  if (!condition) fail<FormatError>("idx", '"', path, "\" at byte ", offset, ": ", parts...);
}

std::string hex(std::uint8_t byte) {
  constexpr char digits[] = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

DType element_type(const std::string& path, std::uint8_t code) {
  expect(code != 0x09 && code != 0x0b, path, 2, "the elements are ", code == 0x09 ? "int8" : "int16",
         "; Splot reads uint8 (0x08), int32 (0x0c), float32 (0x0d) and float64 (0x0e)");
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const ElementType& t) { return t.code == code; });
  expect(found != kTypes.end(), path, 2, hex(code),
         " is no element type; there are 0x08 uint8, 0x0c int32, 0x0d float32 and 0x0e float64");
  return found->dtype;
}

struct IdxHeader {
  Shape shape;
  DType dtype;
  std::uint64_t bytes = 0;       // of the header
  std::uint64_t data_bytes = 0;  // of the elements
};

IdxHeader read_header(UnpackingReader& in) {
  const std::string& path = in.path();
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = in.read(magic.data(), magic.size());
  expect(got == magic.size(), path, got, "the file ends inside the first four bytes");
  expect(magic[0] == 0 && magic[1] == 0, path, 0, "an IDX file begins with two zero bytes, got ",
         hex(magic[0]), " ", hex(magic[1]));
  IdxHeader header;
  header.dtype = element_type(path, magic[2]);
  expect(magic[3] >= 1 && magic[3] <= kMaxRank, path, 3, "needs 1 to ", kMaxRank, " axes, got ", magic[3]);
  header.bytes = 4 + std::uint64_t{4} * magic[3];
  header.data_bytes = header.dtype.size();
  Ints sizes;
  bool empty = false;
  bool countable = true;
  std::uint64_t total = header.dtype.size();
  for (int axis = 0; axis < magic[3]; ++axis) {
    std::array<std::uint8_t, 4> raw{};
    const auto at = static_cast<std::uint64_t>(4 + 4 * axis);
    const std::size_t part = in.read(raw.data(), raw.size());
    expect(part == raw.size(), path, at + part, "the file ends inside the sizes of its ", magic[3], " axes");
    const std::uint32_t size =
        std::uint32_t{raw[0]} << 24 | std::uint32_t{raw[1]} << 16 | std::uint32_t{raw[2]} << 8 | raw[3];
    sizes.push_back(size);
    empty = empty || size == 0;
    if (size == 0) continue;
    countable =
        countable && total <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / size;
    if (countable) total *= size;
  }
  expect(countable || empty, path, 4, "sizes ", sizes, " are more elements than 64 bits can count");
  header.data_bytes = empty ? 0 : total;
  header.shape = Shape(sizes);
  return header;
}

void check_length(const std::string& path, const IdxHeader& header, std::uint64_t got) {
  expect(got == header.data_bytes, path, header.bytes + std::min(got, header.data_bytes), "sizes ",
         header.shape, " of ", header.dtype, " need ", header.data_bytes, " bytes of elements, the file has ",
         got > header.data_bytes ? "more" : join(got));
}

}  // namespace

Tensor read_idx(const std::string& path) {
  UnpackingReader in(path);
  const IdxHeader header = read_header(in);
  if (!in.is_gzip()) check_length(path, header, in.most_bytes() - header.bytes);
  if (in.is_gzip() && header.data_bytes > in.most_bytes() - header.bytes) {
    fail<FormatError>("idx", '"', path, "\" at byte 4: sizes ", header.shape, " of ", header.dtype, " need ",
                      header.data_bytes, " bytes of elements, the packed file can hold at most ",
                      in.most_bytes() - header.bytes);
  }
  if (in.is_gzip() && header.data_bytes > kTrustedBytes) {
    UnpackingReader trial(path);
    trial.skip(header.bytes);
    check_length(path, header, trial.skip(header.data_bytes + 1));
  }
  Tensor out = Tensor::empty(header.shape, header.dtype);
  void* to = out.impl()->storage->data();
  const std::size_t got = in.read(to, static_cast<std::size_t>(header.data_bytes));
  check_length(path, header, got);
  check_length(path, header, got + in.skip(1));
  swap_bytes(to, static_cast<std::size_t>(header.shape.numel()), header.dtype.size());
  return out;
}

void write_idx(const std::string& path, const Tensor& x) {
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const ElementType& t) { return t.dtype == x.dtype(); });
  require<DTypeError>(found != kTypes.end(), "write_idx", "IDX holds uint8, int32, float32 and float64, got ",
                      x.dtype());
  require(x.rank() >= 1, "write_idx", "IDX needs at least one axis, got ", x);
  std::vector<std::uint8_t> head = {0, 0, found->code, static_cast<std::uint8_t>(x.rank())};
  for (const Index size : x.shape()) {
    require(size <= std::numeric_limits<std::uint32_t>::max(), "write_idx", "a size in ", x,
            " exceeds 32 bits");
    for (int shift = 24; shift >= 0; shift -= 8) head.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  const auto count = static_cast<std::size_t>(x.numel());
  const Tensor dense = contiguous(x);
  const auto* first = static_cast<const std::uint8_t*>(dense.raw());
  std::vector<std::uint8_t> body(first, first + count * x.dtype().size());
  swap_bytes(body.data(), count, x.dtype().size());
  OutputFile out(path);
  out.write(head.data(), head.size());
  out.write(body.data(), body.size());
  out.commit();
}

}  // namespace splot
