# SPDX-License-Identifier: Apache-2.0
# Installs the tool with its man page and completions, the library with its headers, and the CMake package
# (find_package(signctl)).

include(CMakePackageConfigHelpers)

if(TARGET signctl_cli)
  install(TARGETS signctl_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/docs/man/signctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  # The program writes them itself, which one for another system cannot do here.
  if(NOT CMAKE_CROSSCOMPILING)
    foreach(place bash:bash-completion/completions/signctl zsh:zsh/site-functions/_signctl
                  fish:fish/vendor_completions.d/signctl.fish)
      string(REGEX MATCH "^[a-z]+" shell ${place})
      string(REGEX REPLACE "^[a-z]+:" "" path ${place})
      set(file ${PROJECT_BINARY_DIR}/completions/${path})
      cmake_path(GET file PARENT_PATH folder)
      file(MAKE_DIRECTORY ${folder})
      add_custom_command(OUTPUT ${file} COMMAND signctl_cli completion ${shell} > ${file} DEPENDS signctl_cli VERBATIM)
      list(APPEND signctl_completions ${file})
    endforeach()
    add_custom_target(signctl_completions ALL DEPENDS ${signctl_completions})
    install(DIRECTORY ${PROJECT_BINARY_DIR}/completions/ DESTINATION ${CMAKE_INSTALL_DATADIR})
  endif()
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS signctl EXPORT signctl-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT signctl-targets NAMESPACE signctl::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/signctl)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/signctl-config.cmake.in
  ${PROJECT_BINARY_DIR}/signctl-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/signctl)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/signctl-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/signctl-config.cmake
  ${PROJECT_BINARY_DIR}/signctl-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/signctl)
