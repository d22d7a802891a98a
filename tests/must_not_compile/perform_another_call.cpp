// expect: invalid initialization of reference|cannot convert|could not convert
#include "ports/hands.h"

using namespace alos;

template <typename C>
ports::Outcome<abi::FsRemove::Reply> act(ports::Performs<abi::FsRemove>& hand,
                                         const ports::Intent<C>& intent) {
  return hand.perform(intent);
}

#ifdef ALOS_CONTROL
template ports::Outcome<abi::FsRemove::Reply> act(ports::Performs<abi::FsRemove>&,
                                                  const ports::Intent<abi::FsRemove>&);
#else
template ports::Outcome<abi::FsRemove::Reply> act(ports::Performs<abi::FsRemove>&,
                                                  const ports::Intent<abi::FsRead>&);
#endif
