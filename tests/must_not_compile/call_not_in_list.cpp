// expect: invalid .static_cast.
#include "abi/syscalls.h"

using namespace alos;

// A call that is not in abi/calls.h cannot be made, however complete it is.
struct Unlisted : abi::FsStat {
  ALOS_FIELDS(path)
  static constexpr std::string_view kName = "unlisted";
};

base::Result<void> ask(abi::Syscalls& sys, const base::Path& path) {
#ifdef ALOS_CONTROL
  TRY(sys.call(abi::FsStat{path}));
#else
  Unlisted call;
  call.path = path;
  TRY(sys.call(call));
#endif
  return {};
}
