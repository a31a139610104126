# What a user's program needs: library, command, headers, recipes, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS splot EXPORT splotTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET splot_cli)
  # The command finds the library wherever the two are installed together.
  file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(splot_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS splot_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# internal/, the -inl.h files and elementwise.h need Highway; no other header may include them (scripts/check_includes).
install(DIRECTORY ${PROJECT_SOURCE_DIR}/splot ${PROJECT_BINARY_DIR}/include/splot
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.inc" PATTERN "*-inl.h" EXCLUDE PATTERN "internal" EXCLUDE
        PATTERN "backend/cpu/elementwise.h" EXCLUDE)
if(EXISTS ${PROJECT_SOURCE_DIR}/recipes)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/splot
          FILES_MATCHING PATTERN "*.toml")
endif()

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/splot)
install(EXPORT splotTargets NAMESPACE splot:: DESTINATION ${cmake_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/splotConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/splotConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/splotConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/splotConfig.cmake ${PROJECT_BINARY_DIR}/splotConfigVersion.cmake
        DESTINATION ${cmake_dir})

# The paths are relative to the .pc file, so that it stays right under `cmake --install --prefix` and after a move.
file(RELATIVE_PATH SPLOT_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH SPLOT_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH SPLOT_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(${PROJECT_SOURCE_DIR}/cmake/splot.pc.in ${PROJECT_BINARY_DIR}/splot.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/splot.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# What the command says about itself: completion for shells and manual pages.
if(TARGET splot_cli AND NOT CMAKE_CROSSCOMPILING)
  set(said ${PROJECT_BINARY_DIR}/generated/shell)
  add_custom_command(
    OUTPUT ${said}/splot ${said}/_splot ${said}/man/splot.1
    COMMAND ${CMAKE_COMMAND} -E make_directory ${said}/man
    COMMAND splot_cli completion bash > ${said}/splot
    COMMAND splot_cli completion zsh > ${said}/_splot
    COMMAND splot_cli man -o ${said}/man
    DEPENDS splot_cli
    VERBATIM)
  add_custom_target(splot_shell ALL DEPENDS ${said}/splot)
  install(FILES ${said}/splot DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${said}/_splot DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(DIRECTORY ${said}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
endif()
