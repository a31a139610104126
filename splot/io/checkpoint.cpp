#include "splot/io/checkpoint.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "splot/core/sha256.h"
#include "splot/io/internal/elements.h"
#include "splot/io/internal/safetensors_file.h"

namespace splot {
namespace {

constexpr std::size_t kDigits = 64;

// Where the digits of the hash stand in the header. Inside a name or a text the first quote would be written
// with a backslash in front, so this can only be the key and the beginning of its value.
std::size_t find_hash(std::string_view json) {
  const std::string key = join('"', kCheckpointHash, "\":\"");
  std::size_t at = json.find(key);
  while (at != std::string_view::npos && at > 0 && json[at - 1] == '\\') at = json.find(key, at + 1);
  if (at == std::string_view::npos || json.size() - at < key.size() + kDigits) return std::string_view::npos;
  return at + key.size();
}

// Hashes what passes.
class HashedSource final : public io::Source {
 public:
  HashedSource(io::Source& in, Sha256& hash) : in_(in), hash_(hash) {}
  const std::string& name() const override { return in_.name(); }
  std::uint64_t size() const override { return in_.size(); }
  void read(void* out, std::size_t n) override {
    in_.read(out, n);
    hash_.add(out, n);
  }

 private:
  io::Source& in_;
  Sha256& hash_;
};

TensorFile load_checked(io::Source& in) {
  safetensors::Head head = safetensors::read_head(in);
  const auto check = [&](bool condition, const auto&... parts) {
    if (!condition) fail<FormatError>("checkpoint", '"', in.name(), "\": ", parts...);
  };
  const auto stored = head.header.metadata.extract(kCheckpointHash);
  check(!stored.empty(), "has no ", kCheckpointHash, " in its metadata: no checkpoint, or a damaged one");
  const std::size_t at = find_hash(head.json);
  check(at != std::string::npos && stored.mapped().size() == kDigits, "is damaged: its ", kCheckpointHash,
        " is not written as Splot writes it");
  std::fill_n(head.json.begin() + static_cast<std::ptrdiff_t>(at), kDigits, '0');
  Sha256 hash;
  hash.add_number(head.json.size());
  hash.add(head.json);
  HashedSource rest(in, hash);
  TensorFile out = safetensors::read_body(rest, std::move(head.header));
  const std::string found = hash.hex();
  check(found == stored.mapped(), "is damaged: its SHA-256 is ", found, ", it should be ",
        safetensors::shown(stored.mapped()));
  return out;
}

}  // namespace

void save_checkpoint(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
  require<ValueError>(!metadata.contains(kCheckpointHash), "checkpoint", "the metadata cannot hold \"",
                      kCheckpointHash, "\": the hash of the file goes there");
  Metadata with_hash = metadata;
  with_hash.emplace(kCheckpointHash, std::string(kDigits, '0'));
  safetensors::Layout layout = safetensors::plan_file(tensors, with_hash);
  Sha256 hash;
  hash.add_number(layout.json.size());
  hash.add(layout.json);
  for (const auto* item : layout.order) {
    const Tensor dense = contiguous(item->second);
    hash.add(dense.raw(), io::byte_count(dense));
  }
  layout.json.replace(find_hash(layout.json), kDigits, hash.hex());
  safetensors::write_planned(path, layout);
}

TensorFile load_checkpoint(const std::string& path) {
  io::FileSource in(path);
  return load_checked(in);
}

TensorFile load_checkpoint(std::span<const std::uint8_t> bytes, const std::string& name) {
  io::MemorySource in(bytes, name);
  return load_checked(in);
}

}  // namespace splot
