# alos_room(NAME [USES room...] [LIBS target...] [TEST_USES room...] [TEST_LIBS target...])
#
# Makes of src/<NAME>/ the static library alos_<NAME>, and of its *_test.cpp the program <NAME>_test.
# It sees the headers of itself and of USES, and of no other room: its one include directory,
# <build>/roots/<NAME>/, holds a link for each of them. What it links is private: CMake carries it to the final
# program, and no target above gets to see a header by it.
# TEST_USES: rooms that only the tests need (fakes, another implementation); tests may include every room.

set(ALOS_ROOTS ${CMAKE_BINARY_DIR}/roots)

# alos_root(<consumer> <room|kernel.h|include>...): fills roots/<consumer>/ with exactly these links.
function(alos_root consumer)
  set(root ${ALOS_ROOTS}/${consumer})
  file(MAKE_DIRECTORY ${root})
  set(expected ${ARGN})
  list(TRANSFORM expected REPLACE "^kernel\\.h$" "kernel")
  list(TRANSFORM expected REPLACE "^include$" "alos")
  file(GLOB present LIST_DIRECTORIES true RELATIVE ${root} ${root}/*)
  foreach(entry IN LISTS present)
    if(NOT entry IN_LIST expected AND IS_SYMLINK ${root}/${entry})
      file(REMOVE ${root}/${entry})
    endif()
  endforeach()
  foreach(room IN LISTS ARGN)
    if(room STREQUAL "kernel.h")
      file(MAKE_DIRECTORY ${root}/kernel)
      file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/kernel/kernel.h ${root}/kernel/kernel.h SYMBOLIC)
    elseif(room STREQUAL "include")
      file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/alos ${root}/alos SYMBOLIC)
    else()
      file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${room} ${root}/${room} SYMBOLIC)
    endif()
  endforeach()
endfunction()

# The include directory and the file names of a target that looks through roots/<consumer>/.
function(alos_see target consumer)
  target_include_directories(${target} PRIVATE ${ALOS_ROOTS}/${consumer})
  target_compile_options(${target} PRIVATE -fmacro-prefix-map=${ALOS_ROOTS}/${consumer}/=src/)
endfunction()

# Flags and the shared precompiled header.
function(alos_target target)
  target_link_libraries(${target} PRIVATE alos_flags)
  target_precompile_headers(${target} REUSE_FROM alos_pch)
endfunction()

# alos_link_rooms(<target> <room|kernel.h>...): links the rooms that exist yet.
function(alos_link_rooms target)
  foreach(room IN LISTS ARGN)
    string(REPLACE ".h" "" room ${room})
    if(TARGET alos_${room})
      target_link_libraries(${target} PRIVATE alos_${room})
    endif()
  endforeach()
endfunction()

function(alos_need_libs who)
  foreach(lib IN LISTS ARGN)
    if(NOT TARGET ${lib})
      message(FATAL_ERROR "${who} needs ${lib}, which was not found (cmake/third_party.cmake): run scripts/setup")
    endif()
  endforeach()
endfunction()

# Sources of a folder, without the tests, fuzz targets and benchmarks that lie beside them.
function(alos_sources out folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  set(${out} "${sources}" PARENT_SCOPE)
endfunction()

function(alos_room NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "USES;LIBS;TEST_USES;TEST_LIBS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "alos_room(${NAME}): unknown argument '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  alos_check_edges(${NAME} ${ARG_USES})
  alos_need_libs("room ${NAME}" ${ARG_LIBS})
  set(visible ${NAME} ${ARG_USES})
  if(NAME STREQUAL "runtime")
    list(APPEND visible include)
  endif()
  alos_root(${NAME} ${visible})

  set(folder ${CMAKE_SOURCE_DIR}/src/${NAME})
  alos_sources(sources ${folder})
  if(sources)
    add_library(alos_${NAME} STATIC ${sources})
    alos_target(alos_${NAME})
    alos_see(alos_${NAME} ${NAME})
    alos_link_rooms(alos_${NAME} ${ARG_USES})
    target_link_libraries(alos_${NAME} PRIVATE ${ARG_LIBS})
  elseif(ALOS_ALLOW_EMPTY_ROOMS)
    message(STATUS "room ${NAME}: no sources yet, skipped")
    add_library(alos_${NAME} INTERFACE)  # headers only: still carries what its users must link
    foreach(room IN LISTS ARG_USES)
      string(REPLACE ".h" "" room ${room})
      target_link_libraries(alos_${NAME} INTERFACE alos_${room})
    endforeach()
    target_link_libraries(alos_${NAME} INTERFACE ${ARG_LIBS})
  else()
    message(FATAL_ERROR "room ${NAME}: src/${NAME}/ has no sources")
  endif()

  if(BUILD_TESTING)
    alos_room_tests(${NAME} ${folder} "${ARG_USES};${ARG_TEST_USES}" "${ARG_LIBS};${ARG_TEST_LIBS}")
    alos_room_headers(${NAME} ${folder} "${ARG_LIBS}")
  endif()
endfunction()
