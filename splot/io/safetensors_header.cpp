#include "splot/io/internal/safetensors_header.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace splot::safetensors {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, kDTypeCount> kTypes = {{{"BOOL", kBool},
                                                                                 {"U8", kUInt8},
                                                                                 {"I32", kInt32},
                                                                                 {"I64", kInt64},
                                                                                 {"BF16", kBFloat16},
                                                                                 {"F32", kFloat32},
                                                                                 {"F64", kFloat64}}};

// Receives the header piece by piece. Nothing is built that was not asked for, so neither deep nesting nor a
// key that comes twice can slip through, as both would in a parsed tree.
class Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  struct Draft {
    std::string name;
    std::optional<DType> dtype;
    std::optional<std::vector<std::uint64_t>> shape;
    std::optional<std::vector<std::uint64_t>> offsets;
  };
  std::vector<Draft> drafts;
  Metadata metadata;

  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<FormatError>("safetensors", '"', path_, "\": ", parts...);
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::entry_value) {
      place_ = in_metadata_ ? Place::metadata : Place::field;
    } else {
      unexpected("an object");
    }
    return true;
  }
  bool end_object() override {
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }
  bool key(std::string& text) override {
    if (place_ == Place::top) {
      if (!names_.insert(text).second) refuse("the header has the name ", shown(text), " twice");
      in_metadata_ = text == "__metadata__";
      if (!in_metadata_) drafts.push_back({.name = text, .dtype = {}, .shape = {}, .offsets = {}});
      place_ = Place::entry_value;
    } else if (place_ == Place::metadata) {
      if (metadata.contains(text)) refuse("__metadata__ has the key ", shown(text), " twice");
      key_ = text;
      place_ = Place::metadata_value;
    } else {
      begin_field(text);
    }
    return true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::metadata_value) {
      metadata.emplace(key_, text);
      place_ = Place::metadata;
    } else if (place_ == Place::field_value && key_ == "dtype") {
      const auto found =
          std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.first == text; });
      if (found == kTypes.end()) {
        refuse(where(), "dtype ", shown(text), " is not one of BOOL, U8, I32, I64, BF16, F32, F64");
      }
      drafts.back().dtype = found->second;
      place_ = Place::field;
    } else {
      unexpected("a string");
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::field_value || key_ == "dtype") unexpected("a list");
    numbers_.clear();
    place_ = Place::list;
    return true;
  }
  bool end_array() override {
    (key_ == "shape" ? drafts.back().shape : drafts.back().offsets) = numbers_;
    place_ = Place::field;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::list) unexpected("a number");
    const std::size_t most = key_ == "shape" ? kMaxRank : 2;
    if (numbers_.size() == most) refuse(where(), key_, " has more than ", most, " numbers");
    numbers_.push_back(value);
    return true;
  }
  bool number_integer(number_integer_t value) override {
    if (place_ != Place::list) unexpected("a number");
    refuse(where(), key_, " holds ", value, "; only whole numbers from 0 make sense");
  }
  bool number_float(number_float_t, const string_t& text) override {
    if (place_ != Place::list) unexpected("a number");
    refuse(where(), key_, " holds ", shown(text), "; only whole numbers from 0 make sense");
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // The position counts from 1, and the header begins after the eight bytes of its length.
    refuse("the header is not JSON at byte ", position + 7);
  }

 private:
  enum class Place { start, top, entry_value, metadata, metadata_value, field, field_value, list, end };

  std::string where() const { return join("tensor ", shown(drafts.back().name), ": "); }

  void begin_field(const std::string& text) {
    const Draft& draft = drafts.back();
    const bool again = (text == "dtype" && draft.dtype) || (text == "shape" && draft.shape) ||
                       (text == "data_offsets" && draft.offsets);
    if (again) refuse(where(), text, " is there twice");
    if (text != "dtype" && text != "shape" && text != "data_offsets") {
      refuse(where(), "there is no key ", shown(text), "; there are dtype, shape and data_offsets");
    }
    key_ = text;
    place_ = Place::field_value;
  }

  [[noreturn]] void unexpected(std::string_view what) const {
    switch (place_) {
      case Place::start:
      case Place::end:
      case Place::top:
        refuse("the header must be an object, not ", what);
      case Place::entry_value:
        if (in_metadata_) refuse("__metadata__ must be an object, not ", what);
        refuse(where(), "must be an object, not ", what);
      case Place::metadata:
      case Place::metadata_value:
        refuse("__metadata__ ", shown(key_), " must be a string, not ", what);
      case Place::field:
      case Place::field_value:
        refuse(where(), key_,
               key_ == "dtype" ? " must be a string, not " : " must be a list of numbers, not ", what);
      case Place::list:
        break;
    }
    refuse(where(), key_, " must hold numbers, not ", what);
  }

  const std::string& path_;
  Place place_ = Place::start;
  bool in_metadata_ = false;
  std::string key_;
  std::vector<std::uint64_t> numbers_;
  std::set<std::string, std::less<>> names_;
};

Entry finish(const Reader& reader, const Reader::Draft& draft) {
  const std::string name = shown(draft.name);
  const char* missing = !draft.dtype     ? "dtype"
                        : !draft.shape   ? "shape"
                        : !draft.offsets ? "data_offsets"
                                         : nullptr;
  if (missing != nullptr) reader.refuse("tensor ", name, ": has no ", missing);
  if (draft.offsets->size() != 2) reader.refuse("tensor ", name, ": data_offsets needs 2 numbers");
  Entry entry{.name = draft.name,
              .dtype = *draft.dtype,
              .shape = {},
              .begin = (*draft.offsets)[0],
              .end = (*draft.offsets)[1]};
  Ints sizes;
  bool empty = false;
  for (const std::uint64_t size : *draft.shape) {
    if (size > INT64_MAX) reader.refuse("tensor ", name, ": a size of ", size, " is too large");
    sizes.push_back(static_cast<Index>(size));
    empty = empty || size == 0;
  }
  std::uint64_t bytes = entry.dtype.size();
  for (const std::uint64_t size : *draft.shape) {
    if (!empty && bytes > INT64_MAX / size) {
      reader.refuse("tensor ", name, ": shape ", sizes, " of ", type_name(entry.dtype), " is too large");
    }
    bytes = empty ? 0 : bytes * size;
  }
  entry.shape = Shape(sizes);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    reader.refuse("tensor ", name, ": shape ", sizes, " of ", type_name(entry.dtype), " needs ", bytes,
                  " bytes, data_offsets are ", entry.begin, " and ", entry.end);
  }
  return entry;
}

}  // namespace

std::string_view type_name(DType dtype) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.second == dtype; })
      ->first;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 80;
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + (text.size() > kMost ? "...\"" : "\"");
}

Header parse_header(const std::string& path, std::string_view json, std::uint64_t data_bytes) {
  Reader reader(path);
  if (json.empty() || json[0] != '{') reader.refuse("the header must begin with {");
  // The JSON reader takes a zero byte for the end and would not look at what follows it.
  const std::size_t zero = json.find('\0');
  if (zero != std::string_view::npos) reader.refuse("the header is not JSON at byte ", zero + 8);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  const std::size_t end = json.find_last_not_of(' ');
  if (json[end] != '}') reader.refuse("the header may be followed by blanks alone, not by byte ", end + 8);
  Header header;
  header.metadata = std::move(reader.metadata);
  header.entries.reserve(reader.drafts.size());
  for (const Reader::Draft& draft : reader.drafts) header.entries.push_back(finish(reader, draft));
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t position = 0;
  for (const Entry& entry : header.entries) {
    if (entry.begin != position) {
      reader.refuse("tensor ", shown(entry.name), ": data begin at ", entry.begin,
                    ", the data before them end at ", position);
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    reader.refuse("the tensors end at byte ", position, " of the data, the file has ", data_bytes);
  }
  return header;
}

}  // namespace splot::safetensors
