// Record: one state change of a job, and all there is to know about it.
//
// A job's state is the fold of its records (apply.h). The canonical form of a record is one line of
// JSON; the journal is the chain hash = SHA-256(previous hash || line). Kinds stay readable for
// ever and what a kind means never changes: a new meaning is a new kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "abi/calls.h"
#include "base/id.h"
#include "base/json.h"

namespace alos::core {

using abi::Budget;
using abi::Usage;

struct Price {  // of a model, in millionths of a US dollar per million tokens
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  ALOS_FIELDS(input, output)
};

// What a person was shown of the place that a call would change.
struct Seen {
  bool existed = false;
  std::optional<base::Digest> digest;  // of a file's content
  ALOS_FIELDS(existed, digest)
  bool operator==(const Seen&) const = default;
};

// Authority over one pattern. Live while it and all that it is derived from are not revoked, not
// used up and not expired.
struct Capability {
  base::CapId id;
  std::uint32_t holder = 0;  // process number; 0: a standing answer to what any process is to ask
  abi::Grant grant;          // `uses` as first granted
  std::optional<base::CapId> parent;       // derived from; of an approval: the ask it answers
  std::optional<base::Digest> bound_call;  // fits this very call only
  std::string from;  // who granted it: manifest, base, human:owner (request 7.r1), ...
  std::optional<std::uint64_t> uses_left;
  bool revoked = false;
  base::Seq seq = 0;         // of the record that granted it
  std::optional<Seen> seen;  // of a bound one: holds as long as that is there
  ALOS_FIELDS(id, holder, grant, parent, bound_call, from, uses_left, revoked, seq, seen)
};

ALOS_ENUM(Verdict, allowed, asked, denied)
ALOS_ENUM(OutcomeKind, done, not_started, failed, unknown)
ALOS_ENUM(RequestKind, approval, question, grant, budget)
ALOS_ENUM(AnswerKind, approved, denied, answered, cancelled)

struct NeedText {  // a Need in a record
  abi::Resource resource;
  abi::Right right = abi::Right::read;
  ALOS_FIELDS(resource, right)
};

// ---- the kinds ----

// Somebody who may be asked, and what they are: owner, reviewer, ops.
struct Person {
  std::string name;
  std::vector<std::string> roles;
  ALOS_FIELDS(name, roles)
  bool operator==(const Person&) const = default;
};

struct JobCreated {
  static constexpr std::string_view kKind = "job.created";
  std::string owner;
  abi::Roots roots;
  std::vector<std::string> trapdoors;
  std::vector<Person> people;  // besides the owner
  ALOS_FIELDS(owner, roots, trapdoors, people)
  static constexpr std::size_t kAddedFrom = 3;
};

struct JobOpened {  // a runtime took the job up (again)
  static constexpr std::string_view kKind = "job.opened";
  std::uint64_t epoch = 0;
  ALOS_FIELDS(epoch)
};

struct ProcessSpawned {
  static constexpr std::string_view kKind = "process.spawned";
  std::uint32_t number = 0;
  std::uint32_t parent = 0;  // 0: the root has none
  std::string name;
  std::string image;
  std::string model;
  base::Text prompt;
  base::Text goal;
  std::vector<std::string> tools;
  base::Path cwd;
  Budget budget;
  Price price;
  ALOS_FIELDS(number, parent, name, image, model, prompt, goal, tools, cwd, budget, price)
};

struct ProcessMoved {
  static constexpr std::string_view kKind = "process.moved";
  base::Path cwd;
  ALOS_FIELDS(cwd)
};

struct ProcessPaused {
  static constexpr std::string_view kKind = "process.paused";
  std::string by;
  std::string reason;
  ALOS_FIELDS(by, reason)
};

struct ProcessResumed {
  static constexpr std::string_view kKind = "process.resumed";
  std::string by;
  ALOS_FIELDS(by)
};

struct ProcessExiting {  // exit was asked for; the process ends when its call has returned
  static constexpr std::string_view kKind = "process.exiting";
  base::Text result;
  ALOS_FIELDS(result)
};

struct ProcessExited {
  static constexpr std::string_view kKind = "process.exited";
  base::Text result;
  ALOS_FIELDS(result)
};

struct ProcessFailed {
  static constexpr std::string_view kKind = "process.failed";
  base::Error error;
  ALOS_FIELDS(error)
};

struct ProcessKilled {
  static constexpr std::string_view kKind = "process.killed";
  std::string by;
  std::string reason;
  ALOS_FIELDS(by, reason)
};

struct CapGranted {
  static constexpr std::string_view kKind = "cap.granted";
  Capability cap;
  ALOS_FIELDS(cap)
};

struct CapRevoked {
  static constexpr std::string_view kKind = "cap.revoked";
  std::vector<base::CapId> caps;
  std::string by;
  ALOS_FIELDS(caps, by)
};

// Every refusal and every question, and every yes that rests on an approval.
struct AuthorityDecided {
  static constexpr std::string_view kKind = "authority.decided";
  base::CallId call;
  std::uint32_t n = 0;
  std::string name;
  abi::Resource resource;
  abi::Right right = abi::Right::read;
  Verdict decision = Verdict::denied;
  std::vector<base::CapId> matched;
  std::string reason;
  ALOS_FIELDS(call, n, name, resource, right, decision, matched, reason)
};

struct TurnStarted {  // a durable call whose one syscall is model.generate
  static constexpr std::string_view kKind = "turn.started";
  base::CallId call;
  std::uint32_t turn = 0;
  ALOS_FIELDS(call, turn)
};

struct TurnFailed {  // the model gave no reply; the program has been told
  static constexpr std::string_view kKind = "turn.failed";
  base::CallId call;
  base::Error error;
  ALOS_FIELDS(call, error)
};

struct ToolCalled {
  static constexpr std::string_view kKind = "tool.called";
  base::CallId call;
  std::string tool;
  std::optional<std::string> request;   // the model's id of it, in its last reply
  std::optional<base::Text> arguments;  // of a call from outside the model
  ALOS_FIELDS(call, tool, request, arguments)
};

struct ToolReturned {
  static constexpr std::string_view kKind = "tool.returned";
  base::CallId call;
  std::string tool;
  bool ok = false;
  std::optional<base::Json> value;
  std::optional<base::Error> error;
  ALOS_FIELDS(call, tool, ok, value, error)
};

struct CallIntended {
  static constexpr std::string_view kKind = "call.intended";
  base::CallId call;
  std::uint32_t n = 0;
  std::string name;
  abi::EffectClass effect = abi::EffectClass::once;
  base::Digest digest;
  std::vector<NeedText> needs;
  std::vector<base::CapId> matched;
  std::vector<base::CapId> spends;
  std::optional<bool> existed;           // preimage: was there something
  std::optional<base::Digest> preimage;  // of its content
  std::optional<base::Text> kept;        // the content itself, when small enough to keep
  Usage reserves;                        // what it may spend at most
  ALOS_FIELDS(call, n, name, effect, digest, needs, matched, spends, existed, preimage, kept,
              reserves)
  static constexpr std::size_t kAddedFrom = 11;
};

struct CallSettled {  // the outcome of an intent
  static constexpr std::string_view kKind = "call.settled";
  base::CallId call;
  std::uint32_t n = 0;
  OutcomeKind outcome = OutcomeKind::done;
  std::optional<base::RawJson> reply;
  std::optional<base::Error> error;
  Usage usage;
  ALOS_FIELDS(call, n, outcome, reply, error, usage)
};

// What a syscall without an intent came to. Recorded as soon as something depends on it.
struct CallObserved {
  static constexpr std::string_view kKind = "call.observed";
  base::CallId call;
  std::uint32_t n = 0;
  std::string name;
  base::Digest digest;
  std::optional<base::RawJson> reply;
  std::optional<base::Error> error;
  ALOS_FIELDS(call, n, name, digest, reply, error)
};

struct CallWaiting {
  static constexpr std::string_view kKind = "call.waiting";
  base::CallId call;
  std::uint32_t n = 0;
  std::string name;
  base::Digest digest;
  std::optional<base::Time> until;
  std::optional<base::RequestId> request;
  std::optional<std::uint32_t> child;       // until this process has ended
  std::optional<abi::LetterFilter> letter;  // until such a message has come
  std::vector<std::uint32_t> any;           // until one of these processes has ended
  ALOS_FIELDS(call, n, name, digest, until, request, child, letter, any)
  static constexpr std::size_t kAddedFrom = 8;
};

// More of a budget that is used up, to whom it belongs, and what is needed of it now.
struct BudgetAsk {
  abi::BudgetKind kind = abi::BudgetKind::tool_calls;
  std::uint32_t process = 0;
  std::uint64_t needed = 0;
  ALOS_FIELDS(kind, process, needed)
  bool operator==(const BudgetAsk&) const = default;
};

struct RequestOpened {
  static constexpr std::string_view kKind = "request.opened";
  base::RequestId request;
  RequestKind kind = RequestKind::question;
  std::string to;
  std::string question;  // for people; for approvals the need in words
  std::vector<std::string> choices;
  std::string name;                      // of the call
  base::Digest digest;                   // of the call
  std::vector<NeedText> needs;           // approval: what is asked
  std::vector<base::CapId> asked_by;     // approval: the capability that says to ask, for each need
  std::vector<abi::Grant> grants;        // grant: what is asked
  std::string preview;                   // what the call would do
  std::vector<abi::Asking> asking;       // approval: who must say yes, for each need
  std::optional<base::Time> deadline;    // answered by itself then,
  std::optional<std::string> otherwise;  // with this (question), or with yes (approval)
  std::optional<base::Json> schema;      // question: of the answer, which is JSON
  std::optional<base::Text> arguments;   // approval: the call as JSON, to be edited
  std::optional<BudgetAsk> budget;       // budget: of what
  std::optional<Seen> seen;              // approval: what is there now
  ALOS_FIELDS(request, kind, to, question, choices, name, digest, needs, asked_by, grants, preview,
              asking, deadline, otherwise, schema, arguments, budget, seen)
  static constexpr std::size_t kAddedFrom = 11;
};

// One of several people who must agree. The last vote is followed by request.answered.
struct RequestVoted {
  static constexpr std::string_view kKind = "request.voted";
  base::RequestId request;
  std::string by;
  std::string scope;
  ALOS_FIELDS(request, by, scope)
  bool operator==(const RequestVoted&) const = default;
};

struct RequestAnswered {
  static constexpr std::string_view kKind = "request.answered";
  base::RequestId request;
  AnswerKind answer = AnswerKind::denied;
  std::string by;
  std::string scope;                 // approved: once, 3 uses, until ..., process
  std::string text;                  // the answer, or the reason
  std::optional<base::Text> edited;  // approved: the call as it is to be done instead
  ALOS_FIELDS(request, answer, by, scope, text, edited)
};

struct ObjectPut {
  static constexpr std::string_view kKind = "object.put";
  std::string space;
  std::string name;
  std::string type;
  std::uint64_t version = 0;
  base::Json value;
  ALOS_FIELDS(space, name, type, version, value)
};

struct HumanTold {
  static constexpr std::string_view kKind = "human.told";
  std::string to;
  std::string text;
  ALOS_FIELDS(to, text)
};

// Four fifths of a process's budget are used. Said once for a limit.
struct BudgetWarned {
  static constexpr std::string_view kKind = "budget.warned";
  abi::BudgetKind kind = abi::BudgetKind::tool_calls;
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  ALOS_FIELDS(kind, used, limit)
};

struct BudgetSet {  // a limit was changed; absent: there is none any more
  static constexpr std::string_view kKind = "budget.set";
  abi::BudgetKind kind = abi::BudgetKind::tool_calls;
  std::optional<std::uint64_t> limit;
  std::string by;
  ALOS_FIELDS(kind, limit, by)
};

struct MessageSent {  // within the job it is in the mailbox by that, else in the outbox
  static constexpr std::string_view kKind = "message.sent";
  std::uint64_t number = 0;  // of its sender's, from 1
  base::Pid to;
  std::string kind;
  base::Text text;
  std::optional<std::uint64_t> re;
  ALOS_FIELDS(number, to, kind, text, re)
};

struct MessageReceived {  // from another job, or a person
  static constexpr std::string_view kKind = "message.received";
  abi::Letter letter;
  ALOS_FIELDS(letter)
};

struct MessageDelivered {  // the other job has it, or never will: then why
  static constexpr std::string_view kKind = "message.delivered";
  std::uint32_t process = 0;  // the sender
  std::uint64_t number = 0;
  std::optional<base::Error> error;
  ALOS_FIELDS(process, number, error)
};

struct MessageTaken {
  static constexpr std::string_view kKind = "message.taken";
  std::string from;
  std::uint64_t number = 0;
  ALOS_FIELDS(from, number)
};

using Body =
    std::variant<JobCreated, JobOpened, ProcessSpawned, ProcessMoved, ProcessPaused, ProcessResumed,
                 ProcessExiting, ProcessExited, ProcessFailed, ProcessKilled, CapGranted,
                 CapRevoked, AuthorityDecided, TurnStarted, TurnFailed, ToolCalled, ToolReturned,
                 CallIntended, CallSettled, CallObserved, CallWaiting, RequestOpened,
                 RequestAnswered, ObjectPut, HumanTold, RequestVoted, BudgetWarned, BudgetSet,
                 MessageSent, MessageReceived, MessageDelivered, MessageTaken>;

struct Record {
  base::JobId job;
  base::Seq seq = 0;
  base::Time at;
  std::uint32_t process = 1;  // whom it concerns; the job itself counts as its root
  base::Seq cause = 0;        // the record that led to this one; 0: from outside
  Body body;

  base::Pid pid() const { return {job, process}; }
};

std::string_view kind_of(const Record& record);

// Appends the canonical line, without the newline.
void append_canonical(std::string& out, const Record& record);

// Errors are `corrupt` and name job and seq where they can be read.
base::Result<Record> parse_record(std::string_view line);

inline base::Digest chain(const base::Digest& previous, std::string_view line) {
  return base::Digest::of(previous.view(), line);
}

}  // namespace alos::core
