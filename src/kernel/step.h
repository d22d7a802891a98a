// Step: the kernel's side of one step of a program in its process.
#pragma once

#include "abi/program.h"
#include "kernel/services.h"

namespace alos::kernel {

class Step : public abi::Self {
 public:
  Step(const Services& services, JobPtr job, std::uint32_t process)
      : services_(services), job_(std::move(job)), process_(process) {}

  abi::Mind mind() const override;
  base::Result<void> run_tool(const abi::OpenCall& open, const Tool& tool) override;
  base::Result<abi::ModelGenerate::Reply> generate(abi::ModelGenerate call) override;
  base::Result<void> exit(base::Text result) override;
  base::Result<void> fail(base::Error error) override;
  base::Result<void> pause(std::string reason) override;

 private:
  base::Result<const core::Process*> runnable(const Lock& lock) const;
  base::Result<void> pay_for_call(const Lock& lock, const core::Process& process);
  base::Result<base::Seq> append(const Lock& lock, base::Seq cause, core::Body body);

  const Services& services_;
  JobPtr job_;
  std::uint32_t process_;
};

// Runs a begun durable call once, as far as it goes; records its end unless it parked. The value,
// the tool's error, or `parked`. An outer error is the kernel's: the job was lost, the process was
// ended.
struct Returned {
  std::optional<base::Json> value;
  std::optional<base::Error> error;  // also `parked`
};
base::Result<Returned> run_frame(const Services& services, const JobPtr& job, std::uint32_t process,
                                 base::CallId call, const abi::Self::Tool& tool);

// Ends a process from outside or for an error: every open call gets its end, every open request is
// cancelled, then `end`.
base::Result<base::Seq> end_process(const Services& services, const JobPtr& job, const Lock& lock,
                                    std::uint32_t process, base::Seq cause, std::string_view why,
                                    core::Body end);

// Gives the pending syscall of an open call its end: an intent is unknown, a wait is cancelled with
// its request.
base::Result<void> settle_open(const Services& services, const JobPtr& job, const Lock& lock,
                               std::uint32_t process, const core::Frame& frame,
                               std::string_view why);

// Ends one open call that nobody will run again: intents without an outcome become unknown, the
// call `cancelled`.
base::Result<void> cancel_frame(const Services& services, const JobPtr& job, const Lock& lock,
                                std::uint32_t process, base::CallId call, std::string_view why);

}  // namespace alos::kernel
