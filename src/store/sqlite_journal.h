// The journal in SQLite: appending, packing small rows into large ones, reading. Private to this
// room.
#pragma once

#include "store/compression.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace alos::store {

// Inside the caller's transaction. Errors: `conflict`, and those of the database.
base::Result<void> append_segment(Database& database, Packer& packer, const Segment& segment);

base::Result<std::optional<JobRow>> find_job(Database& database, base::JobId job);
base::Result<std::vector<JobRow>> all_jobs(Database& database);

// Inside the caller's transaction; as Store::read. Every segment is verified.
base::Result<std::vector<Segment>> read_segments(Database& database, Packer& packer,
                                                 base::JobId job, base::Seq from,
                                                 std::uint64_t lines_max);

}  // namespace alos::store
