// SimStore: the in-memory store on a machine whose power can fail at any commit, before or after it
// is durable, and whose disk is full or away now and then. After a crash it refuses everything
// until the world goes on.
#pragma once

#include <memory>

#include "sim/ledger.h"
#include "store/store.h"

namespace alos::sim {

class SimStore final : public store::Store {
 public:
  SimStore(World& world, Ledger& ledger)
      : world_(world), ledger_(ledger), disk_(store::make_memory_store()) {}

  store::Store& disk() { return *disk_; }  // what is durable, whatever the world does

  base::Result<store::Epoch> own() override;
  base::Result<void> commit(store::Epoch epoch, const store::Commit& commit) override;
  base::Result<std::vector<store::Segment>> read(base::JobId job, base::Seq from,
                                                 std::uint64_t lines_max) override;
  base::Result<std::string> blob(const base::Digest& digest) override;
  base::Result<std::optional<store::Snapshot>> snapshot(base::JobId job) override;
  base::Result<std::vector<store::JobRow>> jobs() override;
  base::Result<std::optional<store::JobRow>> job(base::JobId job) override;
  base::Result<std::vector<store::ProcessRow>> processes(store::Which which, base::Pid after,
                                                         std::size_t limit) override;
  base::Result<std::vector<store::RequestRow>> requests(store::Which which, base::JobId after_job,
                                                        base::RequestId after,
                                                        std::size_t limit) override;
  base::Result<void> rebuild(store::Epoch epoch, const store::Commit& projections) override;
  base::Result<std::vector<store::Finding>> check() override;
  base::Result<store::Sizes> sizes() override;

 private:
  base::Result<void> powered() const;

  World& world_;
  Ledger& ledger_;
  std::unique_ptr<store::Store> disk_;
};

}  // namespace alos::sim
