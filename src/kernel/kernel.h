// Kernel: what faces may ask of the runtime. The only header of this room that others see, besides
// the runtime that composes it.
//
// Everything that leaves here is durable: views come from committed projections or wait for the
// commit, records are handed out when their batch is on disk, a decision is acknowledged when it is
// recorded.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "abi/image.h"
#include "abi/program.h"

namespace alos::kernel {

// Somebody who may be asked besides the owner, and what they are: reviewer, ops.
struct Person {
  std::string name;
  std::vector<std::string> roles;
};

// What a policy says beforehand to whatever is to be asked in the job: yes (allow) or no (deny). It
// answers asks and grants nothing.
struct Standing {
  abi::Grant grant;
  std::string from;  // policy:store
};

struct GrantFrom {
  abi::Grant grant;
  std::string from;  // manifest, base, human:owner
};

// What a root process is started with; the host's word, the source of all its authority.
struct Launch {
  std::string owner = "owner";
  std::string name = "root";
  std::string image = "base";
  std::optional<std::string> prompt;              // instead of the image's
  std::optional<std::vector<std::string>> tools;  // instead of the image's
  std::string goal;
  std::string model;
  abi::Roots roots;
  base::Path cwd;
  std::vector<abi::Grant> grants;
  enum class Base : std::uint8_t { grants, none } base = Base::grants;
  abi::Budget budget;
  std::uint64_t usd_micro_per_mtok_in = 0, usd_micro_per_mtok_out = 0;
  std::vector<std::string> needs;      // declared besides the image's; looked at by plan() only
  std::vector<std::string> trapdoors;  // besides the built-in ones
  std::vector<Person> people;          // besides the owner
  std::vector<Standing> standing;
  enum class Start : std::uint8_t { now, paused } start = Start::now;
};

// What comes of one declared need.
struct NeedView {
  std::string need;
  std::string state;  // granted, asked, answered (a policy says yes to the ask), denied, unmet
  std::string by;     // the grant that decides, and from whom
  std::vector<std::string> except;  // grants that say otherwise about a part of it
  std::string missing;              // unmet: the grant that would meet it
  ALOS_FIELDS(need, state, by, except, missing)
};

// What a launch would give: for --dry-run. Nothing is started.
struct Plan {
  abi::Image image;
  std::vector<GrantFrom> grants;
  std::vector<NeedView> needs;     // of the image and of the launch
  std::vector<std::string> unmet;  // grants that would meet those that are not met
  std::vector<std::string> trapdoors;
};

struct ProcessView {
  base::Pid pid;
  std::optional<base::Pid> parent;
  std::string name, image, model, goal;
  std::string state;       // runnable, waiting, paused, exited, failed, killed
  std::string waiting_on;  // model:..., request 7.r2, until TIME
  std::string reason;      // paused, failed, killed
  std::optional<base::Error> error;
  std::optional<std::string> result;
  base::Path cwd;
  std::uint64_t turns = 0, tool_calls = 0, input_tokens = 0, output_tokens = 0, usd_micro = 0;
  base::Time started, updated;
  std::string budget;  // of the limit that is used most: tool_calls 84%
  ALOS_FIELDS(pid, parent, name, image, model, goal, state, waiting_on, reason, error, result, cwd,
              turns, tool_calls, input_tokens, output_tokens, usd_micro, started, updated, budget)
  static constexpr std::size_t kAddedFrom = 19;
  bool ended() const { return state == "exited" || state == "failed" || state == "killed"; }
};

struct RequestView {
  std::string id;  // 7.r2
  base::Pid pid;
  std::string process, goal;  // who asks, and for what end
  std::string kind;           // approval, question, grant, budget
  std::string to, question;
  std::vector<std::string> choices;
  std::vector<std::string> asks;  // the grants a yes would give, as text
  std::string preview;
  std::string answer;  // empty while open; approved, denied, answered, cancelled
  base::Time at;
  base::Seq seq = 0;
  std::string who;                     // must say yes, in words: 2 of owner, ops; empty: the owner
  std::vector<std::string> votes;      // who has said yes so far, of several
  std::optional<base::Time> deadline;  // answered by itself then,
  std::string otherwise;               // with this
  std::string call;                    // name of the call that an approval is about
  std::string arguments;               // and the call as JSON, to be edited
  std::string schema;                  // question: of the answer, which is JSON
  std::optional<abi::BudgetKind> budget;  // budget: what is used up,
  std::uint64_t more = 0;                 // and how much more of it a plain yes gives
  std::vector<std::string>
      within;  // approval: patterns of the asks; a yes is given over what all of them cover
  ALOS_FIELDS(id, pid, process, goal, kind, to, question, choices, asks, preview, answer, at, seq,
              who, votes, deadline, otherwise, call, arguments, schema, budget, more, within)
  static constexpr std::size_t kAddedFrom = 13;
};

struct CapabilityView {
  std::string id;  // 7.c3
  std::string grant;
  std::string from;
  std::optional<std::uint64_t> uses_left;
  std::string state;   // live, used up, expired, revoked
  bool bound = false;  // fits one call only
  base::Seq seq = 0;
  std::string holder;  // 7.2; empty: a standing answer of the job
  std::string parent;  // derived from, or the ask it answers
  ALOS_FIELDS(id, grant, from, uses_left, state, bound, seq, holder, parent)
  static constexpr std::size_t kAddedFrom = 7;
};

// One kind of a process's budget; also of what is not limited, when some of it was used.
struct BudgetView {
  abi::BudgetKind kind = abi::BudgetKind::tool_calls;
  std::optional<std::uint64_t> limit;  // absent: no limit
  std::uint64_t used = 0;              // by the pool: this process and those that share its limit
  std::uint64_t reserved = 0;          // by calls under way
  std::string pool;                    // 7.1: whose limit it is
  ALOS_FIELDS(kind, limit, used, reserved, pool)
};

struct RecordView {
  base::Pid pid;
  base::Seq seq = 0;
  base::Seq cause = 0;
  base::Time at;
  std::string kind;
  std::string body;  // JSON, payloads at hand
  std::string line;  // canonical, as hashed
  base::Digest hash;
};

struct Answer {
  enum class Kind : std::uint8_t { approve, deny, answer } kind = Kind::deny;
  std::string text;  // the answer, or why not
  // Of a yes: this very call; this process so often, until then, or for good; the whole job, now
  // and later. Of a no: once, or for the job.
  enum class Scope : std::uint8_t { once, uses, until, process, job } scope = Scope::once;
  std::uint64_t uses = 1;
  base::Time until;
  std::optional<abi::Pattern> over;   // of a yes wider than once: instead of the very resource
  std::optional<std::string> edited;  // of a yes once: the call as JSON, to be done instead
  std::optional<std::uint64_t> more;  // of a yes to more budget: how much; absent: as was proposed
  std::string by = "human:owner";
};

struct Finding {
  std::string what;
};

struct AuditReport {
  std::uint64_t jobs = 0, records = 0;
  std::vector<Finding> findings;  // empty: every record is as it was written
};

// Durable records as they come, in order within a job.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Empty when `patience` passed without one.
  virtual std::vector<RecordView> next(std::chrono::milliseconds patience) = 0;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  // ---- looking: works on a store that is owned elsewhere too ----
  enum class Which : std::uint8_t { live, all };
  virtual base::Result<std::vector<ProcessView>> processes(Which which) = 0;
  virtual base::Result<ProcessView> process(base::Pid pid) = 0;
  virtual base::Result<std::vector<RequestView>> requests(Which which) = 0;
  virtual base::Result<RequestView> request(const std::string& id) = 0;
  // At most `limit` of them, behind the request `after` (7.r2; empty: from the first).
  virtual base::Result<std::vector<RequestView>> request_page(Which which, const std::string& after,
                                                              std::size_t limit) = 0;
  // Of a process, and the job's standing answers; number 0: of every process of the job.
  virtual base::Result<std::vector<CapabilityView>> capabilities(base::Pid pid) = 0;
  virtual base::Result<std::vector<BudgetView>> budget(base::Pid pid) = 0;
  virtual base::Result<std::vector<RecordView>> records(base::JobId job, base::Seq from,
                                                        std::size_t limit) = 0;
  virtual base::Result<std::vector<abi::Message>> transcript(base::Pid pid) = 0;
  virtual base::Result<std::vector<base::JobId>> jobs() = 0;
  virtual base::Result<AuditReport> verify(std::optional<base::JobId> job) = 0;  // chain and fold
  virtual base::Result<AuditReport> check() = 0;  // and blobs, snapshots, projections
  virtual std::vector<abi::Image> images() const = 0;
  virtual base::Result<Plan> plan(const Launch& launch) = 0;

  // ---- acting: `conflict` when this runtime does not own the store ----
  virtual base::Result<base::Pid> launch(const Launch& launch) = 0;
  // Goes on with a job whose processes were paused or interrupted; pid's process is resumed when it
  // is paused.
  virtual base::Result<void> resume(base::Pid pid, const std::string& by) = 0;
  virtual base::Result<void> pause(base::Pid pid, const std::string& by,
                                   const std::string& reason) = 0;
  virtual base::Result<void> kill(base::Pid pid, const std::string& by,
                                  const std::string& reason) = 0;
  virtual base::Result<void> answer(const std::string& request, const Answer& answer) = 0;
  virtual base::Result<std::string> grant(base::Pid pid, const abi::Grant& grant,
                                          const std::string& by) = 0;
  virtual base::Result<void> revoke(const std::string& capability, const std::string& by) = 0;
  // A message from a person into a process's mailbox. Errors: `conflict`, `exhausted` (it is full).
  virtual base::Result<void> send(base::Pid pid, const std::string& text,
                                  const std::string& by) = 0;
  // A limit of a process, absent: none. What waits for it goes on. Errors: `exhausted` (more than
  // its parent's pool has left).
  virtual base::Result<void> set_budget(base::Pid pid, abi::BudgetKind kind,
                                        std::optional<std::uint64_t> limit,
                                        const std::string& by) = 0;
  // What the policy says now: standing answers of policies that are not among these are revoked.
  virtual base::Result<void> set_policy(base::JobId job, const std::vector<Standing>& standing) = 0;
  // One tool call as that process, without the model. Waits for its end. The value, or the tool's
  // error.
  virtual base::Result<base::Json> call(base::Pid pid, const std::string& tool,
                                        const std::string& arguments) = 0;
  virtual base::Result<void> rebuild() = 0;  // projections, from the journal
  // Begins nothing more, and waits so long for what is under way. How many calls still are.
  virtual std::size_t drain(std::chrono::milliseconds patience) = 0;

  // Why records cannot be made durable at the moment; nothing when all is well.
  virtual std::optional<base::Error> trouble() const = 0;

  // ---- watching ----
  virtual std::unique_ptr<Subscription> subscribe(std::optional<base::JobId> job) = 0;
  // Until it has ended or is paused, or `patience` has passed; the state it is in then.
  virtual base::Result<ProcessView> wait(base::Pid pid, std::chrono::milliseconds patience) = 0;
};

// How a face gets one.
struct OpenOptions {
  std::string store_dir;
  enum class Mode : std::uint8_t { look, own } mode = Mode::look;
  unsigned threads = 0;  // 0: as many as is sensible here
};
using Opener = std::function<base::Result<std::shared_ptr<Kernel>>(const OpenOptions&)>;

}  // namespace alos::kernel
