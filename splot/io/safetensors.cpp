#include "splot/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include <nlohmann/json.hpp>

#include "splot/core/file.h"
#include "splot/core/sha256.h"
#include "splot/io/internal/safetensors_header.h"

namespace splot {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are stored as they lie in memory");

using safetensors::Entry;
using safetensors::kMaxHeader;
using safetensors::shown;
using safetensors::type_name;

std::size_t byte_count(const Tensor& x) { return static_cast<std::size_t>(x.numel()) * x.dtype().size(); }

void check_bools(const std::string& path, const Entry& entry, const Tensor& x) {
  const auto* byte = static_cast<const std::uint8_t*>(x.raw());
  for (Index i = 0; i < x.numel(); ++i) {
    require<FormatError>(byte[i] <= 1, "safetensors", '"', path, "\": tensor ", shown(entry.name),
                         ": BOOL number ", i, " is ", byte[i], ", neither 0 nor 1");
  }
}

}  // namespace

TensorFile load_safetensors(const std::string& path) {
  InputFile file(path);
  const auto check = [&](bool condition, const auto&... parts) {
    if (!condition) fail<FormatError>("safetensors", '"', path, "\": ", parts...);
  };
  check(file.size() >= 8, "has ", file.size(), " bytes; the length of the header alone takes 8");
  std::uint64_t length = 0;
  file.read_exactly(&length, 8);
  check(length <= kMaxHeader, "the header claims ", length, " bytes; the limit is ", kMaxHeader);
  check(length <= file.size() - 8, "the header claims ", length, " bytes, the file has ", file.size() - 8,
        " left");
  std::string json(static_cast<std::size_t>(length), '\0');
  file.read_exactly(json.data(), json.size());
  safetensors::Header header = safetensors::parse_header(path, json, file.size() - 8 - length);

  TensorFile out;
  out.metadata = std::move(header.metadata);
  for (const Entry& entry : header.entries) {  // in the order of the file, so there is nothing to seek
    const Tensor x = Tensor::empty(entry.shape, entry.dtype);
    file.read_exactly(x.impl()->storage->data(), byte_count(x));
    if (x.dtype() == kBool) check_bools(path, entry, x);
    out.tensors.emplace(entry.name, x);
  }
  return out;
}

void save_safetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
  std::vector<const TensorMap::value_type*> order;
  for (const auto& item : tensors) {
    require<ValueError>(item.second.defined(), "safetensors", "tensor ", shown(item.first), " is undefined");
    require<ValueError>(item.first != "__metadata__", "safetensors",
                        "no tensor can be called \"__metadata__\"");
    order.push_back(&item);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->second.dtype().size() > b->second.dtype().size();
  });
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t position = 0;
  for (const auto* item : order) {
    const Tensor& x = item->second;
    const std::size_t end = position + byte_count(x);
    header[item->first] = {{"dtype", type_name(x.dtype())},
                           {"shape", std::vector<Index>(x.shape().begin(), x.shape().end())},
                           {"data_offsets", {position, end}}};
    position = end;
  }
  std::string json;
  try {
    json = header.dump();
  } catch (const nlohmann::json::exception&) {
    fail<ValueError>("safetensors", "a name or the metadata are not UTF-8");
  }
  json.append((8 - json.size() % 8) % 8, ' ');
  require<ValueError>(json.size() <= kMaxHeader, "safetensors", "the header would have ", json.size(),
                      " bytes; the limit is ", kMaxHeader);
  const std::uint64_t length = json.size();
  OutputFile out(path);
  out.write(&length, 8);
  out.write(json);
  for (const auto* item : order) {
    const Tensor dense = contiguous(item->second);
    out.write(dense.raw(), byte_count(dense));
  }
  out.commit();
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
