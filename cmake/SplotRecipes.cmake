# recipes/*.toml become part of the command, so that `splot train mnist` works wherever it is installed.
file(GLOB recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/recipes/*.toml)
set(SPLOT_RECIPES "")
foreach(recipe ${recipes})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${recipe})
  get_filename_component(name ${recipe} NAME_WE)
  file(READ ${recipe} text)
  string(APPEND SPLOT_RECIPES "    {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/apps/cli/builtin_recipes.cpp.in ${PROJECT_BINARY_DIR}/generated/builtin_recipes.cpp
               @ONLY)
