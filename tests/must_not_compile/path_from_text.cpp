// expect: is private within this context
#include "base/path.h"

using namespace alos::base;

Result<Path> path_of(const std::string& text) {
#ifdef ALOS_CONTROL
  return Path::parse(text);
#else
  return Path(text);
#endif
}
