// Door: the Syscalls of one process in one durable call. Answers from the journal, or goes through
// the gate.
#pragma once

#include "abi/syscalls.h"
#include "kernel/gate.h"

namespace alos::kernel {

class DoorBase : public abi::Syscalls {
 public:
  DoorBase(const Services& services, Place place, base::Path cwd)
      : journal_(services, place), gate_(journal_), caller_{place.pid()}, cwd_(std::move(cwd)) {}

  const abi::Caller& caller() const override { return caller_; }
  const base::Path& cwd() const override { return cwd_; }

  bool parked() const { return parked_; }
  const std::optional<base::Error>& broken() const {
    return broken_;
  }  // nondeterministic: ends the call whatever the tool says

 protected:
  template <abi::Call C>
  base::Result<typename C::Reply> pass(C call) {
    if (broken_) return base::Unexpected(*broken_);
    const base::Digest digest = abi::digest_of(call);
    auto past = journal_.recall(call, digest);
    auto reply = past ? std::move(*past) : go_edited(std::move(call), digest);
    if (!reply && reply.error().code == base::Code::parked) parked_ = true;
    if (!reply && reply.error().code == base::Code::nondeterministic) broken_ = reply.error();
    return reply;
  }

 private:
  // What a person made of the call, when one has: that is decided, done and recorded instead.
  template <abi::Call C>
  base::Result<typename C::Reply> go_edited(C call, const base::Digest& digest) {
    const auto edited = TRY(journal_.edited<C>());
    if (!edited) return go(std::move(call), digest);
    return go(*edited, abi::digest_of(*edited));
  }

  template <abi::Call C>
  base::Result<typename C::Reply> go(C call, const base::Digest& digest) {
    if constexpr (abi::InternalCall<C>)
      return gate_.enact(std::move(call), digest);
    else
      return gate_.run(std::move(call), digest);
  }

  Journal journal_;
  Gate gate_;
  abi::Caller caller_;
  base::Path cwd_;
  bool parked_ = false;
  std::optional<base::Error> broken_;
};

// One on_call for each call of the list, all of them the same line.
template <typename List>
class DoorOf;
template <>
class DoorOf<abi::CallList<>> : public DoorBase {
 public:
  using DoorBase::DoorBase;
};
template <typename C, typename... Rest>
class DoorOf<abi::CallList<C, Rest...>> : public DoorOf<abi::CallList<Rest...>> {
 public:
  using DoorOf<abi::CallList<Rest...>>::DoorOf;
  using DoorOf<abi::CallList<Rest...>>::on_call;
  base::Result<typename C::Reply> on_call(C call) final { return this->pass(std::move(call)); }
};

using Door = DoorOf<abi::AllCalls>;

}  // namespace alos::kernel
