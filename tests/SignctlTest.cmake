# SPDX-License-Identifier: Apache-2.0
# signctl_test_folder(DIR): builds DIR/*_test.cpp into one Catch2 program and registers it. A DIR
# without tests is skipped. Labels are the folder path, for ctest -L.

# Assertions are many and run once.
if(NOT MSVC)
  set(SIGNCTL_TEST_OPTIONS -O0)
endif()

function(signctl_test_folder dir)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  if(NOT sources)
    return()
  endif()
  file(RELATIVE_PATH relative ${CMAKE_CURRENT_SOURCE_DIR} ${dir})
  string(REPLACE "/" "_" name test_${relative})
  add_executable(${name} ${sources})
  signctl_target_defaults(${name})
  signctl_precompile(${name} TESTS)
  target_compile_options(${name} PRIVATE ${SIGNCTL_TEST_OPTIONS})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE
    SIGNCTL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TARGET signctl_cli)
    target_compile_definitions(${name} PRIVATE SIGNCTL_BINARY="$<TARGET_FILE:signctl_cli>")
    add_dependencies(${name} signctl_cli)
  endif()
  target_link_libraries(${name} PRIVATE
    signctl_catch_main signctl_fakes signctl_test_support Catch2::Catch2)
  add_test(NAME ${relative} COMMAND ${name})
  # Begun in this order, so that no long one is left for the end, when the other processors are idle.
  set(cost 1)
  if(relative MATCHES "^(interop|contract|unit/(timestamp|net|core))$")
    set(cost 100)
  endif()
  set_tests_properties(${relative} PROPERTIES LABELS ${relative} TIMEOUT 900 COST ${cost})
endfunction()
