#include "splot/io/npz.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <zip.h>

#include "splot/core/file.h"
#include "splot/io/internal/elements.h"
#include "splot/io/internal/npy_format.h"
#include "splot/io/internal/safetensors_header.h"

namespace splot {
namespace {

using safetensors::shown;

constexpr std::string_view kEnding = ".npy";
constexpr std::uint64_t kMostRatio = 1032;  // of deflate
constexpr std::uint64_t kEndRecord = 22;
constexpr std::uint64_t kTrustedBytes = std::uint64_t{64} << 20;

struct Close {
  void operator()(zip_t* zip) const { ::zip_discard(zip); }
  void operator()(zip_file_t* file) const { ::zip_fclose(file); }
  void operator()(zip_source_t* source) const { ::zip_source_free(source); }
};
using Zip = std::unique_ptr<zip_t, Close>;
using ZipFile = std::unique_ptr<zip_file_t, Close>;
using ZipSource = std::unique_ptr<zip_source_t, Close>;

template <typename... Parts>
[[noreturn]] void refuse(const std::string& path, const Parts&... parts) {
  fail<FormatError>("npz", '"', path, "\": ", parts...);
}

// What libzip complains of: the system, or the file.
[[noreturn]] void zip_failed(const std::string& path, std::string_view what, zip_error_t* error) {
  const int code = ::zip_error_code_zip(error);
  const std::string reason = ::zip_error_strerror(error);
  if (code == ZIP_ER_MEMORY) throw std::bad_alloc();
  if (code == ZIP_ER_READ || code == ZIP_ER_OPEN || code == ZIP_ER_SEEK) {
    fail<IoError>("read", '"', path, "\" cannot be read: ", reason);
  }
  refuse(path, what, reason);
}

struct Member {
  zip_uint64_t index = 0;
  std::string name;  // without .npy
  std::uint64_t size = 0;
};

// One member, unpacked on the way.
class MemberSource final : public io::Source {
 public:
  MemberSource(const std::string& path, zip_t* zip, const Member& member)
      : path_(path), name_(path + "/" + member.name + std::string(kEnding)), size_(member.size) {
    file_.reset(::zip_fopen_index(zip, member.index, 0));
    if (file_ == nullptr) zip_failed(path, join("member ", shown(member.name), ": "), ::zip_get_error(zip));
  }
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(void* out, std::size_t n) override {
    std::size_t done = 0;
    while (done < n) {
      const zip_int64_t got = ::zip_fread(file_.get(), static_cast<std::uint8_t*>(out) + done, n - done);
      if (got < 0) failed();
      if (got == 0) fail<FormatError>("npz", '"', name_, "\" ends ", n - done, " bytes early");
      done += static_cast<std::size_t>(got);
    }
  }
  // The end is where libzip compares the check sum and the size.
  void finish() {
    std::uint8_t more = 0;
    const zip_int64_t got = ::zip_fread(file_.get(), &more, 1);
    if (got < 0) failed();
    if (got > 0) fail<FormatError>("npz", '"', name_, "\" is longer than the zip says");
  }

 private:
  [[noreturn]] void failed() {
    zip_failed(path_, join("member ", shown(name_.substr(path_.size() + 1)), ": "),
               ::zip_file_get_error(file_.get()));
  }

  const std::string& path_;
  std::string name_;
  std::uint64_t size_;
  ZipFile file_;
};

// Everything that the directory of the zip says, checked before anything is unpacked.
std::vector<Member> members_of(const std::string& path, zip_t* zip, std::uint64_t file_size,
                               std::uint64_t limit) {
  std::vector<Member> out;
  std::uint64_t packed = 0;
  std::uint64_t total = 0;
  const zip_int64_t count = ::zip_get_num_entries(zip, 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(std::max<zip_int64_t>(count, 0)); ++i) {
    zip_stat_t stat;
    if (::zip_stat_index(zip, i, 0, &stat) != 0) zip_failed(path, "", ::zip_get_error(zip));
    const std::string name = stat.name == nullptr ? "" : stat.name;
    if (!name.ends_with(kEnding)) refuse(path, "member ", shown(name), " is no .npy");
    if (stat.encryption_method != ZIP_EM_NONE) refuse(path, "member ", shown(name), " is encrypted");
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
      refuse(path, "member ", shown(name), " is packed with method ", stat.comp_method,
             "; Splot reads stored (0) and deflated (8)");
    }
    // Members that share bytes would unpack to more than the file's size allows.
    if (stat.comp_size > file_size - packed) refuse(path, "its members claim more bytes than the file has");
    packed += stat.comp_size;
    const std::uint64_t most =
        stat.comp_method == ZIP_CM_STORE ? stat.comp_size : stat.comp_size * kMostRatio;
    if (stat.size > most) {
      refuse(path, "member ", shown(name), " claims ", stat.size, " bytes; packed it has ", stat.comp_size,
             ", which can hold at most ", most);
    }
    if (stat.size > limit - total)
      refuse(path, "its members unpack to more than the limit of ", limit, " bytes");
    total += stat.size;
    out.push_back({i, name.substr(0, name.size() - kEnding.size()), stat.size});
  }
  return out;
}

TensorMap read_all(const std::string& path, ZipSource source, std::uint64_t file_size, std::uint64_t limit) {
  // libzip takes a file of no bytes for an empty zip.
  if (file_size < kEndRecord)
    refuse(path, "has ", file_size, " bytes; the end of a zip alone takes ", kEndRecord);
  zip_error_t error;
  ::zip_error_init(&error);
  Zip zip(::zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (zip == nullptr) {
    const std::unique_ptr<zip_error_t, void (*)(zip_error_t*)> end(&error, ::zip_error_fini);
    zip_failed(path, "is no sound zip: ", &error);
  }
  source.release();  // the zip's from here on
  if (file_size > std::numeric_limits<std::uint64_t>::max() / kMostRatio) refuse(path, "is too large");
  TensorMap out;
  for (const Member& member : members_of(path, zip.get(), file_size, limit)) {
    if (member.size > kTrustedBytes) {
      MemberSource trial(path, zip.get(), member);
      std::array<std::uint8_t, 1 << 16> scratch;
      for (std::uint64_t left = member.size; left > 0;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, scratch.size()));
        trial.read(scratch.data(), n);
        left -= n;
      }
      trial.finish();
    }
    MemberSource in(path, zip.get(), member);
    Tensor x = io::read_npy(in);
    in.finish();
    if (!out.emplace(member.name, std::move(x)).second) {
      refuse(path, "has the member ", shown(member.name + std::string(kEnding)), " twice");
    }
  }
  return out;
}

ZipSource memory_source(const void* bytes, std::size_t n) {
  zip_error_t error;
  ::zip_error_init(&error);
  ZipSource source(::zip_source_buffer_create(bytes, n, 0, &error));
  if (source == nullptr) throw std::bad_alloc();
  return source;
}

// Adds one array; `contents` must live until the zip is written.
void add_member(zip_t* zip, const std::string& name, const std::string& contents, NpzPacking packing) {
  require<ValueError>(name.find('\0') == std::string::npos, "npz", "the name ", shown(name),
                      " holds a zero byte");
  ZipSource source = memory_source(contents.data(), contents.size());
  const std::string file = name + std::string(kEnding);
  const zip_int64_t index = ::zip_file_add(zip, file.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    const zip_error_t* error = ::zip_get_error(zip);
    if (::zip_error_code_zip(error) == ZIP_ER_MEMORY) throw std::bad_alloc();
    fail<ValueError>("npz", "the name ", shown(name), " cannot be used; is it UTF-8?");
  }
  source.release();
  const auto at = static_cast<zip_uint64_t>(index);
  const zip_int32_t method = packing == NpzPacking::stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE;
  // The first moment that zip can tell (1980), so that the same arrays give the same bytes.
  constexpr zip_uint16_t kFirstDay = 0x21;
  if (::zip_set_file_compression(zip, at, method, 0) != 0 ||
      ::zip_file_set_dostime(zip, at, 0, kFirstDay, 0) != 0) {
    throw std::bad_alloc();  // the only way these can fail
  }
}

}  // namespace

TensorMap load_npz(const std::string& path, std::uint64_t limit) {
  const std::uint64_t size = InputFile(path).size();  // says well what is no file or may not be read
  zip_error_t error;
  ::zip_error_init(&error);
  ZipSource source(::zip_source_file_create(path.c_str(), 0, -1, &error));
  if (source == nullptr) throw std::bad_alloc();
  return read_all(path, std::move(source), size, limit);
}

TensorMap load_npz(std::span<const std::uint8_t> bytes, const std::string& name, std::uint64_t limit) {
  return read_all(name, memory_source(bytes.data(), bytes.size()), bytes.size(), limit);
}

void save_npz(const std::string& path, const TensorMap& arrays, NpzPacking packing) {
  zip_error_t error;
  ::zip_error_init(&error);
  ZipSource target = memory_source(nullptr, 0);
  ::zip_source_keep(target.get());  // one reference for the zip, one to read the result
  Zip zip(::zip_open_from_source(target.get(), ZIP_TRUNCATE, &error));
  if (zip == nullptr) {
    ::zip_source_free(target.get());
    throw std::bad_alloc();
  }
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  for (const auto& [name, x] : arrays) {
    std::string& member = contents.emplace_back(io::npy_header(x));
    const Tensor dense = contiguous(x);
    member.append(static_cast<const char*>(dense.raw()), io::byte_count(dense));
    add_member(zip.get(), name, member, packing);
  }
  if (::zip_close(zip.get()) != 0) {
    fail<ValueError>("npz", '"', path, "\": ", ::zip_strerror(zip.get()));
  }
  zip.release();
  OutputFile out(path);
  if (arrays.empty()) {
    // libzip writes nothing for an empty zip, NumPy its end record alone.
    out.write(std::string_view("PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22));
  } else {
    zip_stat_t stat;
    if (::zip_source_stat(target.get(), &stat) != 0 || ::zip_source_open(target.get()) != 0)
      throw std::bad_alloc();
    std::array<std::uint8_t, 1 << 16> piece;
    for (std::uint64_t left = stat.size; left > 0;) {
      const zip_int64_t got = ::zip_source_read(target.get(), piece.data(), piece.size());
      if (got <= 0) throw std::bad_alloc();
      out.write(piece.data(), static_cast<std::size_t>(got));
      left -= static_cast<std::uint64_t>(got);
    }
    ::zip_source_close(target.get());
  }
  out.commit();
}

}  // namespace splot
