// The journal in SQLite: appending, packing small rows into large ones, reading. Private to this
// room.
#pragma once

#include <unordered_map>

#include "store/compression.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace alos::store {

// The lines at the ends of journals as they were appended lately, so that packing them again reads
// nothing back. Only kept in mind: what does not fit to the database is not used. Bounded: forgets
// all when full.
class RecentTails {
 public:
  void begin(const Segment& segment);   // a tail begins with it
  void extend(const Segment& segment);  // forgets the tail that it does not follow
  void forget(base::JobId job);

  // The records from `first` to `last`, which has `head`; null when they are not all here.
  const Segment* find(base::JobId job, base::Seq first, base::Seq last,
                      const base::Digest& head) const;

 private:
  std::unordered_map<base::JobId, Segment> tails_;
  std::uint64_t bytes_ = 0;
};

// Inside the caller's transaction. Errors: `conflict`, and those of the database.
base::Result<void> append_segment(Database& database, Packer& packer, RecentTails& tails,
                                  const Segment& segment);

base::Result<std::optional<JobRow>> find_job(Database& database, base::JobId job);
base::Result<std::vector<JobRow>> all_jobs(Database& database);

// Inside the caller's transaction; as Store::read. Every segment is verified.
base::Result<std::vector<Segment>> read_segments(Database& database, Packer& packer,
                                                 base::JobId job, base::Seq from,
                                                 std::uint64_t lines_max);

}  // namespace alos::store
