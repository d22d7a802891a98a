// Deriving: what a holder may hand on, and what goes with it. Authority only shrinks: whatever the
// receiver may then do, the giver's own capability lets it pass on, and what the giver must ask or
// is denied there, the receiver must ask or is denied too.
#pragma once

#include <vector>

#include "core/decide.h"

namespace alos::core {

struct Derived {
  abi::Grant grant;
  base::CapId parent;
};

// The capabilities that the receiver of `wanted` gets: first `wanted` itself, no later and no more
// often than the giver's, then every ask and deny of the giver that would decide there. Errors:
// `denied` (nothing held covers it, it is held without the right to delegate, only as an ask, or a
// trapdoor that the giver's does not name), `invalid` (handing on a deny).
base::Result<std::vector<Derived>> derive(const JobState& state, std::uint32_t giver,
                                          const abi::Grant& wanted, base::Time now);

// The capability and all that is derived from it, directly or not, that is not revoked yet; but of
// an allow, the asks derived from it stay, and deny from then on.
std::vector<base::CapId> subtree(const JobState& state, base::CapId top);

}  // namespace alos::core
