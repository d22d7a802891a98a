#include "surface/foreground.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/json.h"
#include "base/text.h"
#include "surface/editor.h"
#include "surface/policy.h"
#include "surface/records.h"

namespace alos::surface {

using base::Code;
using base::Result;
using kernel::Answer;
using kernel::ProcessView;
using kernel::RecordView;
using kernel::RequestView;

namespace {

constexpr auto kFeedPatience = std::chrono::milliseconds(40);
constexpr int kIdleRoundsBeforeLook = 25;

sigset_t interrupt_signals(Interrupts::Hangup hangup) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (hangup == Interrupts::Hangup::noted) sigaddset(&set, SIGHUP);
  return set;
}

bool readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) > 0 && poll_fd.revents != 0;
}

// The agent writes `error CODE: ...` for what made it pause, the kernel `budget ...`; anything else
// waits for a person.
int code_of_pause(const ProcessView& process) {
  if (process.error) return static_cast<int>(process.error->code);
  std::string_view reason = process.reason;
  if (reason.starts_with("budget ")) return static_cast<int>(Code::exhausted);
  if (reason.starts_with("error ")) reason.remove_prefix(6);
  const std::string_view word = reason.substr(0, reason.find(':'));
  const auto names = base::enum_names<Code>();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == word) return static_cast<int>(i) + 1;
  return static_cast<int>(Code::parked);
}

int code_of_end(const ProcessView& process) {
  if (process.state == "exited") return 0;
  if (process.state == "killed") return static_cast<int>(Code::cancelled);
  if (process.state == "failed")
    return static_cast<int>(process.error ? process.error->code : Code::internal);
  return code_of_pause(process);
}

std::string result_json(const ProcessView& process) {
  std::string body =
      fmt::format(R"({{"pid":"{}","state":"{}")", base::to_string(process.pid), process.state);
  if (process.result) body += ",\"result\":", base::append_json_string(body, *process.result);
  if (process.error) body += ",\"error\":" + base::to_json(*process.error);
  if (!process.reason.empty())
    body += ",\"reason\":", base::append_json_string(body, process.reason);
  return typed("result", body + '}');
}

std::string usage_text(const ProcessView& p) {
  return fmt::format("{} turns, {} tool calls, {} tokens", p.turns, p.tool_calls,
                     p.input_tokens + p.output_tokens);
}

}  // namespace

int say_end(Output& output, const Style& style, const std::string& store_dir,
            const ProcessView& process) {
  const int code = code_of_end(process);
  if (style.json()) output.out(result_json(process));
  const std::string id = base::to_string(process.pid);
  if (process.state == "exited") {
    if (style.json()) return code;
    output.err(paint(style, Ink::dim, fmt::format("{} exited: {}", id, usage_text(process))) +
               '\n');
    if (process.result && !process.result->empty())
      output.out(base::printable(*process.result, base::Lines::keep) + '\n');
  } else if (process.state == "failed" && process.error) {
    report(output, Style{Format::text, style.colour, style.width},
           {process.error->code, fmt::format("process {} failed: {}", id, process.error->what),
            process.error->details});
  } else if (process.state == "paused") {
    report(output, Style{Format::text, style.colour, style.width},
           {Code::parked, fmt::format("process {} is paused: {}", id, process.reason),
            "go on with: " + command_line(store_dir, "resume " + id)});
  } else {
    output.err(fmt::format("{} {} {}\n", id, process.state, base::printable(process.reason)));
  }
  return code;
}

Interrupts::Interrupts(Hangup hangup) : hangup_(hangup) {
  const sigset_t set = interrupt_signals(hangup);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupts::~Interrupts() {
  release();
  if (fd_ >= 0) ::close(fd_);
}

Interrupts::Signal Interrupts::next() {
  signalfd_siginfo info;
  if (fd_ < 0 || ::read(fd_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info)))
    return Signal::none;
  return info.ssi_signo == SIGHUP ? Signal::hangup : Signal::end;
}

void Interrupts::release() {
  if (!std::exchange(held_, false)) return;
  const sigset_t set = interrupt_signals(hangup_);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Foreground::Foreground(Host& host, kernel::Kernel& kernel, ApprovePolicy policy,
                       Interrupts& interrupts)
    : host_(host),
      kernel_(kernel),
      policy_(std::move(policy)),
      interrupts_(interrupts),
      narrator_(host.style),
      person_(::isatty(STDIN_FILENO) != 0) {}

Result<int> Foreground::watch(kernel::Subscription& subscription,
                              const std::vector<base::Pid>& pids) {
  for (const base::Pid pid : pids) jobs_.insert(pid.job), going_.insert(pid);
  if (pids.size() > 1) narrator_.name_processes();
  for (int idle = 0; !going_.empty();) {
    const auto records = subscription.next(kFeedPatience);
    for (const RecordView& record : records)
      if (jobs_.contains(record.pid.job)) show(record);
    host_.output.flush();
    if (interrupts_.came()) return leave();
    TRY(look_at_requests());
    TRY(take_input());
    look_at_trouble();
    idle = records.empty() ? idle + 1 : 0;
    if (idle >= kIdleRoundsBeforeLook) idle = 0, look_at_states();
  }
  int code = 0;
  for (const base::Pid pid : pids) {
    const int one = say_end(host_.output, host_.style, host_.store_dir, TRY(kernel_.process(pid)));
    if (code == 0) code = one;
  }
  host_.output.flush();
  return code;
}

void Foreground::show(const RecordView& record) {
  if (host_.style.json()) {
    host_.output.out(json_line(record));
  } else if (const std::string line = narrator_.tell(record); !line.empty()) {
    host_.output.err(line);
  }
  if (record.kind == "request.opened" || record.kind == "request.answered" ||
      record.kind == "request.voted")
    requests_changed_ = true;
  if (record.kind == "process.exited" || record.kind == "process.failed" ||
      record.kind == "process.killed" || record.kind == "process.paused")
    going_.erase(record.pid);
  if (record.kind == "process.resumed" && jobs_.contains(record.pid.job)) going_.insert(record.pid);
}

// Said once; the runtime goes on when the store works again.
void Foreground::look_at_trouble() {
  const auto trouble = kernel_.trouble();
  if (trouble && !troubled_)
    report(host_.output, {Format::text, host_.style.colour, host_.style.width}, *trouble);
  troubled_ = trouble.has_value();
}

// In case an end was missed: the store knows.
void Foreground::look_at_states() {
  for (const base::Pid pid : std::vector<base::Pid>(going_.begin(), going_.end())) {
    const auto process = kernel_.process(pid);
    if (process && (process->ended() || process->state == "paused")) going_.erase(pid);
  }
}

Result<void> Foreground::look_at_requests() {
  if (!std::exchange(requests_changed_, false)) return {};
  const auto open = TRY(kernel_.requests(kernel::Kernel::Which::live));
  if (asked_ && std::none_of(open.begin(), open.end(),
                             [&](const RequestView& one) { return one.id == asked_->id; })) {
    forget_typed();
    host_.output.err(paint(host_.style, Ink::dim, "  (answered elsewhere)") + '\n');
    asked_.reset();
  }
  for (const RequestView& request : open) {
    if (!jobs_.contains(request.pid.job) || !request.answer.empty()) continue;
    if (const auto decided = policy_.answer(request))
      TRY(answer(request, *decided));
    else if (!person_)
      say_how_to_answer(request);
    else if (!asked_ && !others_.contains(request.id))
      ask_person(request);
  }
  return {};
}

// Somebody at another terminal may have been quicker; that is no error. An answer that does not fit
// the question is a no when a rule gave it; where people must agree, a rule's yes waits for them.
Result<void> Foreground::answer(const RequestView& request, const Answer& decided) {
  const auto ok = kernel_.answer(request.id, decided);
  if (ok || ok.error().code == Code::conflict || ok.error().code == Code::not_found) return {};
  if (ok.error().code == Code::denied) {
    if (!told_.contains(request.id)) say(ok.error());
    say_how_to_answer(request);
    return {};
  }
  if (ok.error().code != Code::invalid || decided.kind == Answer::Kind::deny)
    return base::Unexpected(ok.error());
  say(ok.error());
  return answer(request, {.kind = Answer::Kind::deny, .text = ok.error().what, .by = decided.by});
}

void Foreground::say(const base::Error& error) {
  std::string text = "  " + base::printable(error.what) + '\n';
  if (!error.details.empty()) text += "  " + base::printable(error.details) + '\n';
  host_.output.err(text);
}

// What does not fit is told, and asked again; who is not asked is told how others answer.
Result<void> Foreground::answer_as_person(const RequestView& request, const Said& said) {
  if (said.then == Then::edit && !said.answer.edited) return edit(request), Result<void>{};
  const auto ok = kernel_.answer(request.id, said.answer);
  requests_changed_ = true;
  if (ok) return look_whether_settled(request, said.then), Result<void>{};
  if (ok.error().code != Code::invalid && ok.error().code != Code::denied &&
      ok.error().code != Code::conflict && ok.error().code != Code::not_found &&
      ok.error().code != Code::exhausted)
    return base::Unexpected(ok.error());
  say(ok.error());
  if (ok.error().code == Code::denied) others_.insert(request.id), say_how_to_answer(request);
  return {};
}

// A yes that others must join leaves the request open.
void Foreground::look_whether_settled(const RequestView& request, Then then) {
  const auto open = kernel_.requests(kernel::Kernel::Which::live);
  for (const RequestView& one : open ? *open : std::vector<RequestView>{}) {
    if (one.id != request.id || !one.answer.empty() || one.who.empty()) continue;
    others_.insert(one.id);
    host_.output.err(fmt::format("  noted; it takes a yes from {}\n", base::printable(one.who)));
    return say_how_to_answer(one);
  }
  if (then != Then::save) return;
  const auto saved = save_answer(kernel_, host_.store_dir, request);
  if (!saved) return say(saved.error());
  for (const std::string& line : *saved) host_.output.err("  saved " + line + '\n');
}

std::vector<ProcessView> Foreground::line_of(base::Pid pid) const {
  std::vector<ProcessView> line;
  for (std::optional<base::Pid> one = pid; one && line.size() < 16;) {
    const auto process = kernel_.process(*one);
    if (!process) break;
    line.insert(line.begin(), *process);
    one = process->parent;
  }
  return line;
}

void Foreground::ask_person(const RequestView& request) {
  asked_ = request;
  editing_ = false;
  const std::string text = prompt_text(host_.style, request, line_of(request.pid), system_now());
  forget_typed();
  host_.output.err(text);
}

// What was typed before a prompt was seen is no answer to it.
void Foreground::forget_typed() {
  typed_.clear();
  if (person_) ::tcflush(STDIN_FILENO, TCIFLUSH);
}

// In the person's editor; where there is none, as one line.
void Foreground::edit(const RequestView& request) {
  const auto command = editor_command();
  if (!command) {
    forget_typed();
    host_.output.err(fmt::format("  the call is: {}\n  as it shall be (empty: back)> ",
                                 base::printable(request.arguments)));
    asked_ = request;
    editing_ = true;
    return;
  }
  const auto text = edited_text(*command, request.arguments);
  requests_changed_ = true;
  if (!text) return say(text.error());
  if (*text == request.arguments || text->empty())
    return host_.output.err("  it is as it was: nothing was answered\n");
  const auto ok = kernel_.answer(request.id, {.kind = Answer::Kind::approve, .edited = *text});
  if (!ok) say(ok.error());
}

void Foreground::say_how_to_answer(const RequestView& request) {
  if (!told_.insert(request.id).second) return;
  std::string how = request.kind == "question" ? fmt::format("answer {} TEXT", request.id)
                                               : fmt::format("approve {}", request.id);
  if (!request.who.empty()) how += " --as NAME";
  host_.output.err(fmt::format("  waiting for an answer; from another terminal: {}\n",
                               command_line(host_.store_dir, how)));
}

Result<void> Foreground::take_input() {
  while (asked_ && person_ && readable(STDIN_FILENO)) {
    char buffer[4096];
    const ssize_t bytes = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (bytes <= 0) {  // the terminal is gone
      person_ = false;
      say_how_to_answer(*asked_);
      asked_.reset();
      return {};
    }
    typed_.append(buffer, static_cast<std::size_t>(bytes));
    const std::size_t end = typed_.find('\n');
    if (end == std::string::npos) return {};
    const std::string line = typed_.substr(0, end);
    typed_.clear();
    TRY(take_line(line));
  }
  return {};
}

Result<void> Foreground::take_line(const std::string& line) {
  const bool empty = line.find_first_not_of(" \t\r") == std::string::npos;
  if (editing_) {
    const RequestView request = *std::exchange(asked_, std::nullopt);
    requests_changed_ = true;
    if (empty) return {};
    return answer_as_person(request, {{.kind = Answer::Kind::approve, .edited = line}, Then::edit});
  }
  const auto said = understood(*asked_, line, system_now());
  if (!said) say(said.error());
  if (!said || !*said) return host_.output.err("  > "), Result<void>{};
  return answer_as_person(*std::exchange(asked_, std::nullopt), **said);
}

int Foreground::leave() {
  interrupts_.release();
  std::string text = "\nleft; nothing is lost. Go on with:\n";
  for (const base::Pid pid : going_)
    text += "  " + command_line(host_.store_dir, "resume " + base::to_string(pid)) + '\n';
  host_.output.err(text);
  if (host_.style.json())
    for (const base::Pid pid : going_)
      if (const auto process = kernel_.process(pid)) host_.output.out(result_json(*process));
  host_.output.flush();
  return static_cast<int>(Code::cancelled);
}

}  // namespace alos::surface
