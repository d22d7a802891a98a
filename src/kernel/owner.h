// Owner: the kernel of the runtime that owns a store. Loads jobs, runs their processes, takes
// decisions.
#pragma once

#include <atomic>
#include <list>

#include "kernel/answers.h"
#include "kernel/looking.h"
#include "kernel/make.h"
#include "kernel/step.h"

namespace alos::kernel {

class Feed;  // one subscriber's queue

class Owner final : public Looking, public Wakes, public std::enable_shared_from_this<Owner> {
 public:
  Owner(std::shared_ptr<store::Store> store, store::Epoch epoch, base::JobId last_job,
        const ports::Hands& hands, std::shared_ptr<abi::Program> program,
        std::vector<abi::Image> images);
  ~Owner() override;

  base::Result<base::Pid> launch(const Launch& launch) override;
  base::Result<void> resume(base::Pid pid, const std::string& by) override;
  base::Result<void> pause(base::Pid pid, const std::string& by,
                           const std::string& reason) override;
  base::Result<void> kill(base::Pid pid, const std::string& by, const std::string& reason) override;
  base::Result<void> answer(const std::string& request, const Answer& answer) override;
  base::Result<std::string> grant(base::Pid pid, const abi::Grant& grant,
                                  const std::string& by) override;
  base::Result<void> revoke(const std::string& capability, const std::string& by) override;
  base::Result<void> send(base::Pid pid, const std::string& text, const std::string& by) override;
  base::Result<void> set_budget(base::Pid pid, abi::BudgetKind kind,
                                std::optional<std::uint64_t> limit, const std::string& by) override;
  base::Result<void> set_policy(base::JobId job, const std::vector<Standing>& standing) override;
  base::Result<base::Json> call(base::Pid pid, const std::string& tool,
                                const std::string& arguments) override;
  base::Result<void> rebuild() override;
  std::optional<base::Error> trouble() const override;
  std::size_t drain(std::chrono::milliseconds patience) override;
  std::unique_ptr<Subscription> subscribe(std::optional<base::JobId> job) override;
  base::Result<ProcessView> wait(base::Pid pid, std::chrono::milliseconds patience) override;

  // Wakes
  void wake(const JobPtr& job, std::uint32_t process) override;
  void wake_at(const JobPtr& job, std::uint32_t process, base::CallId call, std::uint32_t n,
               base::Time when) override;
  void wake_locked(const JobPtr& job, const Lock& lock, std::uint32_t process) override;
  void expire_at(const JobPtr& job, base::RequestId request, base::Time when) override;

  // Commits what has gathered, under a stepped executor.
  bool commit_now() { return committer_.commit_now(); }

 protected:
  base::Result<core::JobState> state_of(base::JobId job) override;

 private:
  base::Result<JobPtr> resident(base::JobId job);  // loads it when it is not here
  struct Held {
    JobPtr job;
    Lock lock;
  };
  base::Result<Held> hold(base::JobId job);                  // the job as it is now, locked
  base::Result<Held> hold(base::Pid pid);                    // and it has that process
  base::Result<void> durable(const JobPtr& job, Lock lock);  // waits for all appended so far
  base::Result<void> activate(const JobPtr& job, const Lock& lock);
  void run_step(const JobPtr& job, std::uint32_t process);
  void after_step(const JobPtr& job, const Lock& lock, std::uint32_t process,
                  const base::Result<void>& result);
  void pump(const JobPtr& job);
  void post_pump(const JobPtr& job);
  std::optional<core::Outgoing> next_outgoing(const JobPtr& job, abi::Letter& letter);
  void settle_sleep(const JobPtr& job, std::uint32_t process, base::CallId call, std::uint32_t n);
  void deliver(const std::vector<Committer::Batch>& batches);
  void retire(const JobPtr& job, const Lock& lock);
  void lose(const std::vector<JobPtr>& jobs, const base::Error& error);
  void reload(base::JobId job);
  base::Result<void> check_answer(const JobPtr& job, const core::Request& request,
                                  const Answer& answer, std::string_view id) const;
  base::Result<bool> vote(const JobPtr& job, const Lock& lock, const core::Request& request,
                          Answer& answer);
  base::Result<void> settle_request(const JobPtr& job, const Lock& lock, base::RequestId id,
                                    const Answer& answer, const std::optional<EditedCall>& edited);
  base::Result<void> give_approval(const JobPtr& job, const Lock& lock,
                                   const core::Request& request, const Answer& answer,
                                   const std::optional<EditedCall>& edited, base::Seq cause);
  base::Result<void> give_grants(const JobPtr& job, const Lock& lock, const core::Request& request,
                                 const Answer& answer, base::Seq cause);
  base::Result<void> refuse_for_good(const JobPtr& job, const Lock& lock,
                                     const core::Request& request, const Answer& answer,
                                     base::Seq cause);
  base::Result<void> change_limit(const JobPtr& job, const Lock& lock, std::uint32_t process,
                                  abi::BudgetKind kind, std::optional<std::uint64_t> limit,
                                  const std::string& by);
  base::Result<void> cut_shares(const JobPtr& job, const Lock& lock, std::uint32_t top,
                                abi::BudgetKind kind, const std::string& by);
  base::Result<void> answer_budget(const JobPtr& job, const Lock& lock,
                                   const core::Request& request, const Answer& answer);
  base::Result<void> answer_all_decided(const JobPtr& job, const Lock& lock, const std::string& by);
  void expire(const JobPtr& job, base::RequestId id);
  base::Result<void> settle_wait(const JobPtr& job, const Lock& lock, const core::Request& request,
                                 base::Seq cause, std::optional<base::RawJson> reply,
                                 std::optional<base::Error> error);
  base::Result<base::CapId> grant_to(const JobPtr& job, const Lock& lock, std::uint32_t holder,
                                     base::Seq cause, abi::Grant grant, std::string from,
                                     std::optional<base::Digest> bound,
                                     std::optional<base::CapId> parent,
                                     std::optional<core::Seen> seen = {});
  void finish_exit(const JobPtr& job, const Lock& lock, std::uint32_t process);

  ports::Hands hands_;
  std::shared_ptr<abi::Program> program_;
  store::Epoch epoch_;

  std::size_t under_way();

  std::atomic<bool> draining_ = false;
  mutable std::mutex mutex_;  // guards what follows; taken before no job's mutex, after any
  std::map<base::JobId, JobPtr> jobs_;
  std::uint64_t last_job_;
  std::list<std::weak_ptr<Feed>> feeds_;
  std::optional<base::Error> trouble_;
  std::condition_variable delivered_;
  std::uint64_t deliveries_ = 0;

  // Last, so that they go first: committing delivers to what stands above.
  Committer committer_;
  Services services_;
};

}  // namespace alos::kernel
