// expect: the required expression .call\.needs\(caller\). is invalid|constraints not satisfied
#include "abi/syscalls.h"

using namespace alos;

// A struct that does not say what it needs is no call, whatever else it has.
struct Sneak {
  base::Path path;
  ALOS_FIELDS(path)
  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "sneak";
  static constexpr auto kClass = abi::EffectClass::observe;
};

base::Result<void> ask(abi::Syscalls& sys, const base::Path& path) {
#ifdef ALOS_CONTROL
  TRY(sys.call(abi::FsStat{path}));
#else
  TRY(sys.call(Sneak{path}));
#endif
  return {};
}
