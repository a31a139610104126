// IDX files.
#include "splot/data/idx.h"

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace splot;
  fuzz::accept_errors([&] {
    const Tensor x = read_idx(fuzz::as_file({data, size}));
    fuzz::expect(fuzz::byte_count(x) <= 1032 * size, "more elements than the file holds");
  });
  return 0;
}
