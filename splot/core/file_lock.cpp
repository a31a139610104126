#include "splot/core/file_lock.h"

#include <array>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "splot/core/error.h"
#include "splot/core/internal/system_call.h"

namespace splot {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.fill('\0');
  return join("process ", ::getpid(), " on ", host.data());
}

// What the holder has written, as far as it can be printed.
std::string first_line(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  std::string out;
  for (ssize_t i = 0; i < got && text[static_cast<std::size_t>(i)] >= ' '; ++i)
    out += text[static_cast<std::size_t>(i)];
  return out;
}

}  // namespace

FileLock::FileLock(std::string path) : path_(std::move(path)) {
  // More than once only when it was removed just now; a file system that never knows a file again ends this.
  for (int attempts = 0; attempts < 100; ++attempts) {
    if (held()) close();
    open();
    const bool locked = again_when_interrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0;
    if (!locked && errno == EWOULDBLOCK) {
      holder_ = first_line(descriptor_);
      if (holder_.empty()) holder_ = "another process";
      close();
      return;
    }
    // Whoever held it when it was opened here may have ended since, and removed it.
    if (!locked || is_named_by_path()) break;
  }
  const std::string text = this_process() + '\n';
  // A full disk is no reason against the lock: it holds without a word.
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0) errno = 0;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  // Before it is let go: afterwards it may be somebody else's.
  if (is_named_by_path()) ::unlink(path_.c_str());
  close();
}

void FileLock::open() {
  const auto with = [&](int flags) {
    return again_when_interrupted(
        [&] { return ::open(path_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666); });
  };
  descriptor_ = with(O_RDWR | O_CREAT);
  const int reason = errno;
  // What another user has left may perhaps not be written to; that it is locked shows all the same.
  if (descriptor_ < 0 && reason == EACCES) descriptor_ = with(O_RDONLY);
  require<IoError>(descriptor_ >= 0, "write", '"', path_, "\" cannot be created: ", reason_text(reason));
}

bool FileLock::is_named_by_path() const {
  struct stat ours = {}, there = {};
  return ::fstat(descriptor_, &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void FileLock::close() { ::close(std::exchange(descriptor_, -1)); }

}  // namespace splot
