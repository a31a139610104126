// Linked into a program, or preloaded into one: in both cases the loader finds these functions before those
// of the C library, which they call through dlsym().
#include "tests/faults/shim.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

namespace splot::test {
namespace {

// Who is at work in a folder is no part of what is written there.
constexpr std::string_view kLock = "/train.lock";

enum class Kind { none, reading, writing, folder };

struct State {
  std::mutex mutex;
  std::optional<Fault> fault;
  int calls = 0;
  int failed = 0;
  std::map<int, Kind> files;  // open descriptors inside the folder
};

State& state() {
  static State* const it = new State;  // never destroyed: files are closed after static objects are gone
  return *it;
}

// What the shim itself opens and writes, to take a snapshot, goes straight to the system.
thread_local bool inside = false;

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

int errno_of(std::string_view name) {
  if (name == "ENOSPC") return ENOSPC;
  if (name == "EIO") return EIO;
  if (name == "EINTR") return EINTR;
  if (name == "EACCES") return EACCES;
  if (name == "EDQUOT") return EDQUOT;
  std::abort();  // a test that asks for what there is not
}

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.find(".new-") == std::string::npos && '/' + name != kLock) {
      std::filesystem::copy_file(entry.path(), to + "/" + name);
    }
  }
}

void read_environment(State& s) {
  static std::once_flag once;
  std::call_once(once, [&] {
    const char* text = std::getenv("SPLOT_FAULT");
    if (text == nullptr) return;
    std::string part[6];
    int n = 0;
    for (const char* c = text; *c != '\0'; ++c) {
      if (*c == '|') {
        if (++n == 6) std::abort();
      } else {
        part[n] += *c;
      }
    }
    s.fault = Fault{.folder = part[0],
                    .call = part[1],
                    .failure = part[2],
                    .first = std::atoi(part[3].c_str()),
                    .period = std::atoi(part[4].c_str()),
                    .snapshot = part[5]};
  });
}

// What is to happen to this call: nothing, or the failure's name.
std::string next(std::string_view call) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.fault || s.fault->call != call) return {};
  const int past = ++s.calls - s.fault->first;
  if (past < 0 || (past > 0 && (s.fault->period == 0 || past % s.fault->period != 0))) return {};
  if (++s.failed == 1 && !s.fault->snapshot.empty()) {
    inside = true;
    copy_folder(s.fault->folder, s.fault->snapshot);
    inside = false;
  }
  if (s.fault->failure == "kill") ::kill(::getpid(), SIGKILL);
  return s.fault->failure;
}

bool in_folder(const char* path) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  read_environment(s);
  const std::string_view given = path;
  return s.fault && given.starts_with(s.fault->folder + "/") && !given.ends_with(kLock);
}

bool is_folder(const char* path) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!s.fault) return false;
  const std::string_view given = path;
  return given == s.fault->folder || given == s.fault->folder + "/";
}

Kind kind_of(int descriptor) {
  if (inside) return Kind::none;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const auto found = s.files.find(descriptor);
  return found == s.files.end() ? Kind::none : found->second;
}

int open_file(const char* name, const char* path, int flags, mode_t mode) {
  const auto open_it = real<int (*)(const char*, int, ...)>(name);
  if (inside) return open_it(path, flags, mode);
  const bool known = in_folder(path);
  const Kind kind = is_folder(path)            ? Kind::folder
                    : !known                   ? Kind::none
                    : (flags & O_CREAT) != 0   ? Kind::writing
                    : (flags & O_ACCMODE) == 0 ? Kind::reading
                                               : Kind::none;
  if (kind == Kind::writing || kind == Kind::reading) {
    const std::string failure = next(kind == Kind::writing ? "create" : "open_read");
    if (!failure.empty()) {
      errno = errno_of(failure);
      return -1;
    }
  }
  const int descriptor = open_it(path, flags, mode);
  if (descriptor >= 0 && kind != Kind::none) {
    const std::lock_guard lock(state().mutex);
    state().files[descriptor] = kind;
  }
  return descriptor;
}

}  // namespace

void set_fault(const Fault& fault) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.fault = fault;
  s.calls = s.failed = 0;
}

int clear_fault() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.fault.reset();
  return s.failed;
}

}  // namespace splot::test

using namespace splot::test;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_file("open", path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t n) {
  const auto write_it = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (kind_of(descriptor) != Kind::writing) return write_it(descriptor, bytes, n);
  const std::string failure = next("write");
  if (failure.empty()) return write_it(descriptor, bytes, n);
  if (failure == "short") return write_it(descriptor, bytes, n > 1 ? n / 2 : n);
  errno = errno_of(failure);
  return -1;
}

ssize_t read(int descriptor, void* bytes, size_t n) {
  const auto read_it = real<ssize_t (*)(int, void*, size_t)>("read");
  if (kind_of(descriptor) != Kind::reading) return read_it(descriptor, bytes, n);
  const std::string failure = next("read");
  if (failure.empty()) return read_it(descriptor, bytes, n);
  if (failure == "short") return read_it(descriptor, bytes, n > 1 ? n / 2 : n);
  errno = errno_of(failure);
  return -1;
}

int fsync(int descriptor) {
  const Kind kind = kind_of(descriptor);
  if (kind == Kind::writing || kind == Kind::folder) {
    const std::string failure = next(kind == Kind::writing ? "sync" : "sync_folder");
    if (!failure.empty()) {
      errno = errno_of(failure);
      return -1;
    }
    return 0;  // thousands of files that are gone a moment later need not reach a disk
  }
  return real<int (*)(int)>("fsync")(descriptor);
}

int close(int descriptor) {
  const Kind kind = kind_of(descriptor);
  std::string failure;
  if (kind != Kind::none) {
    {
      const std::lock_guard lock(state().mutex);
      state().files.erase(descriptor);
    }
    if (kind == Kind::writing) failure = next("close");
  }
  // As on Linux: closed even where an error is reported.
  const int result = real<int (*)(int)>("close")(descriptor);
  if (failure.empty()) return result;
  errno = errno_of(failure);
  return -1;
}

int rename(const char* from, const char* to) {
  if (!inside && in_folder(to)) {
    const std::string failure = next("rename");
    if (!failure.empty()) {
      errno = errno_of(failure);
      return -1;
    }
  }
  return real<int (*)(const char*, const char*)>("rename")(from, to);
}

}  // extern "C"
