#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

namespace splot::fuzz {

std::string as_file(Bytes bytes) {
  static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  expect(descriptor >= 0 && ::ftruncate(descriptor, 0) == 0, "cannot make a file in memory");
  const ssize_t put = ::pwrite(descriptor, bytes.data(), bytes.size(), 0);
  expect(put == static_cast<ssize_t>(bytes.size()), "cannot write a file in memory");
  return "/proc/self/fd/" + std::to_string(descriptor);
}

}  // namespace splot::fuzz
