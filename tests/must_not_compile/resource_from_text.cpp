// expect: is private within this context
#include "abi/resource.h"

using namespace alos;

// A resource is made by a call, from what it names.
abi::Resource resource_of(const base::Path& path) {
#ifdef ALOS_CONTROL
  return abi::Resource::file(path);
#else
  return abi::Resource("fs:" + path.text());
#endif
}
