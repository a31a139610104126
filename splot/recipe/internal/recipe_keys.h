// The keys a recipe may have: one list from which reading, --set, writing, and the words of an error about an
// unknown key are made.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "splot/recipe/internal/toml_values.h"
#include "splot/recipe/recipe.h"

namespace splot::recipe_detail {

/// The largest number a recipe may give as the size of an axis.
inline constexpr Index kWidest = 1'000'000;

/// One key: how it is read into a T and written back. What is written empty is left out.
template <typename T>
struct Key {
  std::string name;
  std::function<void(T&, const Reading&)> read_into;
  std::function<std::string(const T&)> write_from;
};

/// In order: "title", "data.name", ... without lists of tables.
const std::vector<Key<Recipe>>& recipe_table();
/// Of one [[model.layers]], without the arguments of its type.
const std::vector<Key<LayerRecipe>>& layer_table();
/// Of one [[schedule.parts]].
const std::vector<Key<SchedulePart>>& part_table();
/// Of one [[data.transforms]].
const std::vector<Key<Transform>>& transform_table();

template <typename T>
const Key<T>* find(const std::vector<Key<T>>& table, std::string_view name) {
  for (const Key<T>& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace splot::recipe_detail
