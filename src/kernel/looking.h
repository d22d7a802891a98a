// Looking: everything that only reads a store. Also the whole of a Kernel that does not own it.
#pragma once

#include "core/apply.h"
#include "kernel/kernel.h"
#include "store/store.h"

namespace alos::kernel {

// A job's state, from its snapshot and the records after it. Errors: `not_found`, `corrupt`.
base::Result<core::JobState> load_job(store::Store& store, base::JobId job);

// The records of a run of canonical lines, payloads brought back.
base::Result<std::vector<RecordView>> views_of(std::string_view lines, base::Digest before,
                                               const base::LoadBlob& load);

class Looking : public Kernel {
 public:
  Looking(std::shared_ptr<store::Store> store, std::vector<abi::Image> images)
      : store_(std::move(store)), images_(std::move(images)) {}

  base::Result<std::vector<ProcessView>> processes(Which which) override;
  base::Result<ProcessView> process(base::Pid pid) override;
  base::Result<std::vector<RequestView>> requests(Which which) override;
  base::Result<RequestView> request(const std::string& id) override;
  base::Result<std::vector<RequestView>> request_page(Which which, const std::string& after,
                                                      std::size_t limit) override;
  base::Result<std::vector<CapabilityView>> capabilities(base::Pid pid) override;
  base::Result<std::vector<BudgetView>> budget(base::Pid pid) override;
  base::Result<std::vector<RecordView>> records(base::JobId job, base::Seq from,
                                                std::size_t limit) override;
  base::Result<std::vector<abi::Message>> transcript(base::Pid pid) override;
  base::Result<std::vector<base::JobId>> jobs() override;
  base::Result<AuditReport> verify(std::optional<base::JobId> job) override;
  base::Result<AuditReport> check() override;
  std::vector<abi::Image> images() const override { return images_; }
  base::Result<Plan> plan(const Launch& launch) override;

  base::Result<base::Pid> launch(const Launch&) override { return not_owner(); }
  base::Result<void> resume(base::Pid, const std::string&) override { return not_owner(); }
  base::Result<void> pause(base::Pid, const std::string&, const std::string&) override {
    return not_owner();
  }
  base::Result<void> kill(base::Pid, const std::string&, const std::string&) override {
    return not_owner();
  }
  base::Result<void> answer(const std::string&, const Answer&) override { return not_owner(); }
  base::Result<std::string> grant(base::Pid, const abi::Grant&, const std::string&) override {
    return not_owner();
  }
  base::Result<void> revoke(const std::string&, const std::string&) override { return not_owner(); }
  base::Result<void> send(base::Pid, const std::string&, const std::string&) override {
    return not_owner();
  }
  base::Result<void> set_budget(base::Pid, abi::BudgetKind, std::optional<std::uint64_t>,
                                const std::string&) override {
    return not_owner();
  }
  base::Result<void> set_policy(base::JobId, const std::vector<Standing>&) override {
    return not_owner();
  }
  base::Result<base::Json> call(base::Pid, const std::string&, const std::string&) override {
    return not_owner();
  }
  base::Result<void> rebuild() override { return not_owner(); }
  std::size_t drain(std::chrono::milliseconds) override { return 0; }
  std::optional<base::Error> trouble() const override { return std::nullopt; }

  std::unique_ptr<Subscription> subscribe(std::optional<base::JobId> job) override;
  base::Result<ProcessView> wait(base::Pid pid, std::chrono::milliseconds patience) override;

 protected:
  store::Store& store() const { return *store_; }
  const std::vector<abi::Image>& all_images() const { return images_; }
  virtual base::Result<core::JobState> state_of(base::JobId job) { return load_job(*store_, job); }
  base::LoadBlob loader() const;

 private:
  base::Result<RequestView> view_of_row(const store::RequestRow& row) const;
  static base::Unexpected not_owner();
  struct Walk;
  base::Result<void> walk(const store::JobRow& row, Walk& walk);

  std::shared_ptr<store::Store> store_;
  std::vector<abi::Image> images_;
};

// What becomes of a declared need under a plan's grants.
NeedView view_of_need(const abi::Grant& wanted, const std::string& need, const Plan& plan,
                      const std::vector<Standing>& standing);

// The grants a root process gets unless its launch says none.
std::vector<abi::Grant> base_grants(base::JobId job, const Launch& launch);

}  // namespace alos::kernel
