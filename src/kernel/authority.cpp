#include "kernel/authority.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace alos::kernel {

using base::Code;
using base::fail;

base::Unexpected Authority::refuse(const Lock& lock, const Question& question,
                                   const abi::Need& need, const core::Decision& decision) {
  const Place& place = journal_.place();
  core::AuthorityDecided body{place.call,       journal_.n(),   std::string(question.name),
                              need.resource,    need.right,     core::Verdict::denied,
                              decision.matched, decision.reason};
  if (const auto seq =
          append(journal_.services(), place.job, lock, place.process, place.cause, std::move(body));
      !seq)
    return base::Unexpected(seq.error());
  std::string by;
  for (const base::CapId id : decision.matched)
    by += fmt::format(" ({})", base::to_string(place.job->id(), id));
  const std::string wanted = fmt::format("{} {}", base::name_of(need.right), need.resource.text());
  base::Error error{Code::denied, fmt::format("{} is denied: {}{}", wanted, decision.reason, by),
                    fmt::format("request_permission asks for it; a person can `alos grant {} {}`",
                                base::to_string(place.pid()), base::shell_quoted(wanted))};
  if (decision.is_deny)
    error.details =
        "a person decided so; work without it, or say in your result that it was needed";
  journal_.observe(question.digest, question.name, error);
  return base::Unexpected(std::move(error));
}

std::optional<core::Seen> Authority::seen_at(const ports::Pin* pin) const {
  std::string content;
  if (pin == nullptr) return std::nullopt;
  const auto found = journal_.services().hands.files.preimage(*pin, 0, 0, content);
  return found ? std::optional(core::Seen{found->existed, found->digest}) : std::nullopt;
}

base::Unexpected Authority::ask(const Lock& lock, const Question& question,
                                const Decisions& asked) {
  const Place& place = journal_.place();
  core::RequestOpened request;
  request.kind = core::RequestKind::approval;
  request.to = place.job->state.owner;
  request.name = question.name;
  request.digest = question.digest;
  Shown shown = question.show();
  request.preview = std::move(shown.preview);
  request.arguments = base::Text(std::move(shown.arguments));
  request.seen = std::move(shown.seen);
  const base::Time now = journal_.services().hands.clock.now();
  bool silence_allows = true;
  base::Seq cause = place.cause;
  for (const auto& [need, decision] : asked) {
    for (const base::CapId id : decision.matched) {  // several where they are equally specific
      const core::Capability& ask = *place.job->state.cap(id);
      if (ask.grant.effect != abi::GrantEffect::ask) continue;
      request.asking.push_back(ask.grant.asking);
      request.needs.push_back({need.resource, need.right});
      request.asked_by.push_back(id);
      silence_allows = silence_allows && ask.grant.asking.otherwise_allow;
      if (!ask.grant.asking.within_ms) continue;
      const base::Time end = now + std::chrono::milliseconds(*ask.grant.asking.within_ms);
      request.deadline = std::min(request.deadline.value_or(end), end);
    }
    request.question += fmt::format("{}{} {}", request.question.empty() ? "" : " and ",
                                    base::name_of(need.right), need.resource.text());
    core::AuthorityDecided body{place.call,       journal_.n(),   std::string(question.name),
                                need.resource,    need.right,     core::Verdict::asked,
                                decision.matched, decision.reason};
    const auto seq = journal_.append_after_observations(lock, place.cause, std::move(body));
    if (!seq) return base::Unexpected(seq.error());
    cause = *seq;
  }
  if (std::all_of(request.asking.begin(), request.asking.end(),
                  [](const abi::Asking& one) { return one == abi::Asking{}; }))
    request.asking.clear();
  if (request.deadline && silence_allows) request.otherwise = "yes";
  const auto id = open_request(journal_, lock, cause, std::move(request));
  if (!id) return base::Unexpected(id.error());
  return fail(Code::parked, "waits for request " + base::to_string(place.job->id(), *id));
}

std::vector<core::Decision> weigh(const Place& place, const Lock& lock, ports::Grounds& grounds,
                                  base::Time now) {
  CHECK(lock.owns_lock());
  const core::JobState& state = place.job->state;
  grounds.authority_version = state.authority_version;
  grounds.matched.clear();
  grounds.spends.clear();
  std::vector<core::Decision> decisions;
  for (const abi::Need& need : grounds.needs) {
    const core::Decision& decision =
        decisions.emplace_back(core::decide(state, place.process, need, grounds.digest, now));
    grounds.matched.insert(grounds.matched.end(), decision.matched.begin(), decision.matched.end());
    for (const base::CapId id : decision.spends)
      if (std::find(grounds.spends.begin(), grounds.spends.end(), id) == grounds.spends.end())
        grounds.spends.push_back(id);
  }
  return decisions;
}

base::Result<void> still_granted(const Place& place, const Lock& lock, ports::Grounds& grounds,
                                 base::Time now) {
  if (place.job->state.authority_version == grounds.authority_version) return {};
  const std::vector<core::Decision> decisions = weigh(place, lock, grounds, now);
  for (std::size_t i = 0; i < decisions.size(); ++i)
    if (decisions[i].verdict != core::Verdict::allowed)
      return fail(
          Code::denied,
          fmt::format("{} {}: the authority for it has just gone",
                      base::name_of(grounds.needs[i].right), grounds.needs[i].resource.text()),
          "ask again");
  return {};
}

base::Result<void> Authority::check(const Lock& lock, const Question& question,
                                    ports::Grounds& grounds) {
  const Place& place = journal_.place();
  const core::JobState& state = place.job->state;
  const core::Process* process = state.process(place.process);
  const core::Frame* frame = process == nullptr ? nullptr : process->frame(place.call);
  if (frame == nullptr) return fail(Code::cancelled, "the call was ended from outside");
  const core::Syscall* open = frame->find(journal_.n());
  if (open != nullptr && open->stage == core::Stage::intended)
    return check_open_intent(lock, grounds, *open);
  const base::Time now = journal_.services().hands.clock.now();
  const std::vector<core::Decision> decisions = weigh(place, lock, grounds, now);
  Decisions asked, approved;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].verdict == core::Verdict::denied)
      return refuse(lock, question, grounds.needs[i], decisions[i]);
    if (decisions[i].verdict == core::Verdict::asked)
      asked.emplace_back(grounds.needs[i], decisions[i]);
    else if (!decisions[i].reason.empty())
      approved.emplace_back(grounds.needs[i], decisions[i]);
  }
  TRY(journal_.afford(lock, grounds, question.name));  // nobody is asked for what cannot be paid
  if (!asked.empty()) return ask(lock, question, asked);
  return note_approvals(lock, question, approved);
}

// A yes that rests on an approval of this very call is evidence like a no.
base::Result<void> Authority::note_approvals(const Lock& lock, const Question& question,
                                             const Decisions& approved) {
  const Place& place = journal_.place();
  for (const auto& [need, decision] : approved) {
    core::AuthorityDecided body{place.call,       journal_.n(),   std::string(question.name),
                                need.resource,    need.right,     core::Verdict::allowed,
                                decision.matched, decision.reason};
    TRY(append(journal_.services(), place.job, lock, place.process, place.cause, std::move(body)));
  }
  return {};
}

// An intent that a crash interrupted: authority said yes to exactly this, and that is durable. It
// goes on unless that authority has been taken back since; then it is only looked at.
base::Result<void> Authority::check_open_intent(const Lock& lock, ports::Grounds& grounds,
                                                const core::Syscall& open) const {
  CHECK(lock.owns_lock());
  const Place& place = journal_.place();
  const core::JobState& state = place.job->state;
  grounds.matched = open.matched;
  grounds.spends = open.spends;  // taken already; says that even an observation has an intent
  grounds.reserves = open.reserves;
  grounds.authority_version = state.authority_version;
  for (const base::CapId id : open.matched) {
    const core::Capability* cap = state.cap(id);
    grounds.settle_only = grounds.settle_only || cap == nullptr || cap->revoked;
  }
  const base::Time now = journal_.services().hands.clock.now();
  for (const abi::Need& need : grounds.needs) {
    // A link put there since leads to a place that nobody decided.
    grounds.settle_only =
        grounds.settle_only ||
        std::none_of(open.needs.begin(), open.needs.end(), [&](const core::NeedText& one) {
          return one.right == need.right && one.resource == need.resource;
        });
    const core::Decision decision = core::decide(state, place.process, need, grounds.digest, now);
    for (const base::CapId id : decision.matched)
      grounds.settle_only =
          grounds.settle_only || state.cap(id)->grant.effect == abi::GrantEffect::deny;
  }
  return {};
}

}  // namespace alos::kernel
