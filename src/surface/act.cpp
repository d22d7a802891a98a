// wait, pause, kill, approve, deny, answer, grant, revoke, call, rebuild: a person's word, recorded
// as theirs.
#include <fmt/format.h>

#include <chrono>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/policy.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kBy = "human:owner";
constexpr auto kPatience = std::chrono::milliseconds(300);

void done(Session& session, std::string_view what, std::string_view id) {
  if (session.style.json()) {
    std::string body = R"({"id":)";
    base::append_json_string(body, id);
    session.output.out(typed(what, body + '}'));
  } else {
    session.output.out(fmt::format("{} {}\n", what, id));
  }
}

// A decision that was recorded while no runtime works on the job.
void say_how_to_go_on(Session& session, base::JobId job) {
  if (session.place != Session::Place::here || session.style.json()) return;
  session.output.err(
      fmt::format("nobody runs it now; go on with: {}\n",
                  command_line(session.store_dir, fmt::format("resume {}.1", job.value))));
}

Result<kernel::RequestView> open_request(Session& session, const std::string& id) {
  TRY(base::parse_job_scoped(id, 'r'));
  auto request = TRY(session.kernel.request(id));
  if (request.answer.empty()) return request;
  return fail(
      Code::conflict, fmt::format("request {} is already {}", id, base::printable(request.answer)),
      fmt::format("alos why {}:{} shows what led to it", request.pid.job.value, request.seq));
}

// `--as ada` speaks as human:ada.
Result<std::string> speaker(const Arguments& arguments) {
  const auto name = arguments.one("as");
  if (!name) return std::string(kBy);
  const bool well = !name->empty() && name->size() <= 64 &&
                    name->find_first_of(": \t\n") == std::string::npos &&
                    base::printable(*name) == *name;
  if (!well)
    return fail(Code::invalid,
                fmt::format("--as {}: not a name", base::printable(base::shortened(*name, 80))),
                "people are named in the manifest: people: {ada: [reviewer]}");
  return "human:" + *name;
}

// A yes that others must join leaves the request open: true when it is settled.
Result<bool> is_settled(Session& session, const std::string& id) {
  const auto request = TRY(session.kernel.request(id));
  if (!request.answer.empty() || request.votes.empty()) return true;
  done(session, "noted", id);
  if (!session.style.json())
    session.output.err(fmt::format("it takes a yes from {}\n", base::printable(request.who)));
  return false;
}

enum class Remember : std::uint8_t { in_the_journal, as_policy };

Result<int> give(Session& session, const kernel::RequestView& request, const kernel::Answer& answer,
                 std::string_view word, Remember remember = Remember::in_the_journal) {
  TRY(session.kernel.answer(request.id, answer));
  if (!TRY(is_settled(session, request.id))) return 0;
  done(session, word, request.id);
  if (remember == Remember::as_policy)
    for (const std::string& line : TRY(save_answer(session.kernel, session.store_dir, request)))
      session.output.err("saved " + line + '\n');
  say_how_to_go_on(session, request.pid.job);
  return 0;
}

Result<kernel::Answer> approval(const Arguments& arguments) {
  using Scope = kernel::Answer::Scope;
  kernel::Answer answer{.kind = kernel::Answer::Kind::approve};
  int scopes = 0;
  for (const auto& [name, scope] : {std::pair{"once", Scope::once},
                                    {"process", Scope::process},
                                    {"job", Scope::job},
                                    {"always", Scope::job}})
    if (arguments.has(name)) ++scopes, answer.scope = scope;
  if (const auto text = arguments.one("uses")) {
    const auto uses = base::parse_unsigned(*text);
    if (!uses || *uses == 0)
      return fail(Code::invalid,
                  fmt::format("--uses {}: a whole number from 1", base::printable(*text)));
    ++scopes, answer.scope = Scope::uses, answer.uses = *uses;
  }
  if (const auto text = arguments.one("until")) {
    const auto span = base::parse_duration(*text);
    const base::Time until = span ? system_now() + *span : TRY(base::parse_time(*text));
    if (until <= system_now())
      return fail(Code::invalid, fmt::format("--until {}: that is over", base::printable(*text)));
    ++scopes, answer.scope = Scope::until, answer.until = until;
  }
  if (scopes > 1)
    return fail(Code::invalid,
                "an approval has one of --once, --uses, --until, --process, --job, --always");
  if (const auto text = arguments.one("over")) answer.over = TRY(abi::Pattern::from_text(*text));
  if (const auto text = arguments.one("edit")) {
    TRY(base::parse_json(*text));
    answer.edited = *text;
  }
  answer.by = TRY(speaker(arguments));
  return answer;
}

}  // namespace

Result<int> wait(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  std::optional<base::Time> end;
  if (const auto text = arguments.one("timeout"))
    end = system_now() + TRY(base::parse_duration(*text));
  for (;;) {
    const bool look = session.place == Session::Place::here;
    const auto process =
        look ? TRY(session.kernel.process(pid)) : TRY(session.kernel.wait(pid, kPatience));
    if (process.ended() || process.state == "paused") {
      if (session.style.json())
        session.output.out(typed("process", base::to_json(process)));
      else
        session.output.out(fmt::format(
            "{} {}{}\n", base::to_string(pid), process.state,
            process.result ? ": " + base::printable(*process.result, base::Lines::keep) : ""));
      return 0;
    }
    if (look)
      return fail(Code::conflict,
                  fmt::format("process {} is {}, and nobody runs it now", base::to_string(pid),
                              process.state),
                  command_line(session.store_dir, "resume " + base::to_string(pid)));
    if (end && system_now() >= *end)
      return fail(Code::timeout,
                  fmt::format("process {} is still {}", base::to_string(pid), process.state));
    if (session.output.gone()) return fail(Code::cancelled, "nobody waits any more");
  }
}

Result<int> pause(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  TRY(session.kernel.pause(pid, std::string(kBy), arguments.one("reason").value_or("asked to")));
  done(session, "paused", arguments.words[0]);
  return 0;
}

Result<int> kill(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  TRY(session.kernel.kill(pid, std::string(kBy), arguments.one("reason").value_or("asked to")));
  done(session, "killed", arguments.words[0]);
  return 0;
}

Result<int> approve(Session& session, const Arguments& arguments) {
  kernel::Answer answer = TRY(approval(arguments));
  const auto request = TRY(open_request(session, arguments.words[0]));
  if (const auto more = arguments.one("more")) {
    if (!request.budget)
      return fail(Code::invalid, fmt::format("--more: {} asks for no budget", request.id));
    answer.more = TRY(abi::parse_amount(*request.budget, *more));
  }
  if (request.kind == "question")
    return fail(Code::invalid, fmt::format("{} is a question, not an approval", request.id),
                command_line(session.store_dir, fmt::format("answer {} TEXT", request.id)));
  return give(session, request, answer, "approved",
              arguments.has("always") ? Remember::as_policy : Remember::in_the_journal);
}

Result<int> deny(Session& session, const Arguments& arguments) {
  kernel::Answer answer{.kind = kernel::Answer::Kind::deny,
                        .text = arguments.one("reason").value_or("")};
  answer.by = TRY(speaker(arguments));
  if (arguments.has("always")) answer.scope = kernel::Answer::Scope::job;
  const auto request = TRY(open_request(session, arguments.words[0]));
  return give(session, request, answer, "denied",
              arguments.has("always") ? Remember::as_policy : Remember::in_the_journal);
}

Result<int> answer(Session& session, const Arguments& arguments) {
  kernel::Answer answer{.kind = kernel::Answer::Kind::answer, .text = arguments.words[1]};
  answer.by = TRY(speaker(arguments));
  const auto request = TRY(open_request(session, arguments.words[0]));
  if (request.kind != "question")
    return fail(
        Code::invalid, fmt::format("{} asks for an approval", request.id),
        command_line(session.store_dir, fmt::format("approve {}", request.id)) + ", or deny");
  return give(session, request, answer, "answered");
}

Result<int> grant(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  const abi::Grant given = TRY(abi::Grant::parse(arguments.words[1], system_now()));
  done(session, "granted", TRY(session.kernel.grant(pid, given, std::string(kBy))));
  return 0;
}

Result<int> send(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  TRY(session.kernel.send(pid, arguments.words[1], TRY(speaker(arguments))));
  done(session, "sent", arguments.words[0]);
  return 0;
}

Result<int> revoke(Session& session, const Arguments& arguments) {
  TRY(base::parse_job_scoped(arguments.words[0], 'c'));
  TRY(session.kernel.revoke(arguments.words[0], std::string(kBy)));
  done(session, "revoked", arguments.words[0]);
  return 0;
}

Result<int> call(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  const std::string json = arguments.words.size() > 2 ? arguments.words[2] : "{}";
  TRY(base::parse_json(json));
  const base::Json value = TRY(session.kernel.call(pid, arguments.words[1], json));
  if (session.style.json())
    session.output.out(typed("value", R"({"value":)" + value.data + '}'));
  else
    session.output.out(base::printable(value.data, base::Lines::keep) + '\n');
  return 0;
}

Result<int> store_rebuild(Session& session, const Arguments&) {
  TRY(session.kernel.rebuild());
  done(session, "rebuilt", session.store_dir);
  return 0;
}

}  // namespace alos::surface
