// Syscalls: how a program asks. Whoever holds a Syscalls& asks as one process, inside one durable
// call.
//
// A reply is the same whether the call is made now or answered from the journal. `parked` must be
// returned unchanged (TRY does it): the caller runs again from its top when there is something new.
#pragma once

#include "abi/calls.h"

namespace alos::abi {

template <Call C>
class SyscallPort {
 public:
  virtual ~SyscallPort() = default;
  virtual base::Result<typename C::Reply> on_call(C call) = 0;
};

template <typename List>
class SyscallPorts;
template <typename... C>
class SyscallPorts<CallList<C...>> : public SyscallPort<C>... {
 public:
  using SyscallPort<C>::on_call...;
};

class Syscalls : public SyscallPorts<AllCalls> {
 public:
  template <Call C>
  base::Result<typename C::Reply> call(C call) {
    return static_cast<SyscallPort<C>&>(*this).on_call(std::move(call));
  }

  virtual const Caller& caller() const = 0;
  virtual const base::Path& cwd() const = 0;  // as it was when this durable call began
};

}  // namespace alos::abi
