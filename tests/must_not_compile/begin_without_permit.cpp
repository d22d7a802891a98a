// expect: no matching function for call to .*Journal::begin
#include "kernel/journal.h"

using namespace alos;

base::Result<void> begin(kernel::Journal& journal, ports::Permit<abi::FsRead> permit,
                         const abi::FsRead& call) {
#ifdef ALOS_CONTROL
  (void)call;
  TRY(journal.begin(std::move(permit)));
#else
  (void)permit;
  TRY(journal.begin(call));
#endif
  return {};
}
