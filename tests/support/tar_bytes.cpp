#include "tests/support/tar_bytes.h"

#include <algorithm>
#include <cstdio>

namespace splot::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& block, std::size_t at, const std::string& text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string octal(std::size_t value, int digits) {
  char out[32];
  std::snprintf(out, sizeof out, "%0*zo", digits, value);
  return out;
}

// The sum of a header's bytes, its own field counted as blanks.
void set_check_sum(std::uint8_t* header) {
  std::fill(header + 148, header + 156, std::uint8_t{' '});
  std::size_t sum = 0;
  for (int i = 0; i < 512; ++i) sum += header[i];
  const std::string text = octal(sum, 6) + '\0' + ' ';
  std::copy(text.begin(), text.end(), header + 148);
}

}  // namespace

Bytes tar_file(const std::vector<TarItem>& items, int empty) {
  Bytes out;
  for (const TarItem& item : items) {
    Bytes header(512, 0);
    put(header, 0, item.name.substr(0, 100));
    put(header, 100, "0000644");
    put(header, 124, item.size.empty() ? octal(item.body.size(), 11) : item.size);
    header[156] = static_cast<std::uint8_t>(item.type);
    put(header, 257, item.magic);
    set_check_sum(header.data());
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), item.body.begin(), item.body.end());
    out.resize((out.size() + 511) / 512 * 512, 0);
  }
  out.resize(out.size() + static_cast<std::size_t>(empty) * 512, 0);
  return out;
}

void repair_tar(Bytes& file) {
  for (std::size_t at = 0; at + 512 <= file.size();) {
    set_check_sum(file.data() + at);
    std::size_t size = 0;
    for (std::size_t i = at + 124; i < at + 135; ++i) {
      if (file[i] >= '0' && file[i] <= '7') size = size * 8 + (file[i] - '0');
    }
    // All zeros: the end, which has no check sum.
    const auto first = file.begin() + static_cast<std::ptrdiff_t>(at);
    if (std::all_of(first, first + 148, [](std::uint8_t b) { return b == 0; })) {
      std::fill(first + 148, first + 156, std::uint8_t{0});
    }
    at += 512 + (size + 511) / 512 * 512;
  }
}

}  // namespace splot::test
