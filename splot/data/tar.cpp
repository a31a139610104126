// POSIX.1-2017, "pax", describes ustar and pax; the manual of GNU tar its long names (type L) and numbers
// with the highest bit set. An archive is a row of blocks of 512 bytes: a header, then the file filled up.
#include "splot/data/tar.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "splot/core/error.h"
#include "splot/core/file.h"
#include "splot/data/gzip.h"

namespace splot {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kLongestName = 4096;
constexpr std::uint64_t kLongestExtension = 64 * 1024;  // the text of a long name or of pax records

using Block = std::array<std::uint8_t, kBlock>;

std::uint64_t filled_up(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

}  // namespace

namespace data_detail {

// The archive from front to back. A plain file can jump over what is not wanted.
class TarInput {
 public:
  TarInput(const std::string& path, std::uint64_t limit) : limit_(limit) {
    auto packed = std::make_unique<UnpackingReader>(path);
    if (packed->is_gzip()) {
      packed_ = std::move(packed);
    } else {
      plain_.emplace(path);
    }
  }

  const std::string& path() const { return packed_ ? packed_->path() : plain_->path(); }
  bool packed() const { return packed_ != nullptr; }
  std::uint64_t position() const { return position_; }

  /// Up to n bytes; fewer only at the end.
  std::size_t read(void* out, std::size_t n) {
    const std::size_t got = packed_ ? packed_->read(out, n) : plain_->read(out, n);
    advance(got);
    return got;
  }
  /// False when the archive ends first.
  bool skip(std::uint64_t n) {
    if (!packed_) {
      if (n > plain_->size() - std::min(plain_->size(), position_)) return false;
      plain_->seek(position_ + n);
      position_ += n;
      return true;
    }
    const std::uint64_t got = packed_->skip(std::min(n, limit_ - position_ + 1));
    advance(got);
    return got == n;
  }
  /// Of a plain archive, wherever the walk stands.
  void read_at(std::uint64_t offset, std::vector<std::uint8_t>& out) {
    plain_->seek(offset);
    plain_->read_exactly(out.data(), out.size());
  }
  /// So that the check sum at the end of a gzip stream is looked at.
  void drain() {
    if (packed_) advance(packed_->skip(limit_ - position_ + 1));
  }

 private:
  void advance(std::uint64_t n) {
    position_ += n;
    require<IoError>(!packed_ || position_ <= limit_, "tar", '"', path(), "\" unpacks to more than ", limit_,
                     " bytes; a plain .tar of any size is read where it lies");
  }

  std::unique_ptr<UnpackingReader> packed_;
  std::optional<InputFile> plain_;
  std::uint64_t limit_;
  std::uint64_t position_ = 0;
};

// Files of a packed archive one after the other, in few pieces of memory.
class Bodies {
 public:
  /// Room for n bytes, which stays where it is.
  std::uint8_t* add(std::size_t n) {
    if (pieces_.empty() || n > pieces_.back().capacity() - pieces_.back().size()) {
      pieces_.emplace_back();
      pieces_.back().reserve(std::max(n, std::size_t{1} << 20));
    }
    std::vector<std::uint8_t>& piece = pieces_.back();
    const std::size_t at = piece.size();
    piece.resize(at + n);
    return piece.data() + at;
  }

 private:
  std::vector<std::vector<std::uint8_t>> pieces_;
};

}  // namespace data_detail

namespace {

using data_detail::Bodies;
using data_detail::TarInput;

// Reads headers one after the other and refuses what a file of pictures has no reason to hold.
class TarWalk {
 public:
  TarWalk(TarInput& input) : input_(input) {}

  /// The next file, the input standing at its first byte; nothing at the end.
  std::optional<TarEntry> next();

 private:
  template <typename... Parts>
  void expect(bool condition, const Parts&... parts) const {
    if (condition) [[likely]] {
      return;
    }
    const std::string entry = name_.empty() ? std::string() : join('"', name_, "\": ");
    fail<FormatError>("tar", '"', input_.path(), "\" at byte ", header_at_, ": ", entry, parts...);
  }

  bool read_header();
  std::uint64_t number(std::size_t at, std::size_t width, const char* what) const;
  void check_sum() const;
  std::string text(std::size_t at, std::size_t width) const;
  std::string name_in_header() const;
  std::string extension(std::uint64_t size);
  void read_pax(const std::string& records);
  std::string sound_name() const;

  TarInput& input_;
  Block header_{};
  std::uint64_t header_at_ = 0;
  std::string name_;                      // of the entry that is being read
  std::optional<std::string> long_name_;  // said before its header
  std::optional<std::uint64_t> long_size_;
};

bool TarWalk::read_header() {
  header_at_ = input_.position();
  name_.clear();
  const std::size_t got = input_.read(header_.data(), header_.size());
  expect(got == header_.size(), "the archive is cut short: it ends without an empty block");
  if (std::all_of(header_.begin(), header_.end(), [](std::uint8_t b) { return b == 0; })) return false;
  check_sum();
  return true;
}

std::string TarWalk::text(std::size_t at, std::size_t width) const {
  const auto* first = reinterpret_cast<const char*>(header_.data() + at);
  return {first, ::strnlen(first, width)};
}

// Octal digits, or with the highest bit set a binary number.
std::uint64_t TarWalk::number(std::size_t at, std::size_t width, const char* what) const {
  if (header_[at] & 0x80) {
    expect(header_[at] == 0x80, what, " is negative or has more than 64 bits");
    std::uint64_t out = 0;
    for (std::size_t i = at + 1; i < at + width; ++i) {
      expect(out >> 55 == 0, what, " has more than 63 bits");
      out = out << 8 | header_[i];
    }
    return out;
  }
  std::uint64_t out = 0;
  bool ended = false;
  bool begun = false;
  for (std::size_t i = at; i < at + width; ++i) {
    const std::uint8_t c = header_[i];
    if (c == ' ' || c == 0) {
      ended = begun;
      continue;
    }
    expect(c >= '0' && c <= '7' && !ended, what, " is no octal number");
    begun = true;
    out = out * 8 + (c - '0');  // 12 digits at most: 36 bits
  }
  expect(begun, what, " is missing");
  return out;
}

void TarWalk::check_sum() const {
  constexpr std::size_t kAt = 148, kWidth = 8;
  // Old programs added the bytes up as signed ones.
  std::int64_t sum = 0, signed_sum = 0;
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const std::uint8_t byte = i >= kAt && i < kAt + kWidth ? ' ' : header_[i];
    sum += byte;
    signed_sum += static_cast<std::int8_t>(byte);
  }
  const auto said = static_cast<std::int64_t>(number(kAt, kWidth, "the check sum"));
  expect(said == sum || said == signed_sum,
         "the check sum is wrong: this is no tar archive, or it is damaged");
}

std::string TarWalk::name_in_header() const {
  const std::string prefix = std::memcmp(header_.data() + 257, "ustar", 6) == 0 ? text(345, 155) : "";
  return prefix.empty() ? text(0, 100) : prefix + '/' + text(0, 100);
}

// The body of a header that says something about the next one.
std::string TarWalk::extension(std::uint64_t size) {
  expect(size <= kLongestExtension, "a long name or its like of ", size, " bytes");
  std::string out(static_cast<std::size_t>(filled_up(size)), '\0');
  expect(input_.read(out.data(), out.size()) == out.size(), "the archive is cut short inside a long name");
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// Records "LENGTH KEY=VALUE\n"; LENGTH counts itself.
void TarWalk::read_pax(const std::string& records) {
  for (std::size_t at = 0; at < records.size();) {
    std::size_t digits = at;
    std::uint64_t length = 0;
    while (digits < records.size() && digits - at < 7 && records[digits] >= '0' && records[digits] <= '9') {
      length = 10 * length + static_cast<std::uint64_t>(records[digits++] - '0');
    }
    expect(digits > at && digits < records.size() && records[digits] == ' ' && length > digits - at + 1 &&
               length <= records.size() - at && records[at + length - 1] == '\n',
           "damaged pax records");
    const std::string_view record(records.data() + digits + 1, at + length - 1 - (digits + 1));
    const std::size_t equals = record.find('=');
    expect(equals != std::string_view::npos, "damaged pax records");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    expect(!key.starts_with("GNU.sparse"), "a sparse file");
    if (key == "path") long_name_ = std::string(value);
    if (key == "size") {
      expect(!value.empty() && value.size() <= 18 &&
                 std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }),
             "a size that is no number");
      long_size_ = std::stoull(std::string(value));
    }
    at += length;
  }
}

// name_ without "./" and the like.
std::string TarWalk::sound_name() const {
  expect(name_.size() <= kLongestName, "the name has more than ", kLongestName, " bytes");
  expect(name_.find('\0') == std::string::npos, "the name has a zero byte in it");
  expect(!name_.starts_with('/'), "the name is absolute");
  std::string out;
  for (std::size_t at = 0; at <= name_.size();) {
    const std::size_t end = std::min(name_.find('/', at), name_.size());
    const std::string_view part(name_.data() + at, end - at);
    expect(part != "..", "the name leads out of the archive");
    if (!part.empty() && part != ".") out.append(out.empty() ? "" : "/").append(part);
    at = end + 1;
  }
  return out;
}

const char* kind_of(char type) {
  switch (type) {
    case '1':
      return "a hard link";
    case '2':
      return "a symbolic link";
    case '3':
    case '4':
      return "a device";
    case '6':
      return "a pipe";
    case 'S':
      return "a sparse file";
    default:
      return "of a type that is not known";
  }
}

std::optional<TarEntry> TarWalk::next() {
  while (read_header()) {
    const char type = static_cast<char>(header_[156]);
    name_ = name_in_header();
    std::uint64_t size = number(124, 12, "the size");
    if (type == 'L' || type == 'x' || type == 'g' || type == 'K') {
      const std::string body = extension(size);
      if (type == 'L') long_name_ = body.substr(0, body.find('\0'));
      if (type == 'x') read_pax(body);
      continue;  // K: the target of a link, which will be refused; g: nothing that would matter here
    }
    if (long_name_) name_ = *std::exchange(long_name_, std::nullopt);
    if (long_size_) size = *std::exchange(long_size_, std::nullopt);
    const bool file = type == '0' || type == 0 || type == '7';
    const bool folder = type == '5' || (file && name_.ends_with('/'));
    expect(file || folder, "is ", kind_of(type), "; only files and folders are read");
    TarEntry out{sound_name(), input_.position(), size};
    if (folder) {
      expect(size == 0, "a folder of ", size, " bytes");
      continue;
    }
    expect(!out.name.empty(), "a file without a name");
    return out;
  }
  return std::nullopt;
}

}  // namespace

struct TarArchive::State {
  State(const std::string& path, const TarOptions& given)
      : options(given), input(path, given.unpacked_limit) {}

  void list();
  void keep(const TarEntry& entry);
  void index();

  TarOptions options;
  TarInput input;
  std::vector<TarEntry> entries;
  std::unordered_map<std::string_view, std::size_t> by_name;
  Bodies bodies;                           // of a packed archive
  std::vector<const std::uint8_t*> first;  // where each file is in them
  std::mutex mutex;                        // one reads from a plain archive at a time
};

// Of a plain archive the file is jumped over, of a packed one it is kept.
void TarArchive::State::keep(const TarEntry& entry) {
  const auto cut_short = [&] {
    fail<FormatError>("tar", '"', input.path(), "\" at byte ", entry.offset, ": \"", entry.name, "\" has ",
                      entry.size, " bytes, the archive ends before them");
  };
  if (entry.size > std::uint64_t{1} << 62) cut_short();
  if (!input.packed()) {
    if (!input.skip(filled_up(entry.size))) cut_short();
    return;
  }
  require<IoError>(entry.size <= options.unpacked_limit - input.position(), "tar", '"', input.path(),
                   "\": \"", entry.name, "\" has ", entry.size, " bytes, and the archive may unpack to ",
                   options.unpacked_limit, "; a plain .tar of any size is read where it lies");
  std::uint8_t* to = bodies.add(static_cast<std::size_t>(entry.size));
  if (input.read(to, static_cast<std::size_t>(entry.size)) != entry.size) cut_short();
  if (!input.skip(filled_up(entry.size) - entry.size)) cut_short();
  first.push_back(to);
}

void TarArchive::State::list() {
  TarWalk walk(input);
  while (std::optional<TarEntry> entry = walk.next()) {
    keep(*entry);
    entries.push_back(std::move(*entry));
  }
  input.drain();
}

void TarArchive::State::index() {
  by_name.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    require<FormatError>(by_name.emplace(entries[i].name, i).second, "tar", '"', input.path(), "\" at byte ",
                         entries[i].offset, ": \"", entries[i].name, "\": the name occurs twice");
  }
}

TarArchive::TarArchive(const std::string& path, const TarOptions& options)
    : state_(std::make_unique<State>(path, options)) {
  state_->list();
  state_->index();
}

TarArchive::~TarArchive() = default;

const std::string& TarArchive::path() const { return state_->input.path(); }

const std::vector<TarEntry>& TarArchive::entries() const { return state_->entries; }

const TarEntry* TarArchive::find(std::string_view name) const {
  const auto found = state_->by_name.find(name);
  return found == state_->by_name.end() ? nullptr : &state_->entries[found->second];
}

std::vector<std::uint8_t> TarArchive::read(const TarEntry& entry) const {
  const auto found = state_->by_name.find(entry.name);
  require<ValueError>(found != state_->by_name.end(), "tar", '"', path(), "\" has no file \"", entry.name,
                      '"');
  const TarEntry& ours = state_->entries[found->second];
  require<FormatError>(ours.size <= state_->options.file_limit, "tar", '"', path(), "\": \"", ours.name,
                       "\" has ", ours.size, " bytes, more than the limit of ", state_->options.file_limit);
  const auto size = static_cast<std::size_t>(ours.size);
  if (state_->input.packed()) return {state_->first[found->second], state_->first[found->second] + size};
  std::vector<std::uint8_t> out(size);
  const std::lock_guard lock(state_->mutex);
  state_->input.read_at(ours.offset, out);
  return out;
}

}  // namespace splot
