// JSON Schema (drafts 4 to 7, what valijson knows of them).
#pragma once

#include <string_view>

#include "base/result.h"

namespace alos::kernel {

// Whether `value` is what `schema` describes; both are JSON text. Errors: `invalid`, with the place
// in the value and what is expected there.
base::Result<void> check_schema(std::string_view schema, std::string_view value);

// Whether a schema that an agent wrote may be used: an object, not too large, readable, and without
// what can make checking it take for ever (references, regular expressions). Errors: `invalid`.
base::Result<void> check_own_schema(std::string_view schema);

}  // namespace alos::kernel
