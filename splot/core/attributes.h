// Attributes: the constants of one call of an op, a closed set of typed values.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "splot/core/dtype.h"
#include "splot/core/export.h"
#include "splot/core/ref.h"
#include "splot/core/shape.h"
#include "splot/core/small_vector.h"

namespace splot {

enum class AttrKind : std::uint8_t { boolean, integer, number, dtype, ints, text };

/// One attribute of an op: its name and the type of its value.
struct AttrSpec {
  std::string_view name;
  AttrKind kind = AttrKind::integer;
};

/// The attributes an op takes, in order. Part of an OpDef, so it can be a constant.
///
/// Threads: a constant.
class SPLOT_API AttrSchema {
 public:
  constexpr AttrSchema() = default;
  constexpr AttrSchema(std::initializer_list<AttrSpec> specs) {
    for (const AttrSpec& spec : specs) specs_[count_++] = spec;
  }
  constexpr std::size_t size() const { return count_; }
  constexpr const AttrSpec& operator[](std::size_t i) const { return specs_[i]; }

 private:
  AttrSpec specs_[6] = {};
  std::size_t count_ = 0;
};

using AttrValue = std::variant<bool, Index, double, DType, Ints, std::string>;

/// The values for one call, in the order of the op's schema. Immutable and cheap to copy.
///
///   Attrs a(sum_op.attrs, {Ints{0, 1}, true});
///   a.ints("axes") == Ints{0, 1};  a.flag("keepdim") == true
///
/// Threads: a value; many may read one object, or one change it.
class SPLOT_API Attrs {
 public:
  Attrs() = default;
  /// Throws ValueError when number or types of the values differ from the schema.
  Attrs(const AttrSchema& schema, std::initializer_list<AttrValue> values);
  Attrs(const AttrSchema& schema, std::span<const AttrValue> values);

  bool flag(std::string_view name) const { return get<bool>(name); }
  Index integer(std::string_view name) const { return get<Index>(name); }
  double number(std::string_view name) const { return get<double>(name); }
  DType dtype(std::string_view name) const { return get<DType>(name); }
  const Ints& ints(std::string_view name) const { return get<Ints>(name); }
  const std::string& text(std::string_view name) const { return get<std::string>(name); }

  std::size_t size() const { return block_ ? block_->values.size() : 0; }
  const AttrValue& operator[](std::size_t i) const { return block_->values[i]; }
  std::string_view name(std::size_t i) const { return (*block_->schema)[i].name; }

  std::size_t hash() const;
  /// "axes=[0, 1], keepdim=true"; parse() reads it back.
  std::string to_string() const;
  /// Throws FormatError when the text does not fit the schema.
  static Attrs parse(const AttrSchema& schema, std::string_view text);

  SPLOT_API friend bool operator==(const Attrs& a, const Attrs& b);

 private:
  struct Block : RefCounted {
    const AttrSchema* schema = nullptr;
    SmallVector<AttrValue, 4> values;
    static void destroy(Block* block) { delete block; }
  };

  template <typename T>
  const T& get(std::string_view name) const {
    return std::get<T>(find(name));
  }
  const AttrValue& find(std::string_view name) const;

  Ref<Block> block_;
};

}  // namespace splot
