#include "splot/io/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "splot/core/byte_order.h"
#include "splot/core/file.h"
#include "splot/io/internal/elements.h"
#include "splot/io/internal/npy_format.h"
#include "splot/io/internal/safetensors_header.h"

namespace splot {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are stored as they lie in memory");

using safetensors::shown;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMaxHeader = 1 << 20;
constexpr std::size_t kAlign = 64;  // of the elements, as NumPy has it

constexpr std::array<std::pair<std::string_view, DType>, 6> kNpyTypes = {
    {{"b1", kBool}, {"u1", kUInt8}, {"i4", kInt32}, {"i8", kInt64}, {"f4", kFloat32}, {"f8", kFloat64}}};

// The header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, the text of a Python dict. Only
// what such a dict can hold is understood, and nothing is evaluated.
class HeaderReader {
 public:
  HeaderReader(const std::string& name, std::string_view text, std::uint64_t begin)
      : name_(name), text_(text), begin_(begin) {}

  bool swapped = false;  // the highest byte comes first
  bool fortran = false;
  DType dtype;
  Ints sizes;

  void read() {
    spaces();
    expect('{');
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    for (spaces(); !take('}'); spaces()) {
      const std::size_t at = at_;
      const std::string key = string();
      bool* seen = key == "descr"           ? &has_type
                   : key == "fortran_order" ? &has_order
                   : key == "shape"         ? &has_shape
                                            : nullptr;
      if (seen == nullptr)
        refuse(at, "there is no key ", shown(key), "; there are descr, fortran_order and shape");
      if (std::exchange(*seen, true)) refuse(at, key, " is there twice");
      spaces();
      expect(':');
      spaces();
      if (seen == &has_type) {
        read_type();
      } else if (seen == &has_order) {
        read_order();
      } else {
        read_shape();
      }
      spaces();
      if (take('}')) break;
      expect(',');
    }
    const char* missing = !has_type ? "descr" : !has_order ? "fortran_order" : !has_shape ? "shape" : nullptr;
    if (missing != nullptr) refuse(at_, "the header has no ", missing);
    spaces();
    if (at_ != text_.size()) refuse(at_, "something follows the header's dict");
    if (!text_.ends_with('\n')) refuse(at_, "the header must end with a line feed");
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(std::size_t at, const Parts&... parts) const {
    fail<FormatError>("npy", '"', name_, "\" at byte ", begin_ + at, ": ", parts...);
  }

  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void spaces() {
    while (at_ < text_.size() && (next() == ' ' || next() == '\t' || next() == '\n')) ++at_;
  }
  bool take(char c) {
    if (at_ == text_.size() || next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse(at_, "the header is no dict: expected ", c);
  }
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string string() {
    const char quote = next();
    if (quote != '\'' && quote != '"') refuse(at_, "the header is no dict: expected a string");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) refuse(at_, "a string has no end");
    const std::string out(text_.substr(at_ + 1, end - at_ - 1));
    if (out.find_first_of("\\\n") != std::string::npos)
      refuse(at_, "a string holds an escape or a line feed");
    at_ = end + 1;
    return out;
  }

  void read_type() {
    const std::size_t at = at_;
    if (next() == '[' || next() == '(') refuse(at, "the elements are records; Splot reads numbers and bools");
    const std::string text = string();
    std::string_view type = text;
    if (!type.empty() && std::string_view("<>=|").find(type[0]) != std::string_view::npos) {
      swapped = type[0] == '>';
      type.remove_prefix(1);
    }
    const auto found =
        std::find_if(kNpyTypes.begin(), kNpyTypes.end(), [&](const auto& t) { return t.first == type; });
    if (found == kNpyTypes.end()) {
      refuse(at, "elements of type ", shown(text),
             " are not read; Splot reads bool (b1), uint8 (u1), int32 (i4), int64 (i8), float32 (f4) and "
             "float64 (f8)");
    }
    dtype = found->second;
  }

  void read_order() {
    fortran = take_word("True");
    if (!fortran && !take_word("False")) refuse(at_, "fortran_order must be True or False");
  }

  void read_shape() {
    if (!take('(')) refuse(at_, "shape must be a tuple of whole numbers");
    bool comma = true;  // () needs none, (3,) does
    for (spaces(); !take(')'); spaces()) {
      if (!comma) refuse(at_, "shape must be a tuple of whole numbers");
      if (sizes.size() == kMaxRank) refuse(at_, "shape has more than ", kMaxRank, " axes");
      sizes.push_back(number());
      spaces();
      comma = take(',');
    }
    if (sizes.size() == 1 && !comma) refuse(at_, "shape must be a tuple of whole numbers");
  }

  Index number() {
    const std::size_t at = at_;
    Index value = 0;
    while (next() >= '0' && next() <= '9') {
      const int digit = next() - '0';
      if (value > (std::numeric_limits<Index>::max() - digit) / 10) refuse(at, "a size is too large");
      value = 10 * value + digit;
      ++at_;
    }
    if (at_ == at || (text_[at] == '0' && at_ > at + 1)) refuse(at, "shape must be a tuple of whole numbers");
    take('L');  // as Python 2 wrote long numbers
    return value;
  }

  const std::string& name_;
  std::string_view text_;
  std::uint64_t begin_;  // of the text in the file
  std::size_t at_ = 0;
};

// How many bytes the elements take; nothing when 63 bits cannot count them.
std::optional<std::uint64_t> size_of(const Ints& sizes, DType dtype) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return 0;
  std::uint64_t bytes = dtype.size();
  for (const Index size : sizes) {
    const auto n = static_cast<std::uint64_t>(size);
    if (bytes > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()) / n) return {};
    bytes *= n;
  }
  return bytes;
}

// From Fortran's order, where the first index runs fastest: the elements are those of the array with its axes
// in reverse, row-major.
Tensor from_fortran(const Tensor& reversed, const Shape& shape) {
  Ref<TensorImpl> turned = reversed.impl()->window();
  turned->shape = shape;
  std::reverse(turned->strides.begin(), turned->strides.end());
  turned->contiguous = false;
  return contiguous(Tensor(std::move(turned)));
}

}  // namespace

namespace io {

Tensor read_npy(Source& in) {
  const auto check = [&](bool condition, const auto&... parts) {
    if (!condition) fail<FormatError>("npy", '"', in.name(), "\": ", parts...);
  };
  std::array<std::uint8_t, 8> start{};
  check(in.size() >= start.size() + 2, "has ", in.size(), " bytes; the shortest beginning takes 10");
  in.read(start.data(), start.size());
  check(std::equal(kMagic.begin(), kMagic.end(), start.begin(),
                   [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }),
        "does not begin with \\x93NUMPY");
  const int major = start[6];
  check(major >= 1 && major <= 3 && start[7] == 0, "is of version ", major, ".", start[7],
        "; there are 1.0, 2.0 and 3.0");
  const std::size_t width = major == 1 ? 2 : 4;
  check(in.size() >= start.size() + width, "ends inside the length of its header");
  std::array<std::uint8_t, 4> raw{};
  in.read(raw.data(), width);
  const std::uint64_t length = std::uint64_t{raw[0]} | std::uint64_t{raw[1]} << 8 |
                               std::uint64_t{raw[2]} << 16 | std::uint64_t{raw[3]} << 24;
  const std::uint64_t begin = start.size() + width;
  check(length <= kMaxHeader, "the header claims ", length, " bytes; the limit is ", kMaxHeader);
  check(length <= in.size() - begin, "the header claims ", length, " bytes, the file has ", in.size() - begin,
        " left");
  std::string text(static_cast<std::size_t>(length), '\0');
  in.read(text.data(), text.size());
  HeaderReader header(in.name(), text, begin);
  header.read();
  const std::uint64_t left = in.size() - begin - length;
  const std::optional<std::uint64_t> bytes = size_of(header.sizes, header.dtype);
  check(bytes.has_value(), "shape ", header.sizes, " of ", header.dtype, " is too large");
  check(*bytes == left, "shape ", header.sizes, " of ", header.dtype, " needs ", *bytes,
        " bytes of elements, the file has ", left);
  const Shape shape(header.sizes);
  if (header.fortran) std::reverse(header.sizes.begin(), header.sizes.end());
  const Tensor x = Tensor::empty(Shape(header.sizes), header.dtype);
  void* to = x.impl()->storage->data();
  in.read(to, byte_count(x));
  if (header.swapped) swap_bytes(to, static_cast<std::size_t>(x.numel()), x.dtype().size());
  check_bools(x, "npy", '"', in.name(), "\": ");
  return header.fortran ? from_fortran(x, shape) : x;
}

std::string npy_header(const Tensor& x) {
  require<ValueError>(x.defined(), "npy", "the tensor is undefined");
  const auto found =
      std::find_if(kNpyTypes.begin(), kNpyTypes.end(), [&](const auto& t) { return t.second == x.dtype(); });
  require<DTypeError>(found != kNpyTypes.end(), "npy", "NumPy has no ", x.dtype(), "; cast to float32 first");
  std::string sizes;
  for (const Index size : x.shape()) sizes += join(sizes.empty() ? "" : " ", size, ",");
  if (x.rank() > 1) sizes.pop_back();
  std::string text = join("{'descr': '", x.dtype().size() == 1 ? '|' : '<', found->first,
                          "', 'fortran_order': False, 'shape': (", sizes, "), }");
  const std::size_t before = kMagic.size() + 4;
  text.append(kAlign - 1 - (before + text.size()) % kAlign, ' ');
  text += '\n';
  // With at most 8 axes the text never needs the four bytes of version 2.0 for its length.
  return std::string(kMagic) + '\x01' + '\0' + static_cast<char>(text.size() & 255) +
         static_cast<char>(text.size() >> 8) + text;
}

}  // namespace io

Tensor load_npy(const std::string& path) {
  io::FileSource in(path);
  return io::read_npy(in);
}

Tensor load_npy(std::span<const std::uint8_t> bytes, const std::string& name) {
  io::MemorySource in(bytes, name);
  return io::read_npy(in);
}

void save_npy(const std::string& path, const Tensor& x) {
  const std::string header = io::npy_header(x);
  const Tensor dense = contiguous(x);
  OutputFile out(path);
  out.write(header);
  out.write(dense.raw(), io::byte_count(dense));
  out.commit();
}

}  // namespace splot
