#include "tests/support/zip_bytes.h"

#include <zlib.h>

#include "tests/support/gzip_bytes.h"

namespace splot::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put(Bytes& out, std::uint32_t value, int width) {
  for (int i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// The fields that a member's own header and its line in the directory share.
void put_facts(Bytes& out, const ZipMember& member, const Bytes& packed) {
  put(out, 20, 2);  // the version needed
  put(out, member.flags, 2);
  put(out, member.method.value_or(member.deflate ? 8 : 0), 2);
  put(out, 0x00210000, 4);  // 1980-01-01
  put(out,
      member.crc.value_or(
          static_cast<std::uint32_t>(crc32(0, member.data.data(), static_cast<uInt>(member.data.size())))),
      4);
  put(out, static_cast<std::uint32_t>(packed.size()), 4);
  put(out, member.size.value_or(static_cast<std::uint32_t>(member.data.size())), 4);
  put(out, static_cast<std::uint32_t>(member.name.size()), 2);
  put(out, 0, 2);  // no extra field
}

}  // namespace

Bytes zip_bytes(const std::vector<ZipMember>& members) {
  Bytes out;
  Bytes directory;
  for (const ZipMember& member : members) {
    const Bytes packed = member.deflate ? deflate_bytes(member.data) : member.data;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);  // made by
    put_facts(directory, member, packed);
    put(directory, 0, 2);  // no comment
    put(directory, 0, 2);  // the first disk
    put(directory, 0, 2);
    put(directory, 0, 4);
    put(directory, static_cast<std::uint32_t>(out.size()), 4);
    directory.insert(directory.end(), member.name.begin(), member.name.end());
    put(out, 0x04034b50, 4);
    put_facts(out, member, packed);
    out.insert(out.end(), member.name.begin(), member.name.end());
    out.insert(out.end(), packed.begin(), packed.end());
  }
  const auto begin = static_cast<std::uint32_t>(out.size());
  out.insert(out.end(), directory.begin(), directory.end());
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, static_cast<std::uint32_t>(members.size()), 2);
  put(out, static_cast<std::uint32_t>(members.size()), 2);
  put(out, static_cast<std::uint32_t>(directory.size()), 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace splot::test
