#include <chrono>

#include "alos/alos.h"
#include "runtime/runtime.h"

namespace alos {
namespace {

Failure failure(const base::Error& error) {
  return {static_cast<int>(error.code), error.what, error.details};
}

template <typename T>
Expected<T> expected(base::Result<T> result) {
  if (!result) return failure(result.error());
  return std::move(*result);
}

Process process_of(const kernel::ProcessView& view) {
  return {base::to_string(view.pid), view.state, view.error ? view.error->what : view.reason,
          view.result};
}

base::Result<kernel::Launch> launch_of(const Run& run) {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const base::Time now{std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
  kernel::Launch launch;
  launch.goal = run.goal;
  launch.model = run.model;
  launch.image = run.image;
  launch.name = run.name;
  for (const auto& [name, dir] : run.roots) launch.roots.push_back({name, dir});
  if (!run.roots.empty()) launch.cwd = TRY(base::Path::parse("/" + run.roots.front().first));
  for (const std::string& grant : run.grants)
    launch.grants.push_back(TRY(abi::Grant::parse(grant, now)));
  launch.budget.model_tokens = run.model_tokens;
  launch.budget.tool_calls = run.tool_calls;
  return launch;
}

kernel::Answer answer_of(const Answer& answer) {
  using Kind = kernel::Answer::Kind;
  using Scope = kernel::Answer::Scope;
  kernel::Answer out;
  out.text = answer.text;
  switch (answer.kind) {
    case Answer::Kind::approve_once: out.kind = Kind::approve; break;
    case Answer::Kind::approve_process: out.kind = Kind::approve, out.scope = Scope::process; break;
    case Answer::Kind::deny: out.kind = Kind::deny; break;
    case Answer::Kind::text: out.kind = Kind::answer; break;
  }
  return out;
}

}  // namespace

struct Runtime::Parts {
  std::shared_ptr<kernel::Kernel> kernel;
};

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime& Runtime::operator=(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Expected<Runtime> Runtime::open(const std::string& store_dir) {
  auto kernel = runtime::open({.store_dir = store_dir, .mode = kernel::OpenOptions::Mode::own});
  if (!kernel) return failure(kernel.error());
  return Runtime(std::make_unique<Parts>(Parts{std::move(*kernel)}));
}

Expected<std::string> Runtime::launch(const Run& run) {
  const auto launched = [&]() -> base::Result<std::string> {
    const kernel::Launch launch = TRY(launch_of(run));
    return base::to_string(TRY(parts_->kernel->launch(launch)));
  };
  return expected(launched());
}

Expected<Process> Runtime::resume(const std::string& pid) {
  const auto resumed = [&]() -> base::Result<Process> {
    const base::Pid parsed = TRY(base::parse_pid(pid));
    TRY(parts_->kernel->resume(parsed, "human:owner"));
    return process_of(TRY(parts_->kernel->process(parsed)));
  };
  return expected(resumed());
}

Expected<Process> Runtime::process(const std::string& pid) {
  return wait(pid, std::chrono::milliseconds(0));
}

Expected<Process> Runtime::wait(const std::string& pid, std::chrono::milliseconds patience) {
  const auto waited = [&]() -> base::Result<Process> {
    const base::Pid parsed = TRY(base::parse_pid(pid));
    return process_of(TRY(parts_->kernel->wait(parsed, patience)));
  };
  return expected(waited());
}

Expected<std::vector<Request>> Runtime::requests() {
  auto open = parts_->kernel->requests(kernel::Kernel::Which::live);
  if (!open) return failure(open.error());
  std::vector<Request> out;
  for (auto& one : *open)
    out.push_back({one.id, base::to_string(one.pid), one.kind, one.question, one.asks});
  return out;
}

Expected<bool> Runtime::answer(const std::string& request, const Answer& answer) {
  const auto ok = parts_->kernel->answer(request, answer_of(answer));
  if (!ok) return failure(ok.error());
  return true;
}

}  // namespace alos
