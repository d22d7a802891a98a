// expect: no matching function for call to .*Journal::settle|could not convert
#include "kernel/journal.h"

using namespace alos;

base::Result<abi::FsRead::Reply> answer(kernel::Journal& journal, ports::Permit<abi::FsRead> permit,
                                        ports::Outcome<abi::FsRead::Reply> outcome) {
#ifdef ALOS_CONTROL
  auto intent = TRY(journal.begin(std::move(permit)));
  auto receipt = TRY(journal.settle(std::move(intent), std::move(outcome)));
#else
  auto receipt = TRY(journal.settle(std::move(permit), std::move(outcome)));
#endif
  return std::move(receipt).reply();
}
