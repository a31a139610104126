#include "splot/core/attributes.h"

#include <charconv>
#include <cstdlib>
#include <functional>

namespace splot {
namespace {

constexpr const char* kKindNames[] = {"bool", "integer", "number", "dtype", "list of integers", "text"};

AttrKind kind_of(const AttrValue& value) { return static_cast<AttrKind>(value.index()); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string print(const AttrValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out;
  std::visit([&](const auto& v) { message::append(out, v); }, value);
  return out;
}

// Reads "name=value, name=value" from the front of what is left.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  void expect(std::string_view word) {
    skip_blanks();
    require<FormatError>(left_.starts_with(word), "attributes", "expected \"", word, "\" at \"", left_, '"');
    left_.remove_prefix(word.size());
  }
  bool done() {
    skip_blanks();
    return left_.empty();
  }
  AttrValue value(AttrKind kind) {
    skip_blanks();
    switch (kind) {
      case AttrKind::boolean: {
        const std::string_view found = word();
        require<FormatError>(found == "true" || found == "false", "attributes", "not a bool: ", found);
        return found == "true";
      }
      case AttrKind::integer:
        return number<Index>();
      case AttrKind::number:
        return number<double>();
      case AttrKind::dtype: {
        const std::string_view found = word();
        const auto dtype = DType::parse(found);
        require<FormatError>(dtype.has_value(), "attributes", "not a dtype: ", found);
        return *dtype;
      }
      case AttrKind::ints:
        return list();
      case AttrKind::text:
        break;
    }
    return text();
  }

 private:
  void skip_blanks() {
    while (!left_.empty() && left_.front() == ' ') left_.remove_prefix(1);
  }
  std::string_view word() {
    const std::string_view found = left_.substr(0, left_.find_first_of(", ]"));
    left_.remove_prefix(found.size());
    return found;
  }
  template <typename T>
  T number() {
    T value{};
    const auto result = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    require<FormatError>(result.ec == std::errc(), "attributes", "not a number: ", left_);
    left_.remove_prefix(static_cast<std::size_t>(result.ptr - left_.data()));
    return value;
  }
  Ints list() {
    Ints values;
    expect("[");
    skip_blanks();
    if (left_.starts_with(']')) {
      left_.remove_prefix(1);
      return values;
    }
    for (;;) {
      skip_blanks();
      values.push_back(number<Index>());
      skip_blanks();
      if (left_.starts_with(']')) break;
      expect(",");
    }
    left_.remove_prefix(1);
    return values;
  }
  std::string text() {
    expect("\"");
    std::string out;
    while (!left_.empty() && left_.front() != '"') {
      if (left_.front() == '\\') left_.remove_prefix(1);
      require<FormatError>(!left_.empty(), "attributes", "a text ends in the middle");
      out += left_.front();
      left_.remove_prefix(1);
    }
    expect("\"");
    return out;
  }

  std::string_view left_;
};

}  // namespace

Attrs::Attrs(const AttrSchema& schema, std::initializer_list<AttrValue> values)
    : Attrs(schema, std::span<const AttrValue>(values.begin(), values.size())) {}

Attrs::Attrs(const AttrSchema& schema, std::span<const AttrValue> values) {
  require<ValueError>(values.size() == schema.size(), "attributes", "got ", values.size(), " values for ",
                      schema.size(), " attributes");
  if (values.empty()) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    require<ValueError>(kind_of(values[i]) == schema[i].kind, "attributes", schema[i].name, " is a ",
                        kKindNames[static_cast<int>(schema[i].kind)], ", got a ",
                        kKindNames[values[i].index()]);
  }
  block_ = Ref<Block>(new Block);
  block_->schema = &schema;
  block_->values = SmallVector<AttrValue, 4>(values);
}

const AttrValue& Attrs::find(std::string_view name) const {
  // The name asked for is mostly the very text of the schema's: equal literals are one in a linked library.
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view known = (*block_->schema)[i].name;
    if (known.data() == name.data() && known.size() == name.size()) return block_->values[i];
  }
  for (std::size_t i = 0; i < count; ++i) {
    if ((*block_->schema)[i].name == name) return block_->values[i];
  }
  fail<ValueError>("attributes", "there is no attribute \"", name, "\" among: ", to_string());
}

std::size_t Attrs::hash() const { return std::hash<std::string>()(to_string()); }

std::string Attrs::to_string() const {
  std::string out;
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != 0) out += ", ";
    out += name(i);
    out += '=';
    out += print((*this)[i]);
  }
  return out;
}

Attrs Attrs::parse(const AttrSchema& schema, std::string_view text) {
  Reader reader(text);
  SmallVector<AttrValue, 4> values;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (i != 0) reader.expect(",");
    reader.expect(schema[i].name);
    reader.expect("=");
    values.push_back(reader.value(schema[i].kind));
  }
  require<FormatError>(reader.done(), "attributes", "text behind the last attribute in \"", text, '"');
  return Attrs(schema, std::span<const AttrValue>(values));
}

bool operator==(const Attrs& a, const Attrs& b) {
  if (a.block_ == b.block_) return true;
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.name(i) != b.name(i) || a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace splot
