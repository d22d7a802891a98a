// expect: discards qualifiers|assignment of member .* in read-only object|is private within this
// context|no match for .operator=
#include "abi/calls.h"
#include "ports/tokens.h"

// What was authorised is what is done: the call inside a token cannot be exchanged.
std::string path_of(alos::ports::Permit<alos::abi::FsWrite>& permit) {
#ifdef ALOS_CONTROL
  return permit.call().path.text();
#else
  permit.call().content = "something else";
  return permit.call().path.text();
#endif
}
