// store.db: its tables, and whether a file is one. Private to this room.
#pragma once

#include "store/sqlite.h"

namespace alos::store {

// Makes the tables in a new file, checks an old one, and sets the connection up for its use.
// Errors: `not_found` (reading, and nothing is there yet), `invalid` (not a store, or of a newer
// version), `unavailable`.
base::Result<void> prepare_database(Database& database, Access access);

}  // namespace alos::store
