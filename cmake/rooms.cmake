# The one table of edges between rooms (docs: DESIGN section 7). Arrows point down only.
#
# room: the rooms it may use. `kernel.h` means: of room kernel, the header kernel/kernel.h and nothing else.
# To allow a new edge, change this table, and say why in docs/decisions/.
set(ALOS_ROOM_EDGES
  "base:"
  "abi:       base"
  "ports:     abi base"
  "store:     base"
  "core:      abi base"
  "kernel:    core abi base ports store"
  "providers: ports abi base"
  "tools:     abi base"
  "agent:     tools abi base"
  "surface:   kernel.h abi base"
  "runtime:   base abi ports store core kernel providers tools agent"
  # main.cpp: what it includes itself is runtime and surface; the rest is what their headers name.
  "main:      runtime surface kernel.h abi base"
)

# Every room, lowest first.
set(ALOS_ROOMS base abi ports store core kernel providers tools agent surface runtime)

# alos_edges(<out> <room>): the rooms (and `kernel.h`) that <room> may use, as a list.
function(alos_edges out room)
  foreach(row IN LISTS ALOS_ROOM_EDGES)
    if(row MATCHES "^${room}:(.*)$")
      string(STRIP "${CMAKE_MATCH_1}" edges)
      string(REGEX REPLACE " +" ";" edges "${edges}")
      set(${out} "${edges}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "room '${room}' has no row in the table of edges (cmake/rooms.cmake): add one")
endfunction()

# alos_check_edges(<room> <used>...): stops the configuration at an edge that is not in the table.
function(alos_check_edges room)
  alos_edges(allowed ${room})
  foreach(used IN LISTS ARGN)
    if(NOT used IN_LIST allowed)
      string(REPLACE ";" " " shown "${allowed}")
      message(FATAL_ERROR
        "forbidden edge: ${room} -> ${used}\n"
        "The table in cmake/rooms.cmake allows ${room} to use: [${shown}].\n"
        "Move the code to a room that may use ${used}, or go through an interface of a room below both.")
    endif()
  endforeach()
endfunction()
