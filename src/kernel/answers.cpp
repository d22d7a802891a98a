// What people answer: who may, what a yes gives, what else it answers.
#include "kernel/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/decide.h"
#include "kernel/journal.h"
#include "kernel/owner.h"

namespace alos::kernel {

using base::Code;
using base::fail;
using base::Result;
using core::RequestKind;

namespace {

std::string scope_text(const Answer& answer) {
  const std::string over =
      answer.over ? fmt::format(" over {}", answer.over->text()) : std::string();
  switch (answer.scope) {
    case Answer::Scope::once: return "once";
    case Answer::Scope::uses: return fmt::format("{} uses{}", answer.uses, over);
    case Answer::Scope::until:
      return fmt::format("until {}{}", base::to_string(answer.until), over);
    case Answer::Scope::process: return "process" + over;
    case Answer::Scope::job: return "job" + over;
  }
  return {};
}

core::AnswerKind kind_of(const Answer& answer) {
  if (answer.kind == Answer::Kind::approve) return core::AnswerKind::approved;
  return answer.kind == Answer::Kind::answer ? core::AnswerKind::answered
                                             : core::AnswerKind::denied;
}

// `by` is human:NAME; who is not a person (a policy, the deadline) speaks for the owner.
std::string_view name_of_person(std::string_view by) {
  constexpr std::string_view kHuman = "human:";
  return by.starts_with(kHuman) ? by.substr(kHuman.size()) : std::string_view{};
}

bool is_one_of(const core::JobState& state, std::string_view by,
               const std::vector<std::string>& of) {
  const std::string_view name = name_of_person(by).empty() ? state.owner : name_of_person(by);
  const bool owner = name == state.owner;
  if (of.empty()) return owner;
  const auto named = [&](std::string_view word) {
    return std::find(of.begin(), of.end(), word) != of.end();
  };
  if (owner && (named(name) || named("owner"))) return true;
  for (const core::Person& person : state.people)  // a role is no person
    if (person.name == name)
      return named(name) || std::any_of(person.roles.begin(), person.roles.end(), named);
  return false;
}

Result<void> check_form(const core::Request& request, const Answer& answer, std::string_view id) {
  const bool question = request.opened.kind == RequestKind::question;
  if (question && answer.kind == Answer::Kind::approve)
    return fail(Code::invalid, fmt::format("request {} is a question", id),
                fmt::format("`alos answer {} TEXT`", id));
  if (!question && answer.kind == Answer::Kind::answer)
    return fail(Code::invalid, fmt::format("request {} asks for approval", id),
                fmt::format("`alos approve {}` or `alos deny {}`", id, id));
  const auto& choices = request.opened.choices;
  if (question && answer.kind == Answer::Kind::answer && !choices.empty() &&
      std::find(choices.begin(), choices.end(), answer.text) == choices.end())
    return fail(Code::invalid,
                fmt::format("`{}` is not one of the choices", base::printable(answer.text)),
                fmt::format("choices: {}", fmt::join(choices, ", ")));
  if (answer.scope == Answer::Scope::uses && answer.uses == 0)
    return fail(Code::invalid, "an approval is for at least one use");
  if (answer.more && request.opened.kind != RequestKind::budget)
    return fail(Code::invalid, fmt::format("request {} asks for no more budget", id));
  if (request.opened.kind == RequestKind::budget && answer.scope != Answer::Scope::once)
    return fail(Code::invalid, fmt::format("request {} is answered by an amount, or no", id),
                fmt::format("`alos approve {} --more AMOUNT` or `alos deny {}`", id, id));
  if (request.opened.kind != RequestKind::approval &&
      (answer.over || answer.edited || answer.scope == Answer::Scope::job))
    return fail(Code::invalid,
                fmt::format("request {} is no approval of a call: it is answered as it is", id));
  const bool named =
      std::any_of(request.opened.asking.begin(), request.opened.asking.end(),
                  [](const abi::Asking& asking) { return asking.votes > 1 || !asking.of.empty(); });
  if (named && answer.kind == Answer::Kind::approve && answer.scope == Answer::Scope::job)
    return fail(Code::invalid, "what named people are asked is not answered for the whole job",
                "once, N uses, until a time, or for the process");
  if (answer.edited &&
      (answer.kind != Answer::Kind::approve || answer.scope != Answer::Scope::once))
    return fail(Code::invalid, "an edited call is approved once, as it is then",
                "leave out the wider scope");
  return {};
}

// What a yes is given over: within what is asked about, and around what is needed.
Result<void> check_over(const core::JobState& state, const core::RequestOpened& opened,
                        const Answer& answer) {
  if (!answer.over) return {};
  if (answer.scope == Answer::Scope::once)
    return fail(Code::invalid, "a yes for this very call is over what it needs",
                "give it a wider scope: for the process, the job, N uses or until a time");
  for (std::size_t i = 0; i < opened.needs.size(); ++i) {
    const core::Capability& ask = *state.cap(opened.asked_by[i]);
    if (!answer.over->matches(opened.needs[i].resource))
      return fail(Code::invalid, fmt::format("{} does not cover {}", answer.over->text(),
                                             opened.needs[i].resource.text()));
    if (!ask.grant.resource.covers(*answer.over))
      return fail(Code::invalid,
                  fmt::format("{} is more than what is asked about, {}", answer.over->text(),
                              ask.grant.resource.text()),
                  "`alos grant` gives a process more");
  }
  return {};
}

// An edit changes what is done, not what may be done: each need of the call as it is then is
// allowed, or asked of this person alone.
Result<void> check_edited(const core::JobState& state, const core::Request& request,
                          std::string_view by, const EditedCall& edited, base::Time now) {
  for (const abi::Need& need : edited.needs) {
    const auto decision = core::decide(state, request.process, need, edited.digest, now);
    const std::string what = fmt::format("{} {}", base::name_of(need.right), need.resource.text());
    if (decision.verdict == core::Verdict::denied)
      return fail(
          Code::denied,
          fmt::format("the edited call would {}, and that is denied: {}", what, decision.reason),
          fmt::format("`alos grant {} '{}'` first, or edit it otherwise",
                      base::to_string(base::Pid{state.job, request.process}), what));
    if (decision.verdict != core::Verdict::asked) continue;
    for (const base::CapId id : decision.matched) {
      const abi::Asking& asking = state.cap(id)->grant.asking;
      if (asking.votes <= 1 && is_one_of(state, by, asking.of)) continue;
      return fail(Code::denied,
                  fmt::format("the edited call would {}, which others are asked about", what),
                  "deny it with a reason; the agent can ask again");
    }
  }
  return {};
}

bool same_need(const core::NeedText& one, const core::NeedText& other) {
  return one.right == other.right && one.resource == other.resource;
}

bool same_question(const core::Request& one, const core::Request& other) {
  return one.opened.kind == other.opened.kind && one.opened.digest == other.opened.digest &&
         one.opened.name == other.opened.name && one.opened.asking == other.opened.asking &&
         std::equal(one.opened.needs.begin(), one.opened.needs.end(), other.opened.needs.begin(),
                    other.opened.needs.end(), same_need);
}

}  // namespace

std::string who_in_words(const core::RequestOpened& opened) {
  std::string out;
  std::vector<std::string> said;
  for (const abi::Asking& asking : opened.asking) {
    const std::string names =
        asking.of.empty() ? "owner" : fmt::format("{}", fmt::join(asking.of, ", "));
    const std::string one = asking.votes > 1 ? fmt::format("{} of {}", asking.votes, names) : names;
    if (std::find(said.begin(), said.end(), one) != said.end()) continue;
    out += (out.empty() ? "" : "; and ") + one;
    said.push_back(one);
  }
  return out;
}

// The syscall that waits for a request gets its answer.
Result<void> Owner::settle_wait(const JobPtr& job, const Lock& lock, const core::Request& request,
                                base::Seq cause, std::optional<base::RawJson> reply,
                                std::optional<base::Error> error) {
  const core::CallObserved body{request.call,          request.n,        request.opened.name,
                                request.opened.digest, std::move(reply), std::move(error)};
  TRY(append(services_, job, lock, request.process, cause, body));
  return {};
}

namespace {

bool is_repeated(const std::vector<core::NeedText>& needs, std::size_t i) {
  return std::any_of(needs.begin(), needs.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const core::NeedText& one) { return same_need(one, needs[i]); });
}

}  // namespace

// For each need of the call: what the answer's scope says. `edited`: needs and digest of what the
// call was made into.
Result<void> Owner::give_approval(const JobPtr& job, const Lock& lock, const core::Request& request,
                                  const Answer& answer, const std::optional<EditedCall>& edited,
                                  base::Seq cause) {
  const std::string from =
      fmt::format("{} (request {})", answer.by, base::to_string(job->id(), request.opened.request));
  const core::RequestOpened opened = request.opened;
  const std::uint32_t process = request.process;
  const base::Time now = hands_.clock.now();
  if (edited) {
    for (const abi::Need& need : edited->needs) {
      const auto decision = core::decide(job->state, process, need, edited->digest, now);
      if (decision.verdict != core::Verdict::asked) continue;
      abi::Grant grant;
      grant.rights = {need.right};
      grant.resource = abi::Pattern::exactly(need.resource);
      grant.uses = 1;
      TRY(grant_to(job, lock, process, cause, std::move(grant), from, edited->digest,
                   decision.matched.front()));
    }
    return {};
  }
  for (std::size_t i = 0; i < opened.needs.size(); ++i) {
    const core::NeedText& need = opened.needs[i];
    const core::Capability& ask = *job->state.cap(opened.asked_by[i]);
    // Where nothing says to ask any more, a yes gives nothing: the call is decided again.
    if (!core::is_live(job->state, ask, now)) continue;
    const bool once = answer.scope == Answer::Scope::once;
    if (once && is_repeated(opened.needs, i)) continue;  // several asks about one place
    const bool job_wide = answer.scope == Answer::Scope::job;
    abi::Grant grant;
    grant.rights = {need.right};
    grant.resource = answer.over ? *answer.over : abi::Pattern::exactly(need.resource);
    std::optional<base::Digest> bound;
    if (once)
      grant.uses = 1, bound = opened.digest;
    else
      grant.conditions = ask.grant.conditions;
    if (answer.scope == Answer::Scope::uses) grant.uses = answer.uses;
    if (answer.scope == Answer::Scope::until) grant.until = answer.until;
    std::optional<base::CapId> answers;
    if (!job_wide) answers = ask.id;
    TRY(grant_to(job, lock, job_wide ? core::kStanding : process, cause, std::move(grant), from,
                 bound, answers, once ? opened.seen : std::nullopt));
  }
  return {};
}

Result<void> Owner::refuse_for_good(const JobPtr& job, const Lock& lock,
                                    const core::Request& request, const Answer& answer,
                                    base::Seq cause) {
  const std::string from =
      fmt::format("{} (request {})", answer.by, base::to_string(job->id(), request.opened.request));
  const core::RequestOpened opened = request.opened;
  for (const core::NeedText& need : opened.needs) {
    abi::Grant grant;
    grant.rights = {need.right};
    grant.resource = answer.over ? *answer.over : abi::Pattern::exactly(need.resource);
    grant.effect = abi::GrantEffect::deny;
    TRY(grant_to(job, lock, core::kStanding, cause, std::move(grant), from, {}, {}));
  }
  return {};
}

Result<void> Owner::give_grants(const JobPtr& job, const Lock& lock, const core::Request& request,
                                const Answer& answer, base::Seq cause) {
  const std::string from =
      fmt::format("{} (request {})", answer.by, base::to_string(job->id(), request.opened.request));
  abi::CapRequest::Reply reply;
  for (abi::Grant grant : request.opened.grants) {
    if (answer.scope == Answer::Scope::once) grant.uses = 1;
    if (answer.scope == Answer::Scope::uses) grant.uses = answer.uses;
    if (answer.scope == Answer::Scope::until) grant.until = answer.until;
    reply.granted.push_back(
        TRY(grant_to(job, lock, request.process, cause, std::move(grant), from, {}, {})));
  }
  return settle_wait(job, lock, request, cause, base::RawJson{base::to_json(reply)}, {});
}

// Records the answer and what follows from it for this one request.
Result<void> Owner::settle_request(const JobPtr& job, const Lock& lock, base::RequestId id,
                                   const Answer& answer, const std::optional<EditedCall>& edited) {
  const core::Request request = *job->state.request(id);
  core::RequestAnswered body{
      id,          kind_of(answer),
      answer.by,   answer.kind == Answer::Kind::answer ? "" : scope_text(answer),
      answer.text, {}};
  if (answer.kind == Answer::Kind::deny && answer.scope != Answer::Scope::job) body.scope.clear();
  if (edited) body.edited = base::Text(edited->json);
  const base::Seq cause =
      TRY(append(services_, job, lock, request.process, request.seq, std::move(body)));
  if (answer.kind == Answer::Kind::deny) {
    const std::string why = answer.text.empty() ? "" : ": " + answer.text;
    TRY(settle_wait(
        job, lock, request, cause, {},
        base::Error{Code::denied,
                    fmt::format("{} said no to: {}{}", answer.by, request.opened.question, why),
                    "work without it, or say in your result that it was needed"}));
    if (answer.scope == Answer::Scope::job) TRY(refuse_for_good(job, lock, request, answer, cause));
  } else if (request.opened.kind == RequestKind::question) {
    TRY(settle_wait(job, lock, request, cause,
                    base::RawJson{base::to_json(abi::HumanAsk::Reply{answer.text})}, {}));
  } else if (request.opened.kind == RequestKind::grant) {
    TRY(give_grants(job, lock, request, answer, cause));
  } else {
    TRY(give_approval(job, lock, request, answer, edited, cause));
  }
  wake_locked(job, lock, request.process);
  return {};
}

Result<void> release_orphans(const Services& services, const JobPtr& job, const Lock& lock,
                             const std::string& by) {
  const base::Time now = services.hands.clock.now();
  for (std::size_t i = 0; i < job->state.requests.size(); ++i) {
    const core::Request& request = job->state.requests[i];
    const bool open = !request.answered && request.opened.kind == RequestKind::approval &&
                      job->state.process(request.process)->live();
    if (!open || std::all_of(request.opened.asked_by.begin(), request.opened.asked_by.end(),
                             [&](base::CapId id) {
                               return core::is_live(job->state, *job->state.cap(id), now);
                             }))
      continue;
    const std::uint32_t process = request.process;
    TRY(append(services, job, lock, process, job->state.seq,
               core::RequestAnswered{request.opened.request,
                                     core::AnswerKind::cancelled,
                                     by,
                                     "",
                                     "what said to ask was taken back",
                                     {}}));
    services.wakes.wake_locked(job, lock, process);
  }
  return {};
}

// Requests that need no answer any more: what they ask about is decided by now.
Result<void> Owner::answer_all_decided(const JobPtr& job, const Lock& lock, const std::string& by) {
  const base::Time now = hands_.clock.now();
  for (std::size_t i = 0; i < job->state.requests.size(); ++i) {
    const core::Request& request = job->state.requests[i];
    const core::Process& process = *job->state.process(request.process);
    if (request.answered || request.opened.kind != RequestKind::approval || !process.live())
      continue;
    bool allowed = true, refused = false;
    for (const core::NeedText& need : request.opened.needs) {
      const core::Decision decision = core::decide(
          job->state, request.process, {need.resource, need.right, abi::Reach::exact, {}},
          request.opened.digest, now);
      allowed = allowed && decision.verdict == core::Verdict::allowed;
      refused = refused || decision.is_deny;
    }
    if (!allowed && !refused) continue;
    const core::Request copy = request;
    const base::Seq cause = TRY(append(
        services_, job, lock, copy.process, job->state.seq,
        core::RequestAnswered{copy.opened.request,
                              refused ? core::AnswerKind::denied : core::AnswerKind::approved,
                              by,
                              "decided for all",
                              "",
                              {}}));
    if (refused)
      TRY(settle_wait(
          job, lock, copy, cause, {},
          base::Error{Code::denied, fmt::format("{} said no to: {}", by, copy.opened.question),
                      "work without it, or say in your result that it was needed"}));
    wake_locked(job, lock, copy.process);
  }
  return {};
}

// One of several who must agree. True when they do now; `answer` is then what they agree on.
Result<bool> Owner::vote(const JobPtr& job, const Lock& lock, const core::Request& request,
                         Answer& answer) {
  const core::RequestOpened& opened = request.opened;
  const bool alone =
      std::all_of(opened.asking.begin(), opened.asking.end(), [&](const abi::Asking& asking) {
        return asking.votes <= 1 && asking.of == opened.asking.front().of;
      });
  if (alone || answer.kind != Answer::Kind::approve) return true;
  if (name_of_person(answer.by).empty())
    return fail(Code::denied, fmt::format("{} cannot say yes where people must agree", answer.by));
  if (answer.edited)
    return fail(Code::invalid, "what several people must agree on is not edited by one of them",
                "deny it with a reason; the agent can ask again");
  for (const core::RequestVoted& vote : request.votes)
    if (vote.by == answer.by)
      return fail(Code::conflict, fmt::format("{} has said yes already", answer.by),
                  "it waits for: " + who_in_words(opened));
  const base::RequestId id = opened.request;
  TRY(append(services_, job, lock, request.process, request.seq,
             core::RequestVoted{id, answer.by, scope_text(answer)}));
  const core::Request& after = *job->state.request(id);
  for (const abi::Asking& asking : after.opened.asking) {
    const auto yes = std::count_if(after.votes.begin(), after.votes.end(), [&](const auto& vote) {
      return is_one_of(job->state, vote.by, asking.of);
    });
    if (yes < asking.votes) return false;
  }
  // Where they mean different scopes, what all agree on is this very call.
  std::string names;
  for (const core::RequestVoted& vote : after.votes) {
    if (vote.scope != scope_text(answer)) answer.scope = Answer::Scope::once, answer.over.reset();
    names += (names.empty() ? "" : ", ") + vote.by;
  }
  answer.by = names;
  return true;
}

Result<void> Owner::check_answer(const JobPtr& job, const core::Request& request,
                                 const Answer& answer, std::string_view id) const {
  TRY(check_form(request, answer, id));
  const core::RequestOpened& opened = request.opened;
  bool may = opened.asking.empty() && (is_one_of(job->state, answer.by, {}) ||
                                       is_one_of(job->state, answer.by, {opened.to}));
  for (const abi::Asking& asking : opened.asking)
    may = may || is_one_of(job->state, answer.by, asking.of);
  if (!may && answer.by != kDeadline)
    return fail(Code::denied, fmt::format("{} is not asked by request {}", answer.by, id),
                "it asks: " + (opened.asking.empty() ? opened.to : who_in_words(opened)));
  if (opened.kind == RequestKind::approval) TRY(check_over(job->state, opened, answer));
  if (opened.schema && answer.kind == Answer::Kind::answer)
    TRY(check_form_answer(*opened.schema, answer.text));
  return {};
}

Result<void> Owner::answer(const std::string& id, const Answer& given) {
  const base::JobScoped parsed = TRY(base::parse_job_scoped(id, 'r'));
  auto [job, lock] = TRY(hold(parsed.job));
  const core::Request* found = job->state.request(base::RequestId{parsed.number});
  if (found == nullptr)
    return fail(Code::not_found, fmt::format("there is no request {}", id),
                "`alos approvals` lists the open ones");
  if (found->answered) {
    const auto taken =
        fail(Code::conflict,
             fmt::format("request {} was {} by {} already", id,
                         base::name_of(found->answered->answer), found->answered->by),
             "the first answer stands");
    TRY(durable(job, std::move(lock)));  // what it says of the first answer must hold
    return taken;
  }
  if (found->opened.deadline && *found->opened.deadline <= hands_.clock.now()) {
    const base::RequestId late = found->opened.request;
    lock.unlock();
    expire(job, late);
    lock.lock();
    const auto over = fail(Code::conflict, fmt::format("the time to answer request {} is over", id),
                           "its answer is the one that was said beforehand");
    TRY(durable(job, std::move(lock)));
    return over;
  }
  TRY(check_answer(job, *found, given, id));
  if (!job->state.process(found->process)->live())
    return fail(Code::conflict, fmt::format("the process that made request {} has ended", id));
  std::optional<EditedCall> edited;
  if (given.edited)
    edited = TRY(read_edited(found->opened.name, *given.edited, {job->id(), found->process}));
  if (edited) TRY(check_edited(job->state, *found, given.by, *edited, hands_.clock.now()));
  Answer answer = given;
  const core::Request request = *found;
  if (request.opened.kind == RequestKind::budget) {
    TRY(answer_budget(job, lock, request, answer));
  } else if (TRY(vote(job, lock, request, answer))) {
    TRY(settle_request(job, lock, request.opened.request, answer, edited));
    // The same question of others has the same answer; of a number of uses, one each.
    Answer each = answer;
    if (each.scope == Answer::Scope::uses) each.scope = Answer::Scope::once, each.over.reset();
    for (std::size_t i = 0;
         request.opened.kind == RequestKind::approval && !edited && i < job->state.requests.size();
         ++i) {
      const core::Request& other = job->state.requests[i];
      if (!other.answered && same_question(request, other) &&
          job->state.process(other.process)->live()) {
        Answer its = each;  // over no more than that process is asked about
        if (!check_over(job->state, other.opened, its))
          its.scope = Answer::Scope::once, its.over.reset();
        TRY(settle_request(job, lock, other.opened.request, its, {}));
      }
    }
    if (answer.scope != Answer::Scope::once) TRY(answer_all_decided(job, lock, answer.by));
  }
  job->changed.notify_all();
  return durable(job, std::move(lock));
}

// ---- deadlines ----

void Owner::expire_at(const JobPtr& job, base::RequestId id, base::Time when) {
  hands_.executor.post_at(when, [weak = weak_from_this(), job, id] {
    if (const auto self = weak.lock()) self->expire(job, id);
  });
}

void Owner::expire(const JobPtr& job, base::RequestId id) {
  const Lock lock(job->mutex);
  const core::Request* request = job->state.request(id);
  if (job->lost || request == nullptr || request->answered || !request->opened.deadline) return;
  if (!job->state.process(request->process)->live()) return;
  if (hands_.clock.now() < *request->opened.deadline)
    return expire_at(job, id, *request->opened.deadline);
  Answer answer{.kind = Answer::Kind::deny, .text = "nobody answered in time", .by = kDeadline};
  if (request->opened.otherwise && request->opened.kind == RequestKind::question)
    answer.kind = Answer::Kind::answer, answer.text = *request->opened.otherwise;
  else if (request->opened.otherwise)
    answer.kind = Answer::Kind::approve;
  (void)settle_request(job, lock, id, answer, {});
  job->changed.notify_all();
}

}  // namespace alos::kernel
