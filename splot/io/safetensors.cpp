#include "splot/io/safetensors.h"

#include <algorithm>
#include <bit>

#include <nlohmann/json.hpp>

#include "splot/core/file.h"
#include "splot/core/sha256.h"
#include "splot/io/internal/elements.h"
#include "splot/io/internal/safetensors_file.h"

namespace splot {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are stored as they lie in memory");

using io::byte_count;
using safetensors::shown;
using safetensors::type_name;

TensorFile load(io::Source& in) {
  safetensors::Head head = safetensors::read_head(in);
  return safetensors::read_body(in, std::move(head.header));
}

}  // namespace

namespace safetensors {

Head read_head(io::Source& in) {
  const auto check = [&](bool condition, const auto&... parts) {
    if (!condition) fail<FormatError>("safetensors", '"', in.name(), "\": ", parts...);
  };
  check(in.size() >= 8, "has ", in.size(), " bytes; the length of the header alone takes 8");
  std::uint64_t length = 0;
  in.read(&length, 8);
  check(length <= kMaxHeader, "the header claims ", length, " bytes; the limit is ", kMaxHeader);
  check(length <= in.size() - 8, "the header claims ", length, " bytes, the file has ", in.size() - 8,
        " left");
  Head head;
  head.json.resize(static_cast<std::size_t>(length));
  in.read(head.json.data(), head.json.size());
  head.header = parse_header(in.name(), head.json, in.size() - 8 - length);
  return head;
}

TensorFile read_body(io::Source& in, Header header) {
  TensorFile out;
  out.metadata = std::move(header.metadata);
  for (const Entry& entry : header.entries) {  // in the order of the file, so there is nothing to seek
    const Tensor x = Tensor::empty(entry.shape, entry.dtype);
    in.read(x.impl()->storage->data(), byte_count(x));
    io::check_bools(x, "safetensors", '"', in.name(), "\": tensor ", shown(entry.name), ": ");
    out.tensors.emplace(entry.name, x);
  }
  return out;
}

Layout plan_file(const TensorMap& tensors, const Metadata& metadata) {
  Layout out;
  for (const auto& item : tensors) {
    require<ValueError>(item.second.defined(), "safetensors", "tensor ", shown(item.first), " is undefined");
    require<ValueError>(item.first != "__metadata__", "safetensors",
                        "no tensor can be called \"__metadata__\"");
    out.order.push_back(&item);
  }
  std::stable_sort(out.order.begin(), out.order.end(), [](const auto* a, const auto* b) {
    return a->second.dtype().size() > b->second.dtype().size();
  });
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t position = 0;
  for (const auto* item : out.order) {
    const Tensor& x = item->second;
    const std::size_t end = position + byte_count(x);
    header[item->first] = {{"dtype", type_name(x.dtype())},
                           {"shape", std::vector<Index>(x.shape().begin(), x.shape().end())},
                           {"data_offsets", {position, end}}};
    position = end;
  }
  try {
    out.json = header.dump();
  } catch (const nlohmann::json::exception&) {
    fail<ValueError>("safetensors", "a name or the metadata are not UTF-8");
  }
  out.json.append((8 - out.json.size() % 8) % 8, ' ');
  require<ValueError>(out.json.size() <= kMaxHeader, "safetensors", "the header would have ", out.json.size(),
                      " bytes; the limit is ", kMaxHeader);
  return out;
}

void write_planned(const std::string& path, const Layout& layout) {
  const std::uint64_t length = layout.json.size();
  OutputFile out(path);
  out.write(&length, 8);
  out.write(layout.json);
  for (const auto* item : layout.order) {
    const Tensor dense = contiguous(item->second);
    out.write(dense.raw(), byte_count(dense));
  }
  out.commit();
}

}  // namespace safetensors

TensorFile load_safetensors(const std::string& path) {
  io::FileSource in(path);
  return load(in);
}

TensorFile load_safetensors(std::span<const std::uint8_t> bytes, const std::string& name) {
  io::MemorySource in(bytes, name);
  return load(in);
}

void save_safetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
  safetensors::write_planned(path, safetensors::plan_file(tensors, metadata));
}

std::string weights_sha256(const TensorMap& tensors) {
  Sha256 hash;
  const auto add_text = [&](std::string_view text) {
    hash.add_number(text.size());
    hash.add(text);
  };
  for (const auto& [name, x] : tensors) {
    require<ValueError>(x.defined(), "weights_sha256", "tensor ", shown(name), " is undefined");
    add_text(name);
    add_text(type_name(x.dtype()));
    hash.add_number(static_cast<std::uint64_t>(x.rank()));
    for (const Index size : x.shape()) hash.add_number(static_cast<std::uint64_t>(size));
    const Tensor dense = contiguous(x);
    hash.add(dense.raw(), byte_count(dense));
  }
  return hash.hex();
}

}  // namespace splot
