# Third-party libraries, all from Debian 12 (scripts/setup installs them).
# A library that is missing is an error only for the room that lists it in LIBS.
find_package(PkgConfig QUIET)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS json)
find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(yaml-cpp REQUIRED)

# alos_pkg(<target> <pkg-config module>): an imported target when the module is there; nothing otherwise.
function(alos_pkg target module)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
  if(TARGET PkgConfig::${target})
    add_library(alos::${target} ALIAS PkgConfig::${target})
  endif()
endfunction()

alos_pkg(zstd libzstd)
alos_pkg(seccomp libseccomp)
alos_pkg(sodium libsodium)
alos_pkg(pq libpq)

# Names that do not depend on how the package spells its target.
function(alos_name name)
  foreach(candidate IN LISTS ARGN)
    if(TARGET ${candidate})
      add_library(alos::${name} INTERFACE IMPORTED GLOBAL)
      set_property(TARGET alos::${name} PROPERTY INTERFACE_LINK_LIBRARIES ${candidate})
      return()
    endif()
  endforeach()
endfunction()

alos_name(fmt fmt::fmt)
alos_name(json Boost::json)
alos_name(crypto OpenSSL::Crypto)
alos_name(sqlite SQLite::SQLite3)
alos_name(curl CURL::libcurl)
alos_name(yaml yaml-cpp::yaml-cpp yaml-cpp)
alos_name(threads Threads::Threads)

find_path(ALOS_CLI11_INCLUDE CLI/CLI.hpp)  # header only
if(ALOS_CLI11_INCLUDE)
  add_library(alos::cli11 INTERFACE IMPORTED GLOBAL)
endif()

# util.h of libc (forkpty) and ptys live in libc itself since glibc 2.34: nothing to link.

if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  find_package(rapidcheck QUIET)
  find_package(benchmark QUIET)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
