# Flags, launcher, linker and precompiled header shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(ALOS_WERROR "Warnings are errors (presets for development turn it on)" OFF)
option(ALOS_FUZZ "Build the *_fuzz.cpp targets with libFuzzer (needs clang)" OFF)
option(ALOS_HOUSE_TESTS "Register the tests of the house itself: tidy, symbols, headers, must_not_compile" OFF)
option(ALOS_ALLOW_EMPTY_ROOMS "Tolerate a room without sources" ON)
set(ALOS_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "GCC 12 or newer is needed (found ${CMAKE_CXX_COMPILER_VERSION}); on Debian 12: scripts/setup")
endif()

add_library(alos_flags INTERFACE)
target_compile_options(alos_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wformat=2 -Wundef -Wextra-semi -Wimplicit-fallthrough -Wvla -Wdouble-promotion -Wunused
  # A designated initialiser that leaves the rest to its default is our normal style.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(alos_flags INTERFACE
    -Wsuggest-override -Wduplicated-cond -Wlogical-op -Wredundant-tags
    # False positives of GCC 12 on std::string, std::optional and std::variant (GCC bugs 105329, 105562, 105593).
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
    -Wno-dangling-pointer -Wno-free-nonheap-object)
else()
  target_compile_options(alos_flags INTERFACE -Wthread-safety -Wno-unused-private-field)
endif()
if(ALOS_WERROR)
  target_compile_options(alos_flags INTERFACE -Werror)
endif()
# __FILE__ and std::source_location name files as the repository does, whatever directory it was built in.
target_compile_options(alos_flags INTERFACE -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
# CHECK does not depend on NDEBUG; no target may.
target_compile_definitions(alos_flags INTERFACE _FILE_OFFSET_BITS=64)
target_link_libraries(alos_flags INTERFACE alos::fmt alos::threads)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(alos_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
target_compile_options(alos_flags INTERFACE -fstack-protector-strong)

if(ALOS_SANITIZE)
  target_compile_options(alos_flags INTERFACE
    -fsanitize=${ALOS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(alos_flags INTERFACE -fsanitize=${ALOS_SANITIZE})
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(alos_flags INTERFACE -fno-sanitize=function)
  elseif(ALOS_SANITIZE MATCHES "thread")
    target_compile_options(alos_flags INTERFACE -Wno-tsan)
  endif()
endif()
if(ALOS_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "ALOS_FUZZ needs clang (libFuzzer): cmake --preset fuzz")
  endif()
  target_compile_options(alos_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# ccache, told how to treat our precompiled header (CMake's is included with -include, GCC needs -fpch-preprocess).
find_program(ALOS_CCACHE ccache)
if(ALOS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_MAXSIZE=10G ${ALOS_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(alos_flags INTERFACE -fpch-preprocess)
  else()
    target_compile_options(alos_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()

# A fast linker when there is one.
if(NOT CMAKE_EXE_LINKER_FLAGS MATCHES "fuse-ld")
  find_program(ALOS_MOLD mold)
  find_program(ALOS_LLD ld.lld)
  if(ALOS_MOLD)
    target_link_options(alos_flags INTERFACE -fuse-ld=mold)
  elseif(ALOS_LLD)
    target_link_options(alos_flags INTERFACE -fuse-ld=lld)
  endif()
endif()

# One precompiled header for all targets: it must not name <iostream>, threads or clocks beyond <chrono>, since
# `core` compiles with it too (the symbol check would see a static initialiser of iostream).
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/pch/alos_pch.cpp CONTENT "// Carries the precompiled header.\n")
add_library(alos_pch OBJECT ${CMAKE_BINARY_DIR}/pch/alos_pch.cpp)
target_link_libraries(alos_pch PRIVATE alos_flags)
target_precompile_headers(alos_pch PRIVATE
  <algorithm> <array> <chrono> <compare> <concepts> <cstddef> <cstdint> <cstring> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <tuple> <type_traits> <unordered_map> <utility> <variant> <vector>
  <fmt/format.h>)
