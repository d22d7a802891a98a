// expect: constraint|no matching function|template constraint failure
#include "ports/hands.h"

// Only calls that are made for it can be handed over and waited for.
#ifdef ALOS_CONTROL
using Hand = alos::ports::Starts<alos::abi::ModelGenerate>;
#else
using Hand = alos::ports::Starts<alos::abi::FsRead>;
#endif
void start(Hand&);
