#include "kernel/enact.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/decide.h"
#include "kernel/answers.h"
#include "kernel/journal.h"
#include "kernel/mail.h"
#include "kernel/schema.h"

namespace alos::kernel {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::uint64_t kSleepMsMax = 366ULL * 24 * 3600 * 1000;

Result<void> check_name(std::string_view name) {
  if (name.empty() || name.size() > abi::kObjectNameBytesMax)
    return fail(Code::invalid, fmt::format("an object's name has {} bytes", name.size()),
                fmt::format("from 1 to {}", abi::kObjectNameBytesMax));
  return {};
}

Result<void> check_text(std::string_view what, std::string_view text) {
  if (text.empty()) return fail(Code::invalid, fmt::format("the {} is empty", what));
  if (text.size() > abi::kHumanTextBytesMax)
    return fail(
        Code::invalid, fmt::format("the {} has {} bytes", what, text.size()),
        fmt::format("at most {}; put the rest into an object or a file", abi::kHumanTextBytesMax));
  return {};
}

const core::Object* find_object(const core::JobState& state, const std::string& space,
                                const std::string& name) {
  const auto found = state.objects.find(space);
  if (found == state.objects.end()) return nullptr;
  const auto object = found->second.find(name);
  return object == found->second.end() ? nullptr : &object->second;
}

std::string space_of(const Enactment& act, const std::optional<std::string>& space) {
  return space.value_or(base::to_string(act.pid()));
}

base::Unexpected no_object(const std::string& space, const std::string& name) {
  return fail(Code::not_found,
              fmt::format("there is no object `{}` in namespace {}", base::printable(name),
                          base::printable(space)),
              "list_objects shows what is there");
}

}  // namespace

const core::JobState& Enactment::state() const { return journal_.place().job->state; }
const core::Process& Enactment::process() const {
  return *state().process(journal_.place().process);
}
base::Pid Enactment::pid() const { return journal_.place().pid(); }
base::Time Enactment::now() const { return journal_.services().hands.clock.now(); }
base::Seq Enactment::cause() const { return journal_.place().cause; }

Result<base::Seq> Enactment::append(base::Seq cause, core::Body body) {
  changed_ = true;
  return journal_.append_after_observations(lock_, cause, std::move(body));
}

Result<std::string> Enactment::load(const base::Payload& payload) const {
  return bytes_of(journal_.services(), journal_.place().job, lock_, payload);
}

base::Unexpected Enactment::park_until(base::Time when, std::string_view name) {
  const Place& place = journal_.place();
  const auto seq = append(
      place.cause, core::CallWaiting{
                       place.call, journal_.n(), std::string(name), grounds_.digest, when, {}, {}});
  if (!seq) return base::Unexpected(seq.error());
  journal_.services().wakes.wake_at(place.job, place.process, place.call, journal_.n(), when);
  return fail(Code::parked, "sleeps until " + base::to_string(when));
}

base::Unexpected Enactment::park_for(std::uint32_t child, std::string_view name) {
  const Place& place = journal_.place();
  const auto seq =
      append(place.cause,
             core::CallWaiting{
                 place.call, journal_.n(), std::string(name), grounds_.digest, {}, {}, child});
  if (!seq) return base::Unexpected(seq.error());
  return fail(Code::parked,
              "waits for process " + base::to_string(base::Pid{place.job->id(), child}));
}

base::Unexpected Enactment::park_for_any(std::vector<std::uint32_t> children,
                                         std::string_view name) {
  const Place& place = journal_.place();
  core::CallWaiting waiting{
      place.call, journal_.n(), std::string(name), grounds_.digest, {}, {}, {}, {}, {}};
  waiting.any = std::move(children);
  const auto seq = append(place.cause, std::move(waiting));
  if (!seq) return base::Unexpected(seq.error());
  return fail(Code::parked, "waits for one of several processes");
}

base::Unexpected Enactment::park_for_letter(const abi::LetterFilter& which,
                                            std::optional<std::uint64_t> timeout_ms) {
  const Place& place = journal_.place();
  std::optional<base::Time> until;
  if (timeout_ms) until = now() + std::chrono::milliseconds(*timeout_ms);
  const auto seq = append(place.cause, core::CallWaiting{place.call,
                                                         journal_.n(),
                                                         std::string(abi::MsgReceive::kName),
                                                         grounds_.digest,
                                                         until,
                                                         {},
                                                         {},
                                                         which});
  if (!seq) return base::Unexpected(seq.error());
  if (until)
    journal_.services().wakes.wake_at(place.job, place.process, place.call, journal_.n(), *until);
  return fail(Code::parked, "waits for a message");
}

Result<void> Enactment::hand_out(std::uint32_t process) {
  return kernel::hand_out(journal_.services(), journal_.place().job, lock_, process);
}

void Enactment::wake(std::uint32_t process) const {
  journal_.services().wakes.wake_locked(journal_.place().job, lock_, process);
}

Result<void> Enactment::release_orphans() {
  return kernel::release_orphans(journal_.services(), journal_.place().job, lock_,
                                 "process:" + base::to_string(pid()));
}

const std::vector<abi::Image>& Enactment::images() const { return journal_.services().images; }

base::Unexpected Enactment::park_on(core::RequestOpened request) {
  changed_ = true;
  request.digest = grounds_.digest;
  const auto id = open_request(journal_, lock_, journal_.place().cause, std::move(request));
  if (!id) return base::Unexpected(id.error());
  return fail(Code::parked,
              "waits for request " + base::to_string(journal_.place().job->id(), *id));
}

Result<base::RequestId> open_request(Journal& journal, const Lock& lock, base::Seq cause,
                                     core::RequestOpened request) {
  const Place& place = journal.place();
  request.request = base::RequestId{place.job->state.requests.size() + 1};
  core::CallWaiting waiting{place.call,      journal.n(), request.name, request.digest, {},
                            request.request, {}};
  const base::RequestId id = request.request;
  const std::optional<base::Time> deadline = request.deadline;
  const base::Seq opened = TRY(journal.append_after_observations(lock, cause, std::move(request)));
  TRY(journal.append_after_observations(lock, opened, std::move(waiting)));
  if (deadline) journal.services().wakes.expire_at(place.job, id, *deadline);
  return id;
}

Result<abi::TimeSleep::Reply> carry_out(Enactment& act, const abi::TimeSleep& call) {
  if (call.milliseconds > kSleepMsMax) return fail(Code::invalid, "sleep is at most 366 days");
  return act.park_until(act.now() + std::chrono::milliseconds(call.milliseconds),
                        abi::TimeSleep::kName);
}

Result<abi::HumanAsk::Reply> carry_out(Enactment& act, const abi::HumanAsk& call) {
  TRY(check_text("question", call.question));
  if (call.schema) TRY(check_own_schema(TRY(act.load(*call.schema))));
  core::RequestOpened request;
  request.kind = core::RequestKind::question;
  request.to = call.to;
  request.question = call.question;
  request.choices = call.choices;
  request.name = abi::HumanAsk::kName;
  request.schema = call.schema;
  if (call.timeout_ms) {
    if (*call.timeout_ms == 0 || *call.timeout_ms > kSleepMsMax)
      return fail(Code::invalid, "a question waits from 1 ms to 366 days");
    request.deadline = act.now() + std::chrono::milliseconds(*call.timeout_ms);
    request.otherwise = call.otherwise;
  }
  return act.park_on(std::move(request));
}

Result<abi::HumanTell::Reply> carry_out(Enactment& act, const abi::HumanTell& call) {
  TRY(check_text("text", call.text));
  TRY(act.append(act.cause(), core::HumanTold{call.to, call.text}));
  return abi::HumanTell::Reply{};
}

Result<abi::CapRequest::Reply> carry_out(Enactment& act, const abi::CapRequest& call) {
  TRY(check_text("reason", call.reason));
  if (call.grants.empty() || call.grants.size() > abi::kGrantsPerRequestMax)
    return fail(Code::invalid, fmt::format("a request has {} grants", call.grants.size()),
                fmt::format("from 1 to {}", abi::kGrantsPerRequestMax));
  for (const abi::Grant& grant : call.grants)
    if (grant.effect != abi::GrantEffect::allow)
      return fail(Code::invalid, fmt::format("`{}` asks for no authority", grant.to_text()),
                  "request plain grants");
  core::RequestOpened request;
  request.kind = core::RequestKind::grant;
  request.to = "owner";
  request.question = call.reason;
  request.name = abi::CapRequest::kName;
  request.grants = call.grants;
  return act.park_on(std::move(request));
}

Result<abi::CapList::Reply> carry_out(Enactment& act, const abi::CapList&) {
  abi::CapList::Reply reply;
  for (const base::CapId id : act.state().index.of(act.process().number)) {
    const core::Capability& cap = *act.state().cap(id);
    if (!core::is_live(act.state(), cap, act.now())) continue;
    abi::Grant grant = cap.grant;
    grant.uses = core::uses_left(act.state(), cap);
    reply.capabilities.push_back({cap.id, std::move(grant), cap.from});
  }
  return reply;
}

Result<abi::MemPut::Reply> carry_out(Enactment& act, const abi::MemPut& call) {
  TRY(check_name(call.name));
  const std::string space = space_of(act, call.space);
  const core::Object* before = find_object(act.state(), space, call.name);
  const std::uint64_t version = before == nullptr ? 0 : before->version;
  if (call.expected_version && *call.expected_version != version)
    return fail(Code::conflict,
                fmt::format("object `{}` has version {}, not {}", base::printable(call.name),
                            version, *call.expected_version),
                "get it and try again");
  TRY(act.append(act.cause(),
                 core::ObjectPut{space, call.name, call.type, version + 1, call.value}));
  return abi::MemPut::Reply{call.name, version + 1};
}

Result<abi::MemGet::Reply> carry_out(Enactment& act, const abi::MemGet& call) {
  const std::string space = space_of(act, call.space);
  const core::Object* object = find_object(act.state(), space, call.name);
  if (object == nullptr) return no_object(space, call.name);
  std::string value = TRY(act.load(object->value));
  return abi::MemGet::Reply{object->type, object->version, base::Json::trusted(std::move(value))};
}

Result<abi::MemAppend::Reply> carry_out(Enactment& act, const abi::MemAppend& call) {
  const std::string space = space_of(act, call.space);
  const core::Object* object = find_object(act.state(), space, call.name);
  if (object == nullptr) return no_object(space, call.name);
  std::string value = TRY(act.load(object->value));
  const std::string& item = call.item.data;
  const bool text = value.front() == '"' && item.front() == '"';
  if (!text && value.front() != '[')
    return fail(Code::invalid,
                fmt::format("object `{}` is neither an array nor, with this item, a string",
                            base::printable(call.name)),
                "put_object replaces it");
  value.pop_back();
  if (text)
    value += item.substr(1);
  else
    ((value += value.size() == 1 ? "" : ",") += item) += ']';
  const std::uint64_t version = object->version + 1;
  TRY(act.append(act.cause(), core::ObjectPut{space, call.name, object->type, version,
                                              base::Json::trusted(std::move(value))}));
  return abi::MemAppend::Reply{call.name, version};
}

Result<abi::MemList::Reply> carry_out(Enactment& act, const abi::MemList& call) {
  abi::MemList::Reply reply;
  const std::string space = space_of(act, call.space);
  const auto found = act.state().objects.find(space);
  if (found == act.state().objects.end()) return reply;
  const core::SubtreeView view(act.state(), act.process().number, abi::Resource::object(space, ""),
                               act.now());
  for (const auto& [name, object] : found->second)
    if (view.shows(abi::Resource::object(space, name), abi::Right::list))
      reply.objects.push_back({name, object.type, object.version, object.value.size_bytes()});
  return reply;
}

Result<abi::ProcInfo::Reply> carry_out(Enactment& act, const abi::ProcInfo&) {
  const core::Process& process = act.process();
  abi::ProcInfo::Reply reply{act.pid(),     {},          process.name, process.image,
                             process.model, process.cwd, {},           process.tools};
  reply.goal = base::Text(TRY(act.load(process.goal)));
  if (process.parent != 0) reply.parent = base::Pid{act.pid().job, process.parent};
  return reply;
}

Result<abi::ProcChdir::Reply> carry_out(Enactment& act, const abi::ProcChdir& call) {
  TRY(act.append(act.cause(), core::ProcessMoved{call.path}));
  return abi::ProcChdir::Reply{};
}

Result<abi::ProcExit::Reply> carry_out(Enactment& act, const abi::ProcExit& call) {
  TRY(act.append(act.cause(), core::ProcessExiting{call.result}));
  return abi::ProcExit::Reply{};
}

}  // namespace alos::kernel
