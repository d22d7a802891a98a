// The list of all calls. Journal codec, docs, completion and the simulator's workload are expanded
// from it.
#pragma once

#include "abi/fs.h"
#include "abi/human.h"
#include "abi/mem.h"
#include "abi/model.h"
#include "abi/msg.h"
#include "abi/proc.h"
#include "abi/time.h"

namespace alos::abi {

template <typename... Lists>
struct Concat;
template <typename... C>
struct Concat<CallList<C...>> {
  using type = CallList<C...>;
};
template <typename... A, typename... B, typename... Rest>
struct Concat<CallList<A...>, CallList<B...>, Rest...> : Concat<CallList<A..., B...>, Rest...> {};

using AllCalls =
    Concat<FsCalls, TimeCalls, HumanCalls, MemCalls, ProcCalls, MsgCalls, ModelCalls>::type;

}  // namespace alos::abi
