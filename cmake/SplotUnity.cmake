# splot_compile_folders_as_one(TARGET FOLDER...): the sources of each folder, and of those inside it, become one
# compilation. Most of a compilation is reading the same headers and making the same inline functions again, so a
# clean build takes about half the time; a changed file costs its whole folder, which is why the preset dev goes
# file by file. Names in unnamed namespaces must differ within a folder: scripts/check_builds sees to it.
function(splot_compile_folders_as_one target)
  get_target_property(sources ${target} SOURCES)
  foreach(folder IN LISTS ARGN)
    set(members ${sources})
    list(FILTER members INCLUDE REGEX "^${PROJECT_SOURCE_DIR}/${folder}/.*\\.cpp$")
    string(MAKE_C_IDENTIFIER ${folder} group)
    set_source_files_properties(${members} PROPERTIES UNITY_GROUP ${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
