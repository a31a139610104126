#include "splot/core/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/core/internal/system_call.h"

namespace splot {
namespace {

[[noreturn]] void read_failed(const std::string& path, std::string_view what, int reason) {
  fail<IoError>("read", '"', path, "\" ", what, ": ", reason_text(reason));
}

// Linux writes at most 2 GiB at once; a smaller bound also keeps single calls short.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Not blocking, or a FIFO without a writer would hang here; for regular files it makes no difference.
  descriptor_ =
      again_when_interrupted([&] { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (descriptor_ < 0) read_failed(path_, "cannot be opened", errno);
  struct stat info = {};
  const int reason = ::fstat(descriptor_, &info) == 0 ? 0 : errno;
  if (reason != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor_);  // the destructor does not run when a constructor throws
    if (reason != 0) read_failed(path_, "cannot be examined", reason);
    fail<IoError>("read", '"', path_,
                  S_ISDIR(info.st_mode) ? "\" is a directory" : "\" is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

std::size_t InputFile::read(void* out, std::size_t n) {
  std::size_t done = 0;
  while (done < n) {
    const ssize_t got =
        ::read(descriptor_, static_cast<std::byte*>(out) + done, std::min(n - done, kMostAtOnce));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) read_failed(path_, "cannot be read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void InputFile::read_exactly(void* out, std::size_t n) {
  const std::size_t got = read(out, n);
  require<IoError>(got == n, "read", '"', path_, "\" ended ", n - got,
                   " bytes early; was it changed while it was read?");
}

void InputFile::seek(std::uint64_t position) {
  if (::lseek(descriptor_, static_cast<off_t>(position), SEEK_SET) < 0)
    read_failed(path_, "cannot be read", errno);
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), target_(path_) {
  // Through a symbolic link the file it points to is replaced, not the link.
  struct CallFree {
    void operator()(char* p) const { std::free(p); }
  };
  const std::unique_ptr<char, CallFree> real(::realpath(path_.c_str(), nullptr));
  if (real != nullptr) target_ = real.get();
  struct stat info = {};
  const bool exists = ::stat(target_.c_str(), &info) == 0;
  require<IoError>(!exists || S_ISREG(info.st_mode), "write", '"', path_,
                   S_ISDIR(info.st_mode) ? "\" is a directory" : "\" is not a regular file");
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = join(target_, ".new-", ::getpid(), '-', counter++);
    descriptor_ = again_when_interrupted(
        [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    give_up("cannot be created", reason);
  }
  // Who may read the file stays as it was. Where that is refused the file is written all the same.
  if (exists && ::fchmod(descriptor_, info.st_mode & 0777) != 0) errno = 0;
}

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void OutputFile::give_up(std::string_view what, int reason) {
  discard();
  fail<IoError>("write", '"', path_, "\" ", what, ": ", reason_text(reason));
}

void OutputFile::write(const void* bytes, std::size_t n) {
  require<IoError>(descriptor_ >= 0, "write", '"', path_, "\" is already closed");
  std::size_t done = 0;
  while (done < n) {
    const ssize_t put =
        ::write(descriptor_, static_cast<const std::byte*>(bytes) + done, std::min(n - done, kMostAtOnce));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) give_up("cannot be written", put < 0 ? errno : EIO);
    done += static_cast<std::size_t>(put);
  }
}

void OutputFile::commit() {
  require<IoError>(descriptor_ >= 0, "write", '"', path_, "\" is already closed");
  // The order matters: a name that reaches the disk before the bytes do is an empty file after a crash.
  if (again_when_interrupted([&] { return ::fsync(descriptor_); }) != 0) give_up("cannot be written", errno);
  // An interrupted close has closed, and a second one might hit a descriptor that is somebody else's by now.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) give_up("cannot be written", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("cannot be replaced", errno);
  temporary_.clear();
  const std::size_t slash = target_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : target_.substr(0, slash + 1);
  const int opened =
      again_when_interrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (opened < 0) return;  // a folder that may be written but not read: the rename stands, only later on disk
  const int reason = again_when_interrupted([&] { return ::fsync(opened); }) == 0 ? 0 : errno;
  ::close(opened);
  // Some file systems cannot sync a folder and say EINVAL.
  if (reason != 0 && reason != EINVAL)
    give_up("is written, but its folder cannot be put on the disk", reason);
}

std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t limit) {
  InputFile file(path);
  require<IoError>(file.size() <= limit, "read", '"', path, "\" has ", file.size(), " bytes; the limit is ",
                   limit);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  file.read_exactly(bytes.data(), bytes.size());
  return bytes;
}

void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  OutputFile out(path);
  out.write(bytes.data(), bytes.size());
  out.commit();
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile out(path);
  out.write(text);
  out.commit();
}

}  // namespace splot
