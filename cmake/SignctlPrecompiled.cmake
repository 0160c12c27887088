# SPDX-License-Identifier: Apache-2.0
# signctl_precompile(TARGET [TESTS]): with SIGNCTL_PCH, begins TARGET's sources with headers that are
# read once for all, precompiled.hpp; for tests also those of tests/precompiled.hpp. Halves the time that
# Clang takes. Off unless asked for: a build without it is what shows that a file includes what it uses.

# A target that owns the precompiled header: code for libraries and for programs cannot share one.
function(signctl_precompiled_header owner pic options)
  if(TARGET ${owner})
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/${owner}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "// Owns a precompiled header.\n")
  endif()
  add_library(${owner} OBJECT ${source})
  set_target_properties(${owner} PROPERTIES POSITION_INDEPENDENT_CODE ${pic})
  signctl_target_defaults(${owner})
  target_compile_options(${owner} PRIVATE ${SIGNCTL_PCH_OPTIONS} ${options})
  target_link_libraries(${owner} PRIVATE nlohmann_json::nlohmann_json)
  target_precompile_headers(${owner} PRIVATE ${ARGN})
endfunction()

function(signctl_precompile target)
  if(NOT SIGNCTL_PCH)
    return()
  endif()
  set(headers ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
  set(options "")
  get_target_property(pic ${target} POSITION_INDEPENDENT_CODE)
  if(pic)
    set(owner signctl_pch_library)
  else()
    set(owner signctl_pch_program)
    set(pic OFF)
  endif()
  if("TESTS" IN_LIST ARGN)
    string(APPEND owner _tests)
    list(APPEND headers ${PROJECT_SOURCE_DIR}/tests/precompiled.hpp)
    set(options ${SIGNCTL_TEST_OPTIONS})
  endif()
  signctl_precompiled_header(${owner} ${pic} "${options}" ${headers})
  target_compile_options(${target} PRIVATE ${SIGNCTL_PCH_OPTIONS})
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()

# So that a cache of compilations knows the header again.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(SIGNCTL_PCH_OPTIONS "SHELL:-Xclang -fno-pch-timestamp")
endif()
