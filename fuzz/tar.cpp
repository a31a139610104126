// Tar archives, plain and packed: the bytes as they are, and again with every check sum made right.
#include "splot/data/tar.h"

#include "fuzz/fuzz.h"
#include "tests/support/tar_bytes.h"

namespace {

void read(splot::fuzz::Bytes bytes) {
  splot::fuzz::accept_errors([&] {
    const splot::TarArchive archive(splot::fuzz::as_file(bytes), {.unpacked_limit = 64 << 20});
    for (const splot::TarEntry& entry : archive.entries()) {
      splot::fuzz::expect(archive.read(entry).size() == entry.size, "a file of another size");
      splot::fuzz::expect(("/" + entry.name + "/").find("/../") == std::string::npos,
                          "a name that leads out");
      splot::fuzz::expect(!entry.name.empty() && entry.name[0] != '/', "an absolute name");
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size});
  std::vector<std::uint8_t> repaired(data, data + size);
  splot::test::repair_tar(repaired);
  read(repaired);
  return 0;
}
