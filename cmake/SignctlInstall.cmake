# SPDX-License-Identifier: Apache-2.0
# Installs the tool, the library with its headers, and the CMake package (find_package(signctl)).

include(CMakePackageConfigHelpers)

if(TARGET signctl_cli)
  install(TARGETS signctl_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
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
