#include "splot/data/gzip.h"

#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

#include "splot/core/error.h"
#include "splot/core/file.h"

namespace splot {

struct UnpackingReader::State {
  explicit State(const std::string& path) : file(path) {}
  ~State() {
    if (gzip) ::inflateEnd(&stream);
  }

  void refill() {
    begin = 0;
    end = file.read(buffer.data(), buffer.size());
    consumed += end;
  }
  [[noreturn]] void damaged(std::string_view what) const {
    fail<FormatError>("gzip", '"', file.path(), "\" at byte ", consumed - (end - begin), ": ", what);
  }

  InputFile file;
  std::array<std::uint8_t, 1 << 16> buffer;
  std::size_t begin = 0;  // of what is unused in the buffer
  std::size_t end = 0;
  std::uint64_t consumed = 0;  // bytes of the file that went into the buffer so far
  bool gzip = false;
  bool between_members = false;
  z_stream stream = {};
};

UnpackingReader::UnpackingReader(const std::string& path) : state_(std::make_unique<State>(path)) {
  State& s = *state_;
  s.refill();
  if (s.end < 2 || s.buffer[0] != 0x1f || s.buffer[1] != 0x8b) return;
  // 15: the largest window; + 16: gzip and nothing else.
  if (::inflateInit2(&s.stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  s.gzip = true;
}

UnpackingReader::~UnpackingReader() = default;

const std::string& UnpackingReader::path() const { return state_->file.path(); }
bool UnpackingReader::is_gzip() const { return state_->gzip; }

std::uint64_t UnpackingReader::most_bytes() const {
  const std::uint64_t size = state_->file.size();
  if (!state_->gzip) return size;
  return size > std::numeric_limits<std::uint64_t>::max() / 1032 ? std::numeric_limits<std::uint64_t>::max()
                                                                 : size * 1032;
}

std::size_t UnpackingReader::read(void* out, std::size_t n) {
  State& s = *state_;
  auto* to = static_cast<std::uint8_t*>(out);
  std::size_t done = 0;
  while (done < n) {
    if (s.begin == s.end) {
      s.refill();
      if (s.end == 0) {
        if (s.gzip && !s.between_members) s.damaged("the gzip stream is cut short");
        break;
      }
    }
    if (!s.gzip) {
      const std::size_t count = std::min(n - done, s.end - s.begin);
      std::copy_n(s.buffer.data() + s.begin, count, to + done);
      s.begin += count;
      done += count;
      continue;
    }
    if (s.between_members) {
      if (s.buffer[s.begin] != 0x1f) s.damaged("something other than gzip follows the gzip stream");
      ::inflateReset(&s.stream);
      s.between_members = false;
    }
    s.stream.next_in = s.buffer.data() + s.begin;
    s.stream.avail_in = static_cast<uInt>(s.end - s.begin);
    s.stream.next_out = to + done;
    const std::size_t room = std::min<std::size_t>(n - done, std::size_t{1} << 30);
    s.stream.avail_out = static_cast<uInt>(room);
    const int result = ::inflate(&s.stream, Z_NO_FLUSH);
    s.begin = s.end - s.stream.avail_in;
    done += room - s.stream.avail_out;
    if (result == Z_STREAM_END) {
      s.between_members = true;
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      s.damaged(s.stream.msg != nullptr ? s.stream.msg : "the gzip stream is damaged");
    }
  }
  return done;
}

std::uint64_t UnpackingReader::skip(std::uint64_t limit) {
  std::array<std::uint8_t, 1 << 14> scratch;
  std::uint64_t total = 0;
  while (total < limit) {
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(scratch.size(), limit - total));
    const std::size_t got = read(scratch.data(), want);
    total += got;
    if (got < want) break;
  }
  return total;
}

std::vector<std::uint8_t> read_unpacked(const std::string& path, std::uint64_t limit) {
  UnpackingReader reader(path);
  std::vector<std::uint8_t> out;
  std::array<std::uint8_t, 1 << 16> piece;
  for (;;) {
    const std::size_t got = reader.read(piece.data(), piece.size());
    require<IoError>(got <= limit - out.size(), "read", '"', path,
                     reader.is_gzip() ? "\" unpacks to" : "\" has", " more than the limit of ", limit,
                     " bytes");
    out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
    if (got < piece.size()) return out;
  }
}

}  // namespace splot
