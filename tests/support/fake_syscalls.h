// Syscalls for tests: each kind of call is answered by a function the test gives; every call is
// noted.
#pragma once

#include <any>
#include <map>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "abi/syscalls.h"

namespace alos::test {

class FakeSyscalls final : public abi::Syscalls {
 public:
  template <abi::Call C>
  using Answer = std::function<base::Result<typename C::Reply>(const C&)>;

  FakeSyscalls() { cwd_ = *base::Path::parse("/workspace"); }

  // A call that no answer is given for is `unavailable`.
  template <abi::Call C>
  FakeSyscalls& answer(Answer<C> answer) {
    answers_[typeid(C)] = std::move(answer);
    return *this;
  }
  template <abi::Call C>
  FakeSyscalls& reply(typename C::Reply reply) {
    return answer<C>([reply](const C&) -> base::Result<typename C::Reply> { return reply; });
  }
  template <abi::Call C>
  FakeSyscalls& error(base::Code code, std::string what = "as the test wants it") {
    return answer<C>([code, what](const C&) -> base::Result<typename C::Reply> {
      return base::fail(code, what);
    });
  }
  void set_cwd(std::string_view path) { cwd_ = *base::Path::parse(path); }

  // `fs.read {"path":"/workspace/a"}`, in order.
  const std::vector<std::string>& calls() const { return calls_; }
  void forget() { calls_.clear(); }

  const abi::Caller& caller() const override { return caller_; }
  const base::Path& cwd() const override { return cwd_; }

  // clang-format off: one line a call of a macro
#define ALOS_FAKE(C) \
  base::Result<abi::C::Reply> on_call(abi::C call) override { return perform(call); }
  ALOS_FAKE(FsRead) ALOS_FAKE(FsWrite) ALOS_FAKE(FsList) ALOS_FAKE(FsStat) ALOS_FAKE(FsSearch)
  ALOS_FAKE(FsMkdir) ALOS_FAKE(FsMove) ALOS_FAKE(FsRemove) ALOS_FAKE(TimeNow) ALOS_FAKE(TimeSleep)
  ALOS_FAKE(HumanAsk) ALOS_FAKE(HumanTell) ALOS_FAKE(CapRequest) ALOS_FAKE(CapList)
  ALOS_FAKE(MemPut) ALOS_FAKE(MemGet) ALOS_FAKE(MemAppend) ALOS_FAKE(MemList)
  ALOS_FAKE(ProcInfo) ALOS_FAKE(ProcChdir) ALOS_FAKE(ProcExit) ALOS_FAKE(ModelGenerate)
  ALOS_FAKE(ProcSpawn) ALOS_FAKE(ProcWait) ALOS_FAKE(ProcList) ALOS_FAKE(CapDerive) ALOS_FAKE(CapDrop)
  ALOS_FAKE(ProcWaitAny) ALOS_FAKE(MsgSend) ALOS_FAKE(MsgReceive)
#undef ALOS_FAKE
     // clang-format on

     private : template <abi::Call C>
               base::Result<typename C::Reply> perform(const C& call) {
    calls_.push_back(std::string(C::kName) + " " + base::to_json(call));
    const auto found = answers_.find(typeid(C));
    if (found == answers_.end())
      return base::fail(base::Code::unavailable, "the test answers no " + std::string(C::kName));
    return std::any_cast<const Answer<C>&>(found->second)(call);
  }

  abi::Caller caller_{{base::JobId{7}, 1}};
  base::Path cwd_;
  std::map<std::type_index, std::any> answers_;
  std::vector<std::string> calls_;
};

}  // namespace alos::test
