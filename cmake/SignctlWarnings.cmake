# SPDX-License-Identifier: Apache-2.0
# signctl_target_defaults(TARGET): warnings as errors and the chosen sanitizers, for our targets only.

function(signctl_target_defaults target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 /permissive- /utf-8 /WX)
  else()
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Werror
      # -O3 makes the program larger by a third and no faster; a small file costs what start-up costs.
      $<$<CONFIG:Release>:-O2;-ffunction-sections;-fdata-sections>)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # GCC 12 sees overlapping copies inside std::string that are not there (its bug 105651), and
      # comparisons of vectors that are longer than memory (its bug 105329).
      target_compile_options(${target} PRIVATE -Wno-restrict -Wno-stringop-overread)
    endif()
    if(SIGNCTL_SANITIZE)
      target_compile_options(${target} PRIVATE
        -fsanitize=${SIGNCTL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
      target_link_options(${target} PRIVATE -fsanitize=${SIGNCTL_SANITIZE})
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Among the checks that sanitizers add, GCC no longer sees what std::function sets (its bug 105562).
        target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
      endif()
    endif()
  endif()
endfunction()
