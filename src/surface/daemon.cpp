// serve, attach, and run and resume where a daemon works: a runtime that stays, and its clients.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <set>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/dispatch.h"
#include "surface/foreground.h"
#include "surface/launch.h"
#include "surface/policy.h"
#include "surface/records.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::Kernel;
using kernel::ProcessView;
using kernel::RecordView;

namespace {

constexpr auto kWatchPatience = std::chrono::milliseconds(200);
constexpr int kSignalPatienceMs = 1000;
constexpr std::uint64_t kPageRecords = 1000;
constexpr std::string_view kOwner = "human:owner";

// A run in the foreground ends with what it was started for: nothing else is started in it.
Result<void> only_a_daemon(const Session& session) {
  if (session.place == Session::Place::daemon) return {};
  return fail(Code::conflict,
              fmt::format("store {} is in use by process {}, which works on something else",
                          base::printable(session.store_dir), ::getpid()),
              "one runtime works on a store at a time: wait for it, end it, or use another store "
              "with --store DIR");
}

Result<void> goes_on(Kernel& kernel, const std::string& store_dir, base::Pid pid) {
  const Policy policy = TRY(read_policy(store_dir));
  TRY(kernel.set_policy(pid.job, policy.standing_for(TRY(roots_of(kernel, pid.job)))));
  return kernel.resume(pid, std::string(kOwner));
}

// Everything that was not paused goes on. What cannot, for a reason of its own, is said and left.
Result<std::size_t> take_up_all(Host& host, Kernel& kernel) {
  std::size_t count = 0;
  std::set<base::JobId> jobs;
  for (const ProcessView& process : TRY(kernel.processes(Kernel::Which::live))) {
    if (process.state == "paused" || !jobs.insert(process.pid.job).second) continue;
    const auto done = goes_on(kernel, host.store_dir, process.pid);
    if (done)
      ++count;
    else
      host.output.err(fmt::format("{} does not go on: {}\n", base::to_string(process.pid),
                                  base::printable(done.error().what)));
  }
  return count;
}

void reload_policy(Host& host, Kernel& kernel) {
  const auto reload = [&]() -> Result<std::size_t> {
    const Policy policy = TRY(read_policy(host.store_dir));
    std::set<base::JobId> jobs;
    for (const ProcessView& process : TRY(kernel.processes(Kernel::Which::live)))
      if (jobs.insert(process.pid.job).second)
        TRY(kernel.set_policy(process.pid.job,
                              policy.standing_for(TRY(roots_of(kernel, process.pid.job)))));
    return jobs.size();
  };
  const auto done = reload();
  host.output.err(
      done ? fmt::format("policy.yaml is read again, for {} jobs\n", *done)
           : fmt::format("policy.yaml stays as it was: {}\n", base::printable(done.error().what)));
}

// Until it is to end.
void attend(Host& host, Kernel& kernel, Interrupts& interrupts) {
  bool troubled = false;
  for (;;) {
    pollfd poll_fd{interrupts.fd(), POLLIN, 0};
    ::poll(&poll_fd, 1, kSignalPatienceMs);
    const auto signal = interrupts.next();
    if (signal == Interrupts::Signal::hangup) reload_policy(host, kernel);
    if (signal == Interrupts::Signal::end) return;
    const auto trouble = kernel.trouble();
    if (trouble && !troubled) report(host.output, host.style, *trouble);
    troubled = trouble.has_value();
  }
}

// Tells what a process and those below it do, until it has ended or is paused.
class Watch {
 public:
  Watch(Session& session, base::Pid pid) : session_(session), pid_(pid), narrator_(session.style) {}

  Result<int> from(base::Seq seq) {
    const auto subscription = session_.kernel.subscribe(pid_.job);
    for (;;) {
      TRY(tell_new(seq));
      const ProcessView process = TRY(session_.kernel.process(pid_));
      if (process.ended() || process.state == "paused") {
        TRY(tell_new(seq));
        return say_end(session_.output, session_.style, session_.store_dir, process);
      }
      if (session_.output.gone()) return 0;
      (void)subscription->next(kWatchPatience);
    }
  }

 private:
  Result<void> tell_new(base::Seq& seq) {
    for (;;) {
      const auto records = TRY(session_.kernel.records(pid_.job, seq, kPageRecords));
      for (const RecordView& record : records) tell(record);
      if (!records.empty()) seq = records.back().seq + 1;
      session_.output.flush();
      if (records.size() < kPageRecords) return {};
    }
  }

  void tell(const RecordView& record) {
    if (session_.style.json()) return session_.output.out(json_line(record));
    if (record.pid != pid_) narrator_.name_processes();
    session_.output.err(narrator_.tell(record));
    if (record.kind != "request.opened") return;
    const std::string id = base::to_string(record.pid.job, base::RequestId{request_of(record)});
    const std::string how = field_of(record, "kind") == "question"
                                ? fmt::format("answer {} TEXT", id)
                                : fmt::format("approve {}", id);
    session_.output.err(fmt::format("  waiting for an answer; from another terminal: {}\n",
                                    command_line(session_.store_dir, how)));
  }

  static std::uint64_t request_of(const RecordView& record) {
    return base::parse_unsigned(field_of(record, "request")).value_or(0);
  }

  Session& session_;
  base::Pid pid_;
  Narrator narrator_;
};

Result<int> say_started(Session& session, const Arguments& arguments, base::Pid pid,
                        base::Seq from) {
  const std::string id = base::to_string(pid);
  if (!arguments.has("detach")) return Watch(session, pid).from(from);
  if (session.style.json()) {
    session.output.out(typed("process", base::to_json(TRY(session.kernel.process(pid)))));
  } else {
    session.output.out(id + '\n');
    session.output.err("it works in the background; watch it with: " +
                       command_line(session.store_dir, "attach " + id) + '\n');
  }
  return 0;
}

Result<void> no_answers_here(const Arguments& arguments) {
  if (!arguments.has("approve") || arguments.one("approve") == "ask") return {};
  return fail(Code::invalid, "--approve is for a run in the foreground",
              "for a daemon write rules into policy.yaml (alos policy), or answer: alos approvals");
}

}  // namespace

Result<int> run_in_daemon(Session& session, const Arguments& arguments) {
  TRY(only_a_daemon(session));
  TRY(no_answers_here(arguments));
  kernel::Launch launch = TRY(read_launch(arguments, session.store_dir, session.cwd, system_now()));
  launch.standing = TRY(read_policy(session.store_dir)).standing_for(launch.roots);
  const base::Pid pid = TRY(session.kernel.launch(launch));
  return say_started(session, arguments, pid, 1);
}

Result<int> resume_in_daemon(Session& session, const Arguments& arguments) {
  TRY(only_a_daemon(session));
  TRY(no_answers_here(arguments));
  if (arguments.has("all") || arguments.words.empty())
    return fail(Code::invalid, "resume takes a PID where a daemon works",
                "it goes on by itself with all that is not paused");
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  const ProcessView process = TRY(session.kernel.process(pid));
  if (process.ended())
    return fail(Code::conflict,
                fmt::format("process {} has {}", base::to_string(pid), process.state));
  const auto records = TRY(session.kernel.records(pid.job, 1, UINT32_MAX));
  TRY(goes_on(session.kernel, session.store_dir, pid));
  return say_started(session, arguments, pid, records.empty() ? 1 : records.back().seq + 1);
}

Result<int> attach(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  (void)TRY(session.kernel.process(pid));
  if (session.place == Session::Place::here)
    return fail(Code::unavailable,
                fmt::format("nobody works on process {} now", base::to_string(pid)),
                "go on with: " + command_line(session.store_dir, "resume " + base::to_string(pid)) +
                    ", or start a daemon: " + command_line(session.store_dir, "serve"));
  return Watch(session, pid).from(1);
}

Result<int> serve(Host& host, const Arguments& arguments) {
  const base::Duration grace = TRY(base::parse_duration(arguments.one("grace").value_or("10s")));
  TRY(read_policy(host.store_dir));  // a broken one is better told now
  Interrupts interrupts(Interrupts::Hangup::noted);
  const auto kernel = TRY(open_to_own(host));
  const auto service = TRY(serve_others(*kernel, host.store_dir, Session::Place::daemon));
  const std::size_t jobs = TRY(take_up_all(host, *kernel));
  host.output.err(fmt::format("alos serves {} as process {}; {} jobs go on\n",
                              base::printable(host.store_dir), ::getpid(), jobs));
  attend(host, *kernel, interrupts);
  host.output.err("ending: what is under way comes to its end first\n");
  const std::size_t left =
      kernel->drain(std::chrono::duration_cast<std::chrono::milliseconds>(grace));
  host.output.err(left == 0 ? std::string("all is at rest\n")
                            : fmt::format("{} calls were still under way; they are looked at, or "
                                          "made again, when a runtime is back\n",
                                          left));
  interrupts.release();
  end_service(*service, host.output, 0);
  return 0;
}

}  // namespace alos::surface
