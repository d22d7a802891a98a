// Reads a whole store.db and says what is not as it was written. Private to this room.
#pragma once

#include "store/compression.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace alos::store {

inline constexpr std::size_t kFindingsMax = 1000;  // after so many the rest is not listed

std::vector<Finding> check_database(Database& database, Packer& packer);

}  // namespace alos::store
